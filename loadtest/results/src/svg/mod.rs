//! Plots as inline SVG: lines over one horizontal axis, phases shaded behind
//! them, faults marked. Colours come from the page's style by class, so that one
//! plot fits light, dark and paper. Nothing here knows what is plotted.

mod path;
pub(crate) mod scale;

pub(crate) use path::extent;

use crate::markup::Markup;
use scale::Scale;
use std::fmt::Display;

/// A value at a place of the horizontal axis; `None` is a gap.
pub(crate) type Point = (f64, Option<f64>);

/// Width of every plot: those over time then stand exactly below each other.
const WIDTH: f64 = 1_000.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 974.0;
const TOP: f64 = 22.0;
/// Where the horizontal axis begins and ends, parts of the plot's width.
pub(crate) const SPAN: (f64, f64) = (LEFT / WIDTH, RIGHT / WIDTH);
/// Room for the labels of the horizontal axis.
const BOTTOM: f64 = 24.0;
/// About how wide a letter of a label is.
const LETTER: f64 = 6.2;

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Its name in the legend.
    pub(crate) label: String,
    /// Its look, a class of the page's style: `s1`…
    pub(crate) class: &'static str,
    /// In order of the horizontal axis.
    pub(crate) points: Vec<Point>,
    /// How it is drawn.
    pub(crate) shape: Shape,
}

/// How the points of a line are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Joined.
    Line,
    /// Filled down to the axis.
    Area,
    /// Each alone.
    Dots,
}

/// A span of the horizontal axis that is shaded and named.
#[derive(Debug, Clone)]
pub(crate) struct Band {
    /// Its name.
    pub(crate) label: String,
    /// Its begin.
    pub(crate) from: f64,
    /// Its end.
    pub(crate) to: f64,
    /// Drawn as not counted.
    pub(crate) warm_up: bool,
}

/// A moment that is marked, with the span until it was over.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    /// Its name.
    pub(crate) label: String,
    /// When.
    pub(crate) at: f64,
    /// Until when it lasted.
    pub(crate) until: f64,
}

/// An axis.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    /// Its scale; where it lies is set by the plot.
    pub(crate) scale: Scale,
    /// Values with the labels at them.
    pub(crate) ticks: Vec<(f64, String)>,
}

/// A plot.
#[derive(Debug, Clone)]
pub(crate) struct Chart<'a> {
    /// Unique on its page; begins the ids in it.
    pub(crate) id: &'static str,
    /// What it shows.
    pub(crate) title: &'a str,
    /// The same in figures, for those who do not see it.
    pub(crate) description: String,
    /// Height.
    pub(crate) height: f64,
    /// Horizontal.
    pub(crate) x: Axis,
    /// Vertical.
    pub(crate) y: Axis,
    /// Back to front.
    pub(crate) lines: &'a [Line],
    /// Behind the lines.
    pub(crate) bands: &'a [Band],
    /// Before them.
    pub(crate) marks: &'a [Mark],
}

impl Chart<'_> {
    /// The plot.
    pub(crate) fn draw(&self) -> Markup {
        let (title, description) = (format!("{}-title", self.id), format!("{}-desc", self.id));
        let mut svg = Markup::default();
        let (box_, by) = (format!("0 0 {WIDTH} {}", self.height), format!("{title} {description}"));
        svg.open("svg", &[("viewBox", &box_), ("role", &"img"), ("aria-labelledby", &by)]);
        svg.element("title", &[("id", &title)], self.title);
        svg.element("desc", &[("id", &description)], &self.description);
        let floor = self.height - BOTTOM;
        let x = self.x.scale.at(LEFT, RIGHT);
        let y = self.y.scale.at(floor, TOP);
        self.draw_bands(&mut svg, x, floor);
        self.draw_axes(&mut svg, x, y, floor);
        for line in self.lines {
            draw_line(&mut svg, line, x, y, floor);
        }
        self.draw_marks(&mut svg, x, floor);
        svg.close("svg");
        svg
    }

    fn draw_bands(&self, svg: &mut Markup, x: Scale, floor: f64) {
        for (index, band) in self.bands.iter().enumerate() {
            let (from, to) = (x.place(band.from), x.place(band.to));
            let class = match (band.warm_up, index % 2) {
                (true, _) => "band warm-up",
                (false, 0) => "band even",
                (false, _) => "band odd",
            };
            shade(svg, class, round(from), round(to - from), floor);
            if let Some(label) = fitting(&band.label, to - from - 6.0) {
                label_at(svg, "phase", (f64::midpoint(from, to), TOP - 8.0), "middle", &label);
            }
        }
    }

    fn draw_axes(&self, svg: &mut Markup, x: Scale, y: Scale, floor: f64) {
        for (value, label) in &self.y.ticks {
            let at = round(y.place(*value));
            stroke(svg, "grid", (LEFT, at), (RIGHT, at));
            label_at(svg, "tick", (LEFT - 8.0, at + 4.0), "end", label);
        }
        for (value, label) in &self.x.ticks {
            let at = round(x.place(*value));
            stroke(svg, "axis", (at, floor), (at, floor + 4.0));
            label_at(svg, "tick", (at, floor + 17.0), "middle", label);
        }
        stroke(svg, "axis", (LEFT, floor), (RIGHT, floor));
    }

    /// Labels that would overlap go to different rows.
    fn draw_marks(&self, svg: &mut Markup, x: Scale, floor: f64) {
        const ROWS: usize = 3;
        let mut ends = [f64::MIN; ROWS];
        for mark in self.marks {
            let at = round(x.place(mark.at));
            let width = round((x.place(mark.until) - at).max(1.0));
            shade(svg, "outage", at, width, floor);
            stroke(svg, "fault", (at, TOP - 2.0), (at, floor));
            let width = mark.label.chars().count() as f64 * LETTER;
            let (begin, place, anchor) = match at + width + 6.0 > RIGHT {
                true => (at - width - 5.0, at - 5.0, "end"),
                false => (at + 5.0, at + 5.0, "start"),
            };
            let row = ends.iter().position(|end| *end < begin).unwrap_or(ROWS - 1);
            ends[row] = begin + width + LETTER;
            label_at(svg, "fault", (place, TOP + 11.0 + 13.0 * row as f64), anchor, &mark.label);
        }
    }
}

