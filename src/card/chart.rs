//! Draws the chart: small panels below each other, narrow enough for a phone. It is plain SVG with
//! its own background and colours for light and dark, and nothing in it runs or is fetched.

use std::fmt::Write as _;

use super::trend::{Panel, Trend};
use crate::evidence::{rounded, show};
use crate::policy::Direction;

/// The picture, and the plots in it, in pixels.
const WIDTH: f64 = 480.0;
const MARGIN: f64 = 16.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 398.0;
/// A panel, and where its plot begins and ends.
const PANEL: f64 = 138.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 102.0;
/// A line of remarks.
const REMARK: f64 = 18.0;
/// Characters of a version's label.
const LABEL: usize = 14;
/// A scale spans at least this part of its largest value: what hardly changes looks so.
const LEAST_SPAN: f64 = 0.05;
/// How far a bound may stretch the scale before it is only named.
const MOST_STRETCH: f64 = 4.0;

/// Colours: light for whatever knows no better, dark where it is asked for. The background is drawn,
/// so that the chart can be read on a page of either kind.
const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;font-size:12px;fill:#59636e}
.name{font-size:15px;font-weight:600;fill:#1f2328}
.last{font-size:14px;font-weight:600;fill:#0969da}
.ground{fill:#fff;stroke:#d1d9e0}
.grid{stroke:#d1d9e0}
.bound{stroke:#bc4c00;stroke-width:1.5;stroke-dasharray:5 4}
.line{fill:none;stroke:#0969da;stroke-width:2;stroke-linejoin:round}
circle{fill:#0969da}
@media (prefers-color-scheme:dark){
text{fill:#9198a1}
.name{fill:#f0f6fc}
.last{fill:#4493f8}
.ground{fill:#0d1117;stroke:#3d444d}
.grid{stroke:#2f353d}
.bound{stroke:#f0883e}
.line{stroke:#4493f8}
circle{fill:#4493f8}
}";

/// The whole picture.
pub(super) fn draw(trend: &Trend) -> String {
    let remarks = REMARK * count(trend.remarks.len());
    let height = MARGIN + PANEL * count(trend.panels.len()) + remarks;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"what\">\n\
         <title id=\"what\">{}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n",
        escaped(&trend.alt()),
        WIDTH - 1.0,
        height - 1.0,
    );
    for (index, panel) in trend.panels.iter().enumerate() {
        let _ =
            writeln!(svg, "<g transform=\"translate(0 {})\">", MARGIN / 2.0 + PANEL * count(index));
        draw_panel(&mut svg, panel, &trend.versions);
        svg.push_str("</g>\n");
    }
    for (index, remark) in trend.remarks.iter().enumerate() {
        let y = height - remarks + REMARK * count(index);
        text(&mut svg, "", "start", (MARGIN, y), remark);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_panel(svg: &mut String, panel: &Panel, versions: &[String]) {
    let scale = Scale::of(panel);
    let said = said(panel, &scale);
    text(svg, "", "end", (WIDTH - MARGIN, 18.0), &said);
    let room = WIDTH - 3.0 * MARGIN - width(&said, 12.0);
    text(svg, "name", "start", (MARGIN, 18.0), &fitted(&panel.name, room, 15.0));
    for tick in scale.ticks() {
        let y = scale.y(tick);
        rule(svg, "grid", y);
        text(svg, "", "end", (LEFT - 8.0, y + 4.0), &rounded(tick));
    }
    for (_, bound) in panel.bounds.iter().filter(|(_, bound)| scale.holds(*bound)) {
        rule(svg, "bound", scale.y(*bound));
    }
    let x = |index: usize| {
        let steps = count(versions.len().saturating_sub(1)).max(1.0);
        LEFT + 8.0 + count(index) * (RIGHT - LEFT - 16.0) / steps
    };
    // A version without the number breaks the line.
    for run in runs(&panel.values) {
        let points: Vec<_> =
            run.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), scale.y(*value))).collect();
        if points.len() > 1 {
            let _ = writeln!(svg, "<polyline class=\"line\" points=\"{}\"/>", points.join(" "));
        }
    }
    let known: Vec<_> = runs(&panel.values).concat();
    for (at, value) in &known {
        let is_last = known.last().is_some_and(|(last, _)| last == at);
        let (x, y, radius) = (x(*at), scale.y(*value), if is_last { 4.5 } else { 2.5 });
        let version = versions.get(*at).map(String::as_str).unwrap_or_default();
        let title = escaped(&format!("{version}: {}", show(*value)));
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"><title>{title}</title></circle>"
        );
        if is_last {
            text(svg, "last", "start", (x + 9.0, y + 5.0), &rounded(*value));
        }
    }
    for at in labelled(versions, x(1) - x(0)) {
        text(svg, "", "middle", (x(at), BOTTOM + 18.0), &short(&versions[at], LABEL));
    }
}

/// What is asked of the metric, beside its name.
fn said(panel: &Panel, scale: &Scale) -> String {
    let mut said: Vec<_> = panel
        .bounds
        .iter()
        .map(|(word, bound)| {
            let off = if scale.holds(*bound) { "" } else { " (off the scale)" };
            format!("{word} {}{off}", rounded(*bound))
        })
        .collect();
    said.extend(panel.better.map(|better| match better {
        Direction::Higher => "higher is better".to_owned(),
        Direction::Lower => "lower is better".to_owned(),
    }));
    said.join(", ")
}

/// The values of versions in a row that have one.
fn runs(values: &[Option<f64>]) -> Vec<Vec<(usize, f64)>> {
    let numbered: Vec<_> = values.iter().enumerate().collect();
    let runs = numbered.split(|(_, value)| value.is_none());
    let known = |run: &[(usize, &Option<f64>)]| -> Vec<_> {
        run.iter().filter_map(|(at, value)| Some((*at, (**value)?))).collect()
    };
    runs.map(known).filter(|run| !run.is_empty()).collect()
}

/// Which versions have a label: the last one, and as many before it as there is room for.
fn labelled(versions: &[String], apart: f64) -> Vec<usize> {
    let longest = versions.iter().map(|version| width(&short(version, LABEL), 12.0));
    let longest = longest.fold(0.0, f64::max) + 10.0;
    let every = (1..versions.len()).find(|every| count(*every) * apart >= longest);
    (0..versions.len()).rev().step_by(every.unwrap_or(versions.len())).collect()
}

/// A value axis: from `low` in steps of `step`, as many as it takes.
struct Scale {
    low: f64,
    step: f64,
    steps: u8,
}

impl Scale {
    fn of(panel: &Panel) -> Self {
        let values = || panel.values.iter().flatten().copied();
        let (mut low, mut high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        // Halved, so that no difference of two numbers is beyond all numbers.
        let half = (high / 2.0 - low / 2.0).max(low.abs().max(high.abs()) * LEAST_SPAN / 2.0);
        let half = if half > 0.0 { half } else { 0.5 };
        let middle = low / 2.0 + high / 2.0;
        (low, high) = (middle - half, middle + half);
        for (_, bound) in &panel.bounds {
            let (lower, higher) = (low.min(*bound), high.max(*bound));
            if higher / 2.0 - lower / 2.0 <= half * MOST_STRETCH {
                (low, high) = (lower, higher);
            }
        }
        let step = round_step(high / 2.0 - low / 2.0);
        // A bound that stands on a round number is the end of the scale.
        let low = (low / step + 1e-9).floor() * step;
        let steps = (1..8).find(|steps| low + f64::from(*steps) * step >= high - step * 1e-9);
        Self { low, step, steps: steps.unwrap_or(8) }
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let first = self.low / self.step;
        // Adding nothing makes a zero of a negative one.
        (0..=self.steps).map(move |at| (first.round() + f64::from(at)) * self.step + 0.0)
    }

    fn y(&self, value: f64) -> f64 {
        let part = (value / self.step - self.low / self.step) / f64::from(self.steps);
        BOTTOM - part * (BOTTOM - TOP)
    }

    fn holds(&self, value: f64) -> bool {
        (TOP - 0.5..=BOTTOM + 0.5).contains(&self.y(value))
    }
}

/// The next of 1, 2, 5, 10, … from `least` on. It goes by the number's own digits: a logarithm is
/// not the same on every machine.
fn round_step(least: f64) -> f64 {
    let text = format!("{least:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: f64 = digits.parse().unwrap_or(1.0);
    let lead = [1, 2, 5, 10].into_iter().find(|lead| digits <= f64::from(*lead) + 1e-9);
    format!("{}e{exponent}", lead.unwrap_or(10)).parse().unwrap_or(1.0)
}

fn rule(svg: &mut String, class: &str, y: f64) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
    );
}

fn text(svg: &mut String, class: &str, anchor: &str, (x, y): (f64, f64), text: &str) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let text = escaped(text);
    let _ = writeln!(
        svg,
        "<text{class} x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

/// About how wide a text is.
fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if c.is_ascii() { 0.58 * size } else { size }).sum()
}

/// As much of a text as there is room for.
fn fitted(text: &str, room: f64, size: f64) -> String {
    let most =
        (0..=text.chars().count()).rev().find(|most| width(&short(text, *most), size) <= room);
    short(text, most.unwrap_or(0))
}

/// A text of at most so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Text that is nothing but text in XML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_whitespace() => out.push(' '),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            // What reorders the text around it.
            '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                out.push('\u{FFFD}');
            }
            c => out.push(c),
        }
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "panels and versions are few")]
fn count(of: usize) -> f64 {
    of as f64
}

#[cfg(test)]
mod tests;
