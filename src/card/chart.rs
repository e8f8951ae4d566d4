//! Draws the chart: small panels below each other, as narrow as a phone, for a picture cannot reflow.
//! It is plain SVG with its own background and colours for light and dark, and nothing in it runs or
//! is fetched.

use std::fmt::Write as _;

use super::trend::{Panel, Trend};
use crate::evidence::{apart, rounded, show};
use crate::policy::Direction;

/// The picture, in pixels: what a phone shows of it is its own size.
const WIDTH: f64 = 360.0;
const MARGIN: f64 = 16.0;
/// Height of a plot, and what is above it (the name) and below it (the versions).
const PLOT: f64 = 68.0;
const ABOVE: f64 = 34.0;
const BELOW: f64 = 38.0;
/// A line of text.
const LINE: f64 = 17.0;
/// Sizes of letters.
const NAME: f64 = 15.0;
const SMALL: f64 = 12.0;
/// Characters of a version's label, of a unit, and of a number on the scale.
const LABEL: usize = 14;
const UNIT: usize = 10;
const TICK: usize = 7;
/// A scale spans at least this part of its largest value: what hardly changes looks so.
const LEAST_SPAN: f64 = 0.05;
/// How far a bound may stretch the scale before it is only named.
const MOST_STRETCH: f64 = 4.0;