fn draw_line(svg: &mut Markup, line: &Line, x: Scale, y: Scale, floor: f64) {
    let place = |(at, value): &Point| {
        let value = value.filter(|value| value.is_finite())?;
        Some((x.place(*at), y.place(value)))
    };
    let places = line.points.iter().map(place).collect();
    let places = path::thinned(places, (RIGHT - LEFT) as usize);
    match line.shape {
        Shape::Line => {
            let class = format!("line {}", line.class);
            svg.leaf("path", &[("class", &class), ("d", &path::line(&places))]);
        }
        Shape::Area => {
            let class = format!("area {}", line.class);
            svg.leaf("path", &[("class", &class), ("d", &path::area(&places, floor))]);
            let class = format!("line {}", line.class);
            svg.leaf("path", &[("class", &class), ("d", &path::line(&places))]);
        }
        Shape::Dots => {
            let class = format!("dot {}", line.class);
            for (x, y) in places.into_iter().flatten() {
                let (x, y) = (round(x), round(y));
                svg.leaf("circle", &[("class", &class), ("cx", &x), ("cy", &y), ("r", &"3")]);
            }
        }
    }
}

fn shade(svg: &mut Markup, class: &str, x: f64, width: f64, floor: f64) {
    let height = round(floor - TOP);
    let attributes: &[(_, &dyn Display)] =
        &[("class", &class), ("x", &x), ("y", &TOP), ("width", &width), ("height", &height)];
    svg.leaf("rect", attributes);
}

fn stroke(svg: &mut Markup, class: &str, from: (f64, f64), to: (f64, f64)) {
    let attributes: &[(_, &dyn Display)] =
        &[("class", &class), ("x1", &from.0), ("y1", &from.1), ("x2", &to.0), ("y2", &to.1)];
    svg.leaf("line", attributes);
}

fn label_at(svg: &mut Markup, class: &str, at: (f64, f64), anchor: &str, text: &str) {
    let (x, y) = (round(at.0), round(at.1));
    let attributes: &[(_, &dyn Display)] =
        &[("class", &class), ("x", &x), ("y", &y), ("text-anchor", &anchor)];
    svg.element("text", attributes, text);
}

/// As much of a label as fits; nothing when that would not be worth reading.
fn fitting(label: &str, width: f64) -> Option<String> {
    let letters = (width / LETTER).max(0.0) as usize;
    match label.chars().count() {
        count if count <= letters => Some(label.to_owned()),
        _ if letters >= 4 => Some(label.chars().take(letters - 1).chain(['…']).collect()),
        _ => None,
    }
}

/// Tenths are finer than a screen.
fn round(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_cut_to_the_room_they_have() {
        assert_eq!(fitting("lunch", 40.0).as_deref(), Some("lunch"));
        assert_eq!(fitting("afternoon", 40.0).as_deref(), Some("after…"));
        assert_eq!(fitting("afternoon", 20.0), None);
        assert_eq!(fitting("afternoon", -5.0), None);
    }

    #[test]
    fn a_plot_names_itself_and_escapes() {
        let axis = Axis { scale: Scale::up_to(1.0), ticks: vec![(0.0, "<0>".into())] };
        let line = Line {
            label: "x".into(),
            class: "s1",
            points: vec![(0.0, Some(f64::NAN)), (0.5, Some(0.5)), (1.0, None)],
            shape: Shape::Area,
        };
        let chart = Chart {
            id: "a",
            title: "T<t>",
            description: "D&d".into(),
            height: 200.0,
            x: axis.clone(),
            y: axis,
            lines: &[line],
            bands: &[],
            marks: &[Mark { label: "kill & go".into(), at: 0.99, until: 1.0 }],
        };
        let svg = chart.draw().into_string();
        assert!(svg.contains("<title id=\"a-title\">T&lt;t&gt;</title>"), "{svg}");
        assert!(svg.contains("D&amp;d</desc>") && svg.contains("kill &amp; go"));
        assert!(svg.contains("text-anchor=\"end\">kill"));
        assert!(!svg.contains("NaN"));
    }
}
