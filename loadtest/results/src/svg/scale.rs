//! Scales: from values to places on a plot, with ticks at round values.

/// Maps values to places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    kind: Kind,
    from: f64,
    to: f64,
    place_from: f64,
    place_to: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Log,
}

impl Scale {
    /// From exactly `from` to `to`; a span of nothing is widened.
    pub(crate) fn linear(from: f64, to: f64) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self { kind: Kind::Linear, from, to, place_from: 0.0, place_to: 1.0 }
    }

    /// From zero to a round value at or above `most`.
    pub(crate) fn up_to(most: f64) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        let step = step(most, 4);
        Self::linear(0.0, (most / step).ceil() * step)
    }

    /// Logarithmic, from a round value at or below `least` to one at or above
    /// `most`; both are above zero.
    pub(crate) fn log(least: f64, most: f64) -> Self {
        let (from, to) = (round_down(least), round_up(most));
        let to = if to > from { to } else { from * 10.0 };
        Self { kind: Kind::Log, from, to, place_from: 0.0, place_to: 1.0 }
    }

    /// The same with its ends at these places.
    pub(crate) fn at(self, place_from: f64, place_to: f64) -> Self {
        Self { place_from, place_to, ..self }
    }

    /// The place of a value; beyond the ends it is the end's.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let part = match self.kind {
            Kind::Linear => (value - self.from) / (self.to - self.from),
            // Zero has no logarithm: it is at the lower end.
            Kind::Log if value <= 0.0 => 0.0,
            Kind::Log => (value / self.from).ln() / (self.to / self.from).ln(),
        };
        self.place_from + part.clamp(0.0, 1.0) * (self.place_to - self.place_from)
    }

    /// Round values in it, about `count` when linear.
    pub(crate) fn ticks(&self, count: u32) -> Vec<f64> {
        match self.kind {
            Kind::Linear => {
                let step = step(self.to - self.from, count);
                // Not by adding up, which drifts.
                let (first, last) = ((self.from / step).ceil(), (self.to / step + 1e-9).floor());
                (first as i64..=last as i64).map(|n| n as f64 * step).collect()
            }
            Kind::Log => self.log_ticks(),
        }
    }

    fn log_ticks(&self) -> Vec<f64> {
        let decades = (self.to / self.from).log10();
        let within: &[f64] = if decades < 4.2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let (first, last) = (self.from.log10().floor() as i32, self.to.log10().ceil() as i32);
        (first..=last)
            .flat_map(|decade| within.iter().map(move |n| n * 10_f64.powi(decade)))
            .filter(|tick| *tick >= self.from * 0.999 && *tick <= self.to * 1.001)
            .collect()
    }
}

/// The 1, 2 or 5 times a power of ten of which about `count` fit into `span`.
fn step(span: f64, count: u32) -> f64 {
    let raw = span / f64::from(count.max(1));
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().find(|n| n * power >= raw * 0.999).unwrap_or(10.0);
    step * power
}

/// The 1, 2 or 5 times a power of ten at or below `value`.
fn round_down(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let part = value / decade * 1.001;
    [5.0, 2.0, 1.0].into_iter().find(|n| *n <= part).unwrap_or(1.0) * decade
}

/// The same at or above it.
fn round_up(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let part = value / decade * 0.999;
    [1.0, 2.0, 5.0].into_iter().find(|n| *n >= part).unwrap_or(10.0) * decade
}

/// Round points of time between `from_s` and `to_s`, about `count`.
pub(crate) fn time_ticks(from_s: f64, to_s: f64, count: u32) -> Vec<f64> {
    const STEPS: [f64; 17] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
        7_200.0, 14_400.0, 21_600.0, 43_200.0,
    ];
    let wanted = (to_s - from_s) / f64::from(count.max(1));
    let step = STEPS.into_iter().find(|step| *step >= wanted).unwrap_or_else(|| step(to_s, count));
    let (first, last) = ((from_s / step).ceil() as i64, (to_s / step).floor() as i64);
    (first..=last).map(|n| n as f64 * step).collect()
}

/// A point of time: `0:30`, `12:00`, `1:05:00`.
pub(crate) fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (whole / 3_600, whole % 3_600 / 60, whole % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_ticks_are_round() {
        assert_eq!(Scale::up_to(1_234.0).ticks(4), [0.0, 500.0, 1_000.0, 1_500.0]);
        assert_eq!(Scale::up_to(0.0).ticks(2), [0.0, 0.5, 1.0]);
        assert_eq!(Scale::log(3.2, 48.0).ticks(0), [2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(Scale::log(3.2, 4_800_000.0).ticks(0).len(), 6);
        assert_eq!(
            time_ticks(0.0, 600.0, 10),
            (0..=10).map(|n| f64::from(n) * 60.0).collect::<Vec<_>>()
        );
        assert_eq!(time_ticks(0.0, 3.0, 10), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(clock(65.0), "1:05");
        assert_eq!(clock(3_900.0), "1:05:00");
    }

    #[test]
    fn places_are_between_the_ends_whatever_the_value() {
        let linear = Scale::linear(0.0, 10.0).at(100.0, 0.0);
        assert_eq!((linear.place(0.0), linear.place(5.0), linear.place(99.0)), (100.0, 50.0, 0.0));
        let log = Scale::log(1.0, 100.0).at(0.0, 100.0);
        assert!((log.place(10.0) - 50.0).abs() < 1e-9);
        assert_eq!((log.place(0.0), log.place(-1.0), log.place(1e9)), (0.0, 0.0, 100.0));
        let point = Scale::log(7.0, 7.0).at(0.0, 1.0);
        assert!(point.place(7.0).is_finite());
        assert!(Scale::linear(3.0, 3.0).place(3.0).is_finite());
    }
}
