//! What one more connection costs in memory: the slope of a line that is fitted
//! through many readings, so that what the server needs anyway does not count.

use frontdesk_results::SlopePoint;

/// Most points that are kept: enough for a plot, and for a run of any length.
const MOST_POINTS: usize = 256;
/// A line through fewer different numbers of connections says nothing.
const FEWEST_COUNTS: usize = 3;
/// Nor does one whose connections vary by less than this share of the most.
const LEAST_VARIATION: f64 = 0.1;
/// Nor does one that explains less than this share of the memory's variance:
/// then something else than connections decides how much there is.
const LEAST_EXPLAINED: f64 = 0.8;

/// Collects readings over a run in bounded memory: when it is full, every second
/// one goes, and from then on only every second one is taken.
#[derive(Debug, Clone)]
pub struct Slope {
    points: Vec<SlopePoint>,
    /// One reading in so many is kept.
    stride: usize,
    /// Readings so far.
    seen: usize,
}

impl Default for Slope {
    fn default() -> Self {
        Self { points: Vec::new(), stride: 1, seen: 0 }
    }
}

impl Slope {
    /// Takes a reading.
    pub fn add(&mut self, point: SlopePoint) {
        if self.seen.is_multiple_of(self.stride) {
            if self.points.len() == MOST_POINTS {
                let mut position = 0;
                self.points.retain(|_| {
                    position += 1;
                    position % 2 == 1
                });
                self.stride *= 2;
            }
            self.points.push(point);
        }
        self.seen += 1;
    }

    /// See [`bytes_per_connection`].
    pub fn bytes_per_connection(&self) -> Option<f64> {
        bytes_per_connection(&self.points)
    }

    /// What the line is fitted through, at most 256 points.
    pub fn into_points(self) -> Vec<SlopePoint> {
        self.points
    }
}

/// Resident bytes that one more connection costs: the slope of the line of least
/// squares. `None` when there are not three different numbers of connections,
/// when they vary by less than a tenth, or when memory hardly follows them.
pub fn bytes_per_connection(points: &[SlopePoint]) -> Option<f64> {
    let mut counts: Vec<u64> = points.iter().map(|point| point.connections).collect();
    counts.sort_unstable();
    counts.dedup();
    let (least, most) = (*counts.first()?, *counts.last()?);
    if counts.len() < FEWEST_COUNTS || ((most - least) as f64) < LEAST_VARIATION * most as f64 {
        return None;
    }
    let line = points.iter().map(|p| (p.connections as f64, p.resident_bytes as f64));
    let (slope, explained) = fit(&line.collect::<Vec<_>>());
    (explained >= LEAST_EXPLAINED).then_some(slope)
}

/// The line of least squares: its slope, and the share of the ys' variance that
/// it explains (R²). The xs must not all be equal.
fn fit(points: &[(f64, f64)]) -> (f64, f64) {
    let n = points.len() as f64;
    let (mean_x, mean_y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let together: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let of_x: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let of_y: f64 = points.iter().map(|(_, y)| (y - mean_y).powi(2)).sum();
    // Without any variance there is none to explain.
    let explained = if of_y > 0.0 { together * together / (of_x * of_y) } else { 1.0 };
    (together / of_x, explained)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(connections: u64, resident_bytes: u64) -> SlopePoint {
        SlopePoint { connections, resident_bytes }
    }

    #[test]
    fn too_little_to_fit_a_line_is_no_slope() {
        assert_eq!(bytes_per_connection(&[]), None);
        assert_eq!(bytes_per_connection(&[point(0, 0), point(100, 1_000)]), None, "two points");
        let twice = [point(0, 0), point(100, 9), point(100, 10)];
        assert_eq!(bytes_per_connection(&twice), None, "two numbers of connections");
        let flat = [point(1_000, 0), point(1_050, 9), point(1_099, 10)];
        assert_eq!(bytes_per_connection(&flat), None, "less than a tenth apart");
        let noise = [point(0, 9), point(500, 0), point(1_000, 8)];
        assert_eq!(bytes_per_connection(&noise), None, "memory follows something else");
        assert!(bytes_per_connection(&[point(900, 0), point(950, 9), point(1_000, 10)]).is_some());
    }

    proptest! {
        #[test]
        fn the_slope_of_a_line_is_found(
            base in 0_u64..1 << 32,
            each in 0_u64..100_000,
            counts in prop::collection::btree_set(0_u64..50_000, 3..40),
        ) {
            let points: Vec<_> = counts.iter().map(|n| point(*n, base + n * each)).collect();
            if let Some(found) = bytes_per_connection(&points) {
                prop_assert!((found - each as f64).abs() < 0.01 + each as f64 * 1e-6, "{found}");
            }
        }

        #[test]
        fn a_long_run_keeps_its_slope_and_few_points(readings in 3_usize..20_000) {
            let mut slope = Slope::default();
            for n in 0..readings as u64 {
                slope.add(point(n, 1_000 + n * 1_700));
            }
            prop_assert!((slope.bytes_per_connection().unwrap() - 1_700.0).abs() < 0.01);
            let points = slope.into_points();
            prop_assert!(points.len() <= MOST_POINTS);
            prop_assert!(points.last().unwrap().connections as usize >= readings / 2);
        }
    }
}
