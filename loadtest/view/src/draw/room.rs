//! Shares the rows of a terminal among the parts of the picture: when there are
//! too few, the less important parts go.

use std::ops::Range;

/// A part of the picture, in the order in which they stand from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Title,
    Description,
    Phase,
    Run,
    Charts,
    Table,
    Audit,
    Notes,
    Help,
}

/// How many rows a part wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) part: Part,
    /// With fewer it is not shown.
    pub(super) least: u16,
    /// More are of no use to it; not below `least`.
    pub(super) most: u16,
}

impl Wish {
    /// One row.
    pub(super) fn line(part: Part) -> Self {
        Self { part, least: 1, most: 1 }
    }
}

/// The rows of each part that is shown, from the top. In the order of the wishes
/// each part gets its least, and then what is left goes to them in the same order.
pub(super) fn share(wishes: &[Wish], height: u16) -> Vec<(Part, Range<u16>)> {
    let mut left = height;
    let mut shares: Vec<(&Wish, u16)> = Vec::with_capacity(wishes.len());
    for wish in wishes.iter().filter(|wish| wish.most > 0) {
        if wish.least <= left {
            left -= wish.least;
            shares.push((wish, wish.least));
        }
    }
    for (wish, rows) in &mut shares {
        let more = left.min(wish.most - *rows);
        *rows += more;
        left -= more;
    }
    shares.sort_by_key(|(wish, _)| wish.part);
    let mut from = 0;
    let places = shares.into_iter().map(|(wish, rows)| {
        let place = from..from + rows;
        from += rows;
        (wish.part, place)
    });
    places.filter(|(_, rows)| !rows.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shared(height: u16) -> Vec<(Part, Range<u16>)> {
        let wishes = [
            Wish::line(Part::Audit),
            Wish::line(Part::Title),
            Wish { part: Part::Charts, least: 5, most: 9 },
            Wish { part: Part::Notes, least: 2, most: 4 },
        ];
        share(&wishes, height)
    }

    #[test]
    fn the_most_important_is_shown_to_the_last() {
        assert_eq!(shared(0), []);
        assert_eq!(shared(1), [(Part::Audit, 0..1)]);
        assert_eq!(shared(2), [(Part::Title, 0..1), (Part::Audit, 1..2)]);
        // Too little for charts is still something for notes.
        let four = [(Part::Title, 0..1), (Part::Audit, 1..2), (Part::Notes, 2..4)];
        assert_eq!(shared(4), four);
    }

    #[test]
    fn what_is_left_goes_to_the_more_important_first() {
        let parts = shared(12);
        let (charts, notes) = (&parts[1].1, &parts[3].1);
        assert_eq!((charts.len(), notes.len()), (8, 2));
        assert_eq!(shared(100).last().unwrap().1.end, 15, "nobody gets more than the most");
    }

    proptest! {
        #[test]
        fn parts_stand_one_below_the_other(height in 0_u16..200) {
            let mut next = 0;
            for (_, rows) in shared(height) {
                prop_assert_eq!(rows.start, next);
                next = rows.end;
            }
            prop_assert!(next <= height);
        }
    }
}
