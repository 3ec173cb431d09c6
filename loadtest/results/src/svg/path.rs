//! Lines of a plot as SVG path data: gaps stay gaps, and a line of more points
//! than the plot has columns keeps the peaks of each column.

use super::Point;
use std::fmt::Write as _;

/// Points in places of a plot; `None` is a gap.
pub(crate) type Places = Vec<Option<(f64, f64)>>;

/// At most the lowest and the highest point of each column of width 1, in order;
/// a gap stays only where a whole column is one, or between single columns.
pub(crate) fn thinned(places: Places, columns: usize) -> Places {
    if places.len() <= columns * 2 {
        return places;
    }
    let chunk = places.len().div_ceil(columns);
    places.chunks(chunk).flat_map(extremes).collect()
}

fn extremes(chunk: &[Option<(f64, f64)>]) -> Places {
    let known = || chunk.iter().enumerate().filter_map(|(at, place)| Some((at, (*place)?)));
    let by_height =
        |one: &(usize, (f64, f64)), other: &(usize, (f64, f64))| one.1.1.total_cmp(&other.1.1);
    match (known().min_by(by_height), known().max_by(by_height)) {
        (Some(low), Some(high)) if low.0 == high.0 => vec![Some(low.1)],
        (Some(low), Some(high)) if low.0 < high.0 => vec![Some(low.1), Some(high.1)],
        (Some(low), Some(high)) => vec![Some(high.1), Some(low.1)],
        _ => vec![None],
    }
}

/// `M…L…`, anew behind each gap. A point alone becomes a short stroke, which
/// would be invisible otherwise.
pub(crate) fn line(places: &Places) -> String {
    let mut data = String::new();
    let mut pen_down = false;
    for (index, place) in places.iter().enumerate() {
        let Some((x, y)) = place else {
            pen_down = false;
            continue;
        };
        let alone = !pen_down && places.get(index + 1).is_none_or(Option::is_none);
        let command = if pen_down { 'L' } else { 'M' };
        let _ = write!(data, "{command}{x:.1} {y:.1}");
        if alone {
            data.push_str("h1");
        }
        pen_down = true;
    }
    data
}

/// Closed shapes between the line and `base`, one for each part without gap.
pub(crate) fn area(places: &Places, base: f64) -> String {
    let mut data = String::new();
    for part in places.split(Option::is_none) {
        let part: Vec<_> = part.iter().flatten().collect();
        let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
        let _ = write!(data, "M{:.1} {base:.1}", first.0);
        for (x, y) in &part {
            let _ = write!(data, "L{x:.1} {y:.1}");
        }
        let _ = write!(data, "L{:.1} {base:.1}Z", last.0);
    }
    data
}

/// Least and most of the values that are there.
pub(crate) fn extent<'a>(points: impl IntoIterator<Item = &'a Point>) -> Option<(f64, f64)> {
    points.into_iter().filter_map(|(_, value)| *value).filter(|value| value.is_finite()).fold(
        None,
        |extent, value| match extent {
            None => Some((value, value)),
            Some((least, most)) => Some((f64::min(least, value), f64::max(most, value))),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_not_drawn_over() {
        let places = vec![Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 4.0)), None];
        assert_eq!(line(&places), "M0.0 1.0L1.0 2.0M3.0 4.0h1");
        assert_eq!(
            area(&places, 9.0),
            "M0.0 9.0L0.0 1.0L1.0 2.0L1.0 9.0ZM3.0 9.0L3.0 4.0L3.0 9.0Z"
        );
        assert_eq!(line(&vec![None; 3]), "");
    }

    #[test]
    fn thinning_keeps_the_peaks() {
        let mut places: Places = (0..10_000).map(|n| Some((f64::from(n), 5.0))).collect();
        places[1_234] = Some((1_234.0, 0.0));
        places[5_678] = Some((5_678.0, 99.0));
        let thin = thinned(places, 500);
        assert!(thin.len() <= 1_000);
        assert!(thin.contains(&Some((1_234.0, 0.0))));
        assert!(thin.contains(&Some((5_678.0, 99.0))));
        let xs: Vec<_> = thin.iter().flatten().map(|(x, _)| *x).collect();
        assert!(xs.is_sorted());
    }
}
