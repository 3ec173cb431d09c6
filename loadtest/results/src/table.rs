//! Text tables with aligned columns.

use std::fmt;

/// Which edge a column's values share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows of `N` columns under a header.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    aligns: [Align; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table with this header.
    pub(crate) fn new(header: [(&str, Align); N]) -> Self {
        let aligns = header.map(|(_, align)| align);
        Self { aligns, rows: vec![header.map(|(title, _)| title.to_owned())] }
    }

    /// One row more.
    pub(crate) fn row(&mut self, row: [String; N]) {
        self.rows.push(row);
    }
}

/// Each line ended; two spaces between columns, none behind the last.
impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |column: usize| self.rows.iter().map(move |row| row[column].chars().count()).max();
        let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), align) in row.iter().zip(widths).zip(self.aligns) {
                let padded = match align {
                    Align::Left => format!("{cell:<width$}  "),
                    Align::Right => format!("{cell:>width$}  "),
                };
                line.push_str(&padded);
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_share_their_edges() {
        let mut table = Table::new([("name", Align::Left), ("µs", Align::Right)]);
        table.row(["a".into(), "1,200".into()]);
        table.row(["longer".into(), "7".into()]);
        assert_eq!(table.to_string(), "name       µs\na       1,200\nlonger      7\n");
    }
}
