//! One load on so many slots, in the long run.

/// Terms of a distribution below this share of the largest are left out.
const LEAST_LOG: f64 = -60.0;
/// Steps of an integration; an even number.
const STEPS: u32 = 2_000;

/// What comes, and what each takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Arrivals a second.
    pub arrivals: f64,
    /// Mean time that a slot is taken by one, in seconds.
    pub handling: f64,
    /// Mean time after which one who waits gives up, in seconds; `None`: never.
    pub patience: Option<f64>,
}

/// How a load fares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Share that has to wait.
    pub waits: f64,
    /// Share that is served within the time asked for.
    pub in_time: f64,
    /// Share that gives up.
    pub abandons: f64,
    /// Mean wait of all, those who give up included, in seconds; infinite when the
    /// load grows without end.
    pub wait: f64,
    /// Share of the slots that is taken.
    pub occupancy: f64,
}

impl Load {
    /// Slots that are taken on average when all are served, in erlangs.
    pub fn erlangs(&self) -> f64 {
        self.arrivals * self.handling
    }

    /// How it fares on so many slots; `within` in seconds.
    pub fn on(&self, slots: u32, within: f64) -> Outcome {
        match self.patience {
            Some(patience) => self.with_patience(slots, within, patience),
            None => self.without_end(slots, within),
        }
    }

    /// Erlang C, by way of the stable recursion for Erlang B.
    fn without_end(&self, slots: u32, within: f64) -> Outcome {
        let (erlangs, slots_f) = (self.erlangs(), f64::from(slots));
        if erlangs >= slots_f {
            let (waits, abandons, wait) = (1.0, 0.0, f64::INFINITY);
            return Outcome { waits, in_time: 0.0, abandons, wait, occupancy: 1.0 };
        }
        let blocked = (1..=slots).fold(1.0, |blocked, n| {
            let offered = erlangs * blocked;
            offered / (f64::from(n) + offered)
        });
        let occupancy = erlangs / slots_f;
        let waits = blocked / (1.0 - occupancy * (1.0 - blocked));
        let spare = slots_f - erlangs;
        Outcome {
            waits,
            in_time: 1.0 - waits * (-spare * within / self.handling).exp(),
            abandons: 0.0,
            wait: waits * self.handling / spare,
            occupancy,
        }
    }

    /// Erlang A: the stationary distribution of the number there, relative to that of
    /// all slots being taken and nobody waiting, in logarithms, for it spans hundreds of
    /// orders of magnitude.
    fn with_patience(&self, slots: u32, within: f64, patience: f64) -> Outcome {
        let (serve, leave) = (1.0 / self.handling, 1.0 / patience);
        let serve_all = f64::from(slots) * serve;
        // With k below all slots: p(k-1) = p(k) · k·serve / arrivals.
        let mut below = Vec::new();
        let mut log = 0.0;
        for k in (1..=slots).rev() {
            log += (f64::from(k) * serve / self.arrivals).ln();
            below.push(log);
            if log < LEAST_LOG && f64::from(k) < self.erlangs() {
                break;
            }
        }
        // With j waiting: p(j) = p(j-1) · arrivals / (serve_all + j·leave).
        let mut waiting = vec![0.0];
        let (mut log, mut most, mut j) = (0.0_f64, 0.0_f64, 0.0);
        loop {
            j += 1.0;
            log += (self.arrivals / (serve_all + j * leave)).ln();
            most = most.max(log);
            waiting.push(log);
            if log < most + LEAST_LOG {
                break;
            }
        }
        let most = below.iter().copied().fold(most, f64::max);
        let share = |logs: &[f64]| logs.iter().map(|log| (log - most).exp()).sum::<f64>();
        let sum = share(&below) + share(&waiting);
        let lengths = waiting.iter().zip(0_u32..);
        let length: f64 = lengths.map(|(log, j)| f64::from(j) * (log - most).exp()).sum();
        let (length, waits) = (length / sum, share(&waiting) / sum);
        let abandons = leave * length / self.arrivals;
        // Who comes when j wait ahead would be served after a time t whose density, over
        // all j, is p(0)·serve_all·exp(-serve_all·t + arrivals/leave·x), where x is the
        // share of patience used up, 1 - exp(-leave·t); and stays for it with 1 - x.
        let log_first = (serve_all / leave).ln() - most - sum.ln();
        let served_at = |x: f64| {
            (log_first + serve_all / leave * (-x).ln_1p() + self.arrivals / leave * x).exp()
        };
        let used_up = -(-leave * within).exp_m1();
        Outcome {
            waits,
            in_time: (1.0 - waits + integral(served_at, used_up)).min(1.0),
            abandons,
            wait: length / self.arrivals,
            occupancy: (self.arrivals * (1.0 - abandons) / serve_all).min(1.0),
        }
    }
}

/// From 0 to `end`, by Simpson's rule.
fn integral(of: impl Fn(f64) -> f64, end: f64) -> f64 {
    let step = end / f64::from(STEPS);
    let inner: f64 =
        (1..STEPS).map(|i| of(f64::from(i) * step) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
    (of(0.0) + inner + of(end)) * step / 3.0
}