/// Colours: light for whatever knows no better, dark where it is asked for. The background is drawn,
/// so that the chart can be read on a page of either kind.
const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;font-size:12px;fill:#59636e}
.name{font-size:15px;font-weight:600;fill:#1f2328}
.last{font-size:15px;font-weight:600;fill:#0969da}
.ground{fill:#fff;stroke:#d1d9e0}
.grid{stroke:#d1d9e0}
.bound{stroke:#bc4c00;stroke-width:1.5;stroke-dasharray:5 4}
.wanted{stroke:#1a7f37;stroke-width:1.5;stroke-dasharray:1.5 3}
.band{fill:#1a7f37;fill-opacity:.1}
.line{fill:none;stroke:#0969da;stroke-width:2;stroke-linejoin:round}
circle{fill:#0969da}
@media (prefers-color-scheme:dark){
text{fill:#9198a1}
.name{fill:#f0f6fc}
.last{fill:#4493f8}
.ground{fill:#0d1117;stroke:#3d444d}
.grid{stroke:#2f353d}
.bound{stroke:#f0883e}
.wanted{stroke:#3fb950}
.band{fill:#3fb950}
.line{stroke:#4493f8}
circle{fill:#4493f8}
}";

/// The whole picture.
pub(super) fn draw(trend: &Trend) -> String {
    let mut y = MARGIN / 2.0;
    let mut inside = String::new();
    for panel in &trend.panels {
        let _ = writeln!(inside, "<g transform=\"translate(0 {y})\">");
        y += draw_panel(&mut inside, panel, &trend.versions);
        inside.push_str("</g>\n");
    }
    for line in trend.remarks.iter().flat_map(|remark| wrapped(remark)) {
        y += LINE;
        text(&mut inside, "", "start", (MARGIN, y - 4.0), &line);
    }
    let height = y + MARGIN / 2.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"what\">\n\
         <title id=\"what\">{}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n\
         {inside}</svg>\n",
        escaped(&trend.alt()),
        WIDTH - 1.0,
        height - 1.0,
    )
}

/// Draws a metric: its name and last value, what is asked of it, the plot. Answers its height.
fn draw_panel(svg: &mut String, panel: &Panel, versions: &[String]) -> f64 {
    let scale = Scale::of(panel);
    let last = last_value(panel, versions);
    let room = WIDTH - 2.0 * MARGIN;
    let name = fitted(&panel.name, room - width(&last, NAME) - 8.0, NAME);
    text(svg, "name", "start", (MARGIN, 22.0), &name);
    text(svg, "last", "end", (WIDTH - MARGIN, 22.0), &last);
    let mut top = ABOVE;
    for line in wrapped(&said(panel, &scale)) {
        text(svg, "", "start", (MARGIN, top + 6.0), &line);
        top += LINE;
    }
    let _ = writeln!(svg, "<g transform=\"translate(0 {top})\">");
    draw_plot(svg, panel, versions, &scale);
    svg.push_str("</g>\n");
    top + PLOT + BELOW
}

fn draw_plot(svg: &mut String, panel: &Panel, versions: &[String], scale: &Scale) {
    let ticks: Vec<_> = scale.ticks().map(|tick| (scale.y(tick), brief(tick))).collect();
    let widest = ticks.iter().map(|(_, tick)| width(tick, SMALL)).fold(0.0, f64::max);
    let (left, right) = (MARGIN + widest + 8.0, WIDTH - MARGIN);
    for (y, tick) in ticks {
        rule(svg, "grid", (left, right), y);
        text(svg, "", "end", (left - 8.0, y + 4.0), &tick);
    }
    for bound in &panel.bounds {
        let shown: Vec<_> =
            bound.at.iter().filter(|at| scale.holds(**at)).map(|at| scale.y(*at)).collect();
        let class = if bound.at.len() > 1 { "wanted" } else { "bound" };
        if let [low, high] = shown[..] {
            let (y, height, width) = (high, low - high, right - left);
            let _ = writeln!(
                svg,
                "<rect class=\"band\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
                 height=\"{height:.1}\"/>"
            );
        }
        for y in shown {
            rule(svg, class, (left, right), y);
        }
    }
    // The labels of the first and the last version have their middle at its point.
    let half = |version: Option<&String>| {
        version.map_or(0.0, |version| width(&short(version, LABEL), SMALL) / 2.0)
    };
    let from = (left + 8.0).max(MARGIN / 2.0 + half(versions.first()));
    let to = right - half(versions.last()).max(8.0);
    let steps = count(versions.len().saturating_sub(1)).max(1.0);
    let x = |index: usize| from + count(index) * (to - from) / steps;
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
    }
    for at in labelled(versions, x(1) - x(0)) {
        text(svg, "", "middle", (x(at), PLOT + 18.0), &short(&versions[at], LABEL));
    }
}

/// The last value with its unit, and its version where that is not the last one. It has the digits
/// that it takes to tell it from every other value, from the bounds, and from 0 and 1.
fn last_value(panel: &Panel, versions: &[String]) -> String {
    let known = runs(&panel.values).concat();
    let Some((at, value)) = known.last() else { return String::new() };
    let values = known.iter().map(|(_, value)| *value).filter(|one| one.total_cmp(value).is_ne());
    let bounds = panel.bounds.iter().flat_map(|bound| bound.at.iter().copied());
    let others: Vec<_> = values.chain(bounds).chain([0.0, 1.0]).collect();
    let shown = format!("{} {}", apart(*value, &others), short(&panel.unit, UNIT));
    match versions.get(*at) {
        Some(version) if at + 1 < versions.len() => {
            format!("{} ({})", shown.trim_end(), short(version, LABEL))
        }
        _ => shown.trim_end().to_owned(),
    }
}

/// A round number on the scale: short, and nothing lost.
fn brief(tick: f64) -> String {
    let shown = rounded(tick);
    if shown.len() <= TICK && (tick == 0.0 || tick.abs() >= 1e-4) {
        return shown;
    }
    // Steps are added up, so the last digits of a sum are noise.
    format!("{:e}", format!("{tick:.3e}").parse().unwrap_or(tick))
}

/// What is asked of the metric, below its name.
fn said(panel: &Panel, scale: &Scale) -> String {
    let mut said: Vec<_> = panel
        .bounds
        .iter()
        .map(|bound| {
            let is_off = !bound.at.iter().all(|at| scale.holds(*at));
            format!("{}{}", bound.says, if is_off { " (off the scale)" } else { "" })
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
    let longest = versions.iter().map(|version| width(&short(version, LABEL), SMALL));
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
        for bound in panel.bounds.iter().flat_map(|bound| &bound.at) {
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
        PLOT - part * PLOT
    }

    fn holds(&self, value: f64) -> bool {
        (-0.5..=PLOT + 0.5).contains(&self.y(value))
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

fn rule(svg: &mut String, class: &str, (left, right): (f64, f64), y: f64) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
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
    text.chars().map(|c| wide(c, size)).sum()
}

fn wide(c: char, size: f64) -> f64 {
    match c {
        'M' | 'W' | 'm' | 'w' | '@' | '%' => size,
        'A'..='Z' => 0.72 * size,
        c if c.is_ascii() => 0.58 * size,
        _ => size,
    }
}

/// How many characters of a text there is room for.
fn fits(text: &str, mut room: f64, size: f64) -> usize {
    let fits = |c: &char| {
        room -= wide(*c, size);
        room >= 0.0
    };
    text.chars().take_while(fits).count()
}

/// As much of a text as there is room for.
fn fitted(text: &str, room: f64, size: f64) -> String {
    match fits(text, room, size) {
        most if most == text.chars().count() => text.to_owned(),
        // The dots are wider than most of what they stand for.
        most => short(text, most.saturating_sub(1)),
    }
}

/// A small text in lines, broken between words, or within one that is wider than a line.
fn wrapped(text: &str) -> Vec<String> {
    let room = WIDTH - 2.0 * MARGIN;
    let mut lines: Vec<String> = Vec::new();
    for mut word in text.split_whitespace() {
        if let Some(line) = lines.last_mut()
            && width(line, SMALL) + width(word, SMALL) + wide(' ', SMALL) <= room
        {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        while !word.is_empty() {
            let most = word.char_indices().nth(fits(word, room, SMALL).max(1));
            let (line, rest) = word.split_at(most.map_or(word.len(), |(at, _)| at));
            lines.push(line.to_owned());
            word = rest;
        }
    }
    lines
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
