//! The plots of the report: what goes into which, on which scale.

mod distribution;
mod over_time;
mod slope;

use over_time::Timeline;

use crate::markup::Markup;
use crate::svg::scale::Scale;
use crate::svg::{Axis, Chart, extent};
use crate::{RunResult, words};

/// All plots, in order.
pub(super) fn plots(page: &mut Markup, result: &RunResult) {
    let timeline = Timeline::of(result);
    if !result.phases.is_empty() {
        page.raw("<p class=\"quiet\">Shaded: phases; darker: warm-up, which does not count. ");
        page.raw("Dashed: faults, shaded until messages were delivered again as before.</p>\n");
    }
    timeline.open(page);
    timeline.traffic(page);
    timeline.resources(page);
    page.raw("</div>\n");
    slope::plot(page, result);
    distribution::plot(page, result);
}

/// From zero.
fn number_axis(most: f64) -> Axis {
    let scale = Scale::up_to(most);
    Axis { ticks: labelled(&scale, 4), scale }
}

fn labelled(scale: &Scale, count: u32) -> Vec<(f64, String)> {
    scale.ticks(count).into_iter().map(|tick| (tick, words::number(tick))).collect()
}

/// Of milliseconds, logarithmic. Zero has no place on it; a microsecond is its
/// floor.
fn latency_axis(least: f64, most: f64) -> Axis {
    let scale = Scale::log(least.max(0.001), most.max(0.001));
    let ticks = scale.ticks(0).into_iter().map(|ms| (ms, words::micros(ms * 1e3))).collect();
    Axis { scale, ticks }
}

/// The lines in words: from what to what.
fn describe(lines: &[crate::svg::Line]) -> String {
    let spans = lines.iter().rev().filter_map(|line| {
        let (least, most) = extent(&line.points)?;
        Some(format!("{}: {} to {}", line.label, words::number(least), words::number(most)))
    });
    spans.collect::<Vec<_>>().join("; ")
}

/// A plot with its caption and legend; what is drawn last is named first.
/// `values` are what the page's script reads out, one text for each line.
fn figure(page: &mut Markup, chart: &Chart<'_>, values: Option<&[String]>) {
    page.raw("<figure><figcaption><span class=\"name\">").text(chart.title).raw("</span>");
    page.raw("<span class=\"legend\">");
    for (index, line) in chart.lines.iter().enumerate().rev() {
        let class = format!("key {}", line.class);
        match values.and_then(|values| values.get(index)) {
            Some(values) => {
                page.element("span", &[("class", &class), ("data-values", values)], &line.label)
            }
            None => page.element("span", &[("class", &class)], &line.label),
        };
    }
    page.raw("</span></figcaption><div class=\"plot\">");
    page.append(chart.draw());
    page.raw("</div></figure>\n");
}

fn absent(page: &mut Markup, title: &str) {
    page.raw("<figure class=\"absent\"><figcaption><span class=\"name\">").text(title);
    page.raw("</span><span class=\"legend\">not measured</span></figcaption></figure>\n");
}
