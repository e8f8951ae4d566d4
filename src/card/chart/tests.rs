use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::trend::Bound;
use super::*;

fn trend(panels: Vec<Panel>, versions: usize) -> Trend {
    let versions = (0..versions).map(|minor| format!("1.{minor}.0")).collect();
    Trend { versions, panels, remarks: Vec::new() }
}

fn panel(name: &str, values: &[Option<f64>], bounds: &[(&'static str, f64)]) -> Panel {
    let bound =
        |(word, at): &(&str, f64)| Bound { says: format!("{word} {}", show(*at)), at: vec![*at] };
    Panel {
        name: name.into(),
        values: values.to_vec(),
        unit: String::new(),
        in_other_unit: 0,
        bounds: bounds.iter().map(bound).collect(),
        better: None,
    }
}

/// An element: its name, its attributes and the text in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn number(&self, key: &str) -> f64 {
        let found = self.attributes.iter().find(|(name, _)| name == key);
        found.expect(key).1.parse().expect("a number")
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.attributes.iter().any(|(name, is)| name == key && is == value)
    }
}

/// Every element of a picture, in order; panics on what is no well-formed XML.
fn elements(svg: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(svg);
    reader.config_mut().check_end_names = true;
    let (mut elements, mut open): (Vec<Element>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        let event = reader.read_event().expect("XML");
        match event {
            Event::Eof => break,
            Event::Start(ref start) | Event::Empty(ref start) => {
                let name = start.name().as_ref().to_owned();
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.expect("an attribute");
                    let key = attribute.key.as_ref().to_owned();
                    (key, attribute.value.into_owned())
                });
                elements.push(Element {
                    name,
                    attributes: attributes.collect(),
                    ..Element::default()
                });
                if matches!(event, Event::Start(_)) {
                    open.push(elements.len() - 1);
                }
            }
            Event::End(_) => drop(open.pop().expect("opened")),
            Event::Text(text) => {
                if let Some(at) = open.last() {
                    elements[*at].text.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                let c = match &*reference {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    other => panic!("&{other};"),
                };
                if let Some(at) = open.last() {
                    elements[*at].text.push(c);
                }
            }
            other => panic!("{other:?} in {svg}"),
        }
    }
    assert!(open.is_empty());
    elements
}

fn texts(elements: &[Element]) -> Vec<&str> {
    elements.iter().filter(|one| one.name == "text").map(|one| one.text.as_str()).collect()
}

#[test]
fn points_are_in_order_and_the_last_is_labelled() {
    let values = [Some(0.90), Some(0.95), None, Some(0.92), Some(0.94)];
    let svg = draw(&trend(vec![panel("f1", &values, &[("≥", 0.88)])], 5));
    let elements = elements(&svg);
    let points: Vec<_> = elements.iter().filter(|one| one.name == "circle").collect();
    let x: Vec<_> = points.iter().map(|point| point.number("cx")).collect();
    assert!(x.is_sorted() && x.len() == 4, "{x:?}");
    let y: Vec<_> = points.iter().map(|point| point.number("cy")).collect();
    assert!(y[1] < y[3] && y[3] < y[2] && y[2] < y[0], "higher is further up: {y:?}");
    let apart = (y[0] - y[1]) / (y[2] - y[3]);
    assert!((apart - 2.5).abs() < 0.05, "five hundredths are two and a half times two: {apart}");
    let titles: Vec<_> = elements.iter().filter(|one| one.name == "title").skip(1).collect();
    assert_eq!(titles[1].text, "1.1.0: 0.95");
    let last: Vec<_> = elements.iter().filter(|one| one.is("class", "last")).collect();
    assert!(last.len() == 1 && last[0].text == "0.94" && last[0].number("x") > x[3]);
    let lines = elements.iter().filter(|one| one.name == "polyline").count();
    assert_eq!(lines, 2, "a version without the number breaks the line");
    let shown = texts(&elements);
    for label in ["f1", "≥ 0.88", "1.0.0", "1.2.0", "1.4.0"] {
        assert!(shown.contains(&label), "{label} in {shown:?}");
    }
}

#[test]
fn bounds_are_lines_on_the_scale_or_said_to_be_off_it() {
    let values = [Some(0.90), Some(0.95)];
    let near = elements(&draw(&trend(vec![panel("f1", &values, &[("≥", 0.88)])], 2)));
    let bound = near.iter().find(|one| one.is("class", "bound")).expect("a line");
    let lowest = near.iter().filter(|one| one.name == "circle").map(|one| one.number("cy"));
    assert!(bound.number("y1") > lowest.fold(0.0, f64::max), "0.88 is below 0.9");
    let far = elements(&draw(&trend(vec![panel("ms", &values, &[("≤", 90.0)])], 2)));
    assert!(!far.iter().any(|one| one.is("class", "bound")));
    assert!(texts(&far).contains(&"≤ 90 (off the scale)"), "{:?}", texts(&far));
}

#[test]
fn a_target_is_a_band_of_its_own() {
    let mut one = panel("f1", &[Some(0.8), Some(1.0)], &[("≥", 0.75)]);
    one.bounds.push(Bound { says: "wanted 0.9 ± 0.2".into(), at: vec![0.7, 1.1] });
    let elements = elements(&draw(&trend(vec![one], 2)));
    let shown = texts(&elements);
    assert!(shown.contains(&"≥ 0.75, wanted 0.9 ± 0.2"), "{shown:?}");
    let of = |class| elements.iter().filter(|one| one.is("class", class)).collect::<Vec<_>>();
    let (bound, wanted, band) = (of("bound"), of("wanted"), of("band"));
    assert_eq!((bound.len(), wanted.len(), band.len()), (1, 2, 1));
    let y = |line: &Element| line.number("y1");
    assert!(y(wanted[0]) > y(bound[0]) && y(bound[0]) > y(wanted[1]));
    assert!((band[0].number("y") - y(wanted[1])).abs() < 0.11);
    assert!((band[0].number("height") - (y(wanted[0]) - y(wanted[1]))).abs() < 0.11);
}

#[test]
fn numbers_are_not_rounded_into_others() {
    for (values, bounds, name, said) in [
        (&[0.99, 0.999_97][..], &[("≥", 0.999_99)][..], "0.99997", "≥ 0.99999"),
        (&[0.5, 0.999_970_000_000_1], &[], "0.99997", ""),
        (&[0.947_368_421_052_6, 0.947_368_421_052_7], &[], "0.9474", ""),
        (&[0.947_368_421_052_7, 0.947_368_421_052_6], &[], "0.947368", ""),
        (&[0.947_368_421_052_6, 0.9], &[], "0.9", ""),
        (&[0.9, 0.947_368_421_052_6], &[], "0.9474", ""),
        (&[1.0, 123_556_789.75], &[("≤", 123_556_789.5)], "123556790", "≤ 123556789.5"),
    ] {
        let values: Vec<_> = values.iter().copied().map(Some).collect();
        let elements = elements(&draw(&trend(vec![panel("a", &values, bounds)], values.len())));
        let last = elements.iter().find(|one| one.is("class", "last")).expect("a value");
        assert_eq!(last.text, name);
        assert!(said.is_empty() || texts(&elements)[2].starts_with(said), "{:?}", texts(&elements));
    }
}

#[test]
fn the_last_value_has_its_unit_and_says_of_which_version_it_is() {
    let mut one = panel("latency", &[Some(1.0), Some(1.25), None], &[]);
    one.unit = "s".into();
    let elements = elements(&draw(&trend(vec![one], 3)));
    let last = elements.iter().find(|one| one.is("class", "last")).expect("a value");
    assert_eq!(last.text, "1.25 s (1.1.0)");
}

/// Every text lies within the picture, however long names and numbers are, and none is on another.
#[test]
fn nothing_is_cut() {
    let values = [Some(1.236e9), Some(123_556_789.75)];
    let bounds = [("≥", 0.123_456_789_012_345_67), ("≤", 1.3e9), ("wanted", -2.5e-300)];
    let long = Panel { better: Some(Direction::Higher), ..panel("accuracy", &values, &bounds) };
    let tiny = panel("loss", &[Some(-1.5e-300), Some(-1.234_567_890_123e-300)], &[]);
    let wide = panel(&"W".repeat(200), &[Some(1.0), Some(2.0)], &[]);
    let versions = vec!["1.0.0-rc.1+build.7".into(), "11.10.0-rc.1+build.8".into()];
    let remarks = vec![format!("No release record to read: {}.", "1.0.0-alpha.1, ".repeat(9))];
    let elements = elements(&draw(&Trend { versions, panels: vec![long, tiny, wide], remarks }));
    assert!(texts(&elements).contains(&"accuracy"), "{:?}", texts(&elements));
    for one in elements.iter().filter(|one| one.name == "text") {
        let size = if one.is("class", "name") || one.is("class", "last") { NAME } else { SMALL };
        let (x, wide) = (one.number("x"), width(&one.text, size));
        let before = match one.attributes.iter().find(|(key, _)| key == "text-anchor") {
            Some((_, anchor)) if anchor == "middle" => wide / 2.0,
            Some((_, anchor)) if anchor == "end" => wide,
            _ => 0.0,
        };
        let (from, to) = (x - before, x - before + wide);
        assert!(from >= 6.0 && to <= WIDTH - 6.0, "{from} to {to}: {one:?}");
    }
}

#[test]
fn a_scale_has_round_ticks_and_makes_nothing_of_noise() {
    let ticks = |values: &[f64], bounds: &[(&'static str, f64)]| -> Vec<String> {
        let values: Vec<_> = values.iter().copied().map(Some).collect();
        Scale::of(&panel("x", &values, bounds)).ticks().map(brief).collect()
    };
    assert_eq!(ticks(&[0.90, 0.95], &[]), ["0.9", "0.95"]);
    assert_eq!(ticks(&[0.71, 0.84], &[("≥", 0.6)]), ["0.6", "0.8", "1"]);
    assert_eq!(ticks(&[-3.0, 4.0], &[]), ["-5", "0", "5"]);
    assert_eq!(ticks(&[0.0, 0.0], &[]), ["-0.5", "0", "0.5"]);
    assert_eq!(ticks(&[1e300, -1e300], &[]), ["-1e300", "0", "1e300"]);
    assert_eq!(ticks(&[1.2e8, 1.3e8], &[]), ["1.2e8", "1.25e8", "1.3e8"]);
    assert_eq!(ticks(&[0.000_031, 0.000_034], &[]), ["3e-5", "3.2e-5", "3.4e-5"]);
    let noise = Scale::of(&panel("x", &[Some(0.9501), Some(0.9502)], &[]));
    assert!((noise.y(0.9501) - noise.y(0.9502)).abs() < 0.5, "a ten thousandth is flat");
}

#[test]
fn labels_of_versions_do_not_overlap() {
    for versions in 2..31 {
        let values = vec![Some(1.0); versions];
        let elements = elements(&draw(&trend(vec![panel("a", &values, &[])], versions)));
        let labels: Vec<_> =
            elements.iter().filter(|one| one.is("text-anchor", "middle")).collect();
        assert!(labels.first().expect("one").text.ends_with(&format!("{}.0", versions - 1)));
        for pair in labels.windows(2) {
            let apart = pair[0].number("x") - pair[1].number("x");
            assert!(apart >= width(&pair[0].text, 12.0) + 8.0, "{versions}: {apart}");
        }
    }
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let svg = draw(&trend(vec![panel("a", &[Some(1.0), Some(2.0)], &[])], 2));
    assert!(svg.contains("prefers-color-scheme:dark"));
    let known = ["svg", "title", "style", "rect", "g", "text", "line", "polyline", "circle"];
    for element in elements(&svg) {
        assert!(known.contains(&element.name.as_str()), "{element:?}");
        for (key, value) in element.attributes {
            let address = value.contains(':') && key != "xmlns";
            assert!(!key.starts_with("on") && !key.contains("href") && !address, "{key}={value}");
        }
    }
}

/// Lines of text before the remarks.
fn lines_before(trend: &Trend) -> usize {
    let without = Trend { remarks: Vec::new(), ..trend.clone() };
    texts(&elements(&draw(&without))).len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_name_and_any_number_give_a_picture(
        name in "(?s)(\\PC|.|<|&|\"|]]>|<!--|<script>|\u{202E}){0,40}",
        values in proptest::collection::vec(proptest::option::of(proptest::num::f64::NORMAL), 2..31),
        bound in proptest::num::f64::NORMAL,
    ) {
        let count = values.len();
        let trend = Trend { remarks: vec![name.clone()], ..trend(vec![panel(&name, &values, &[("≤", bound)])], count) };
        let svg = draw(&trend);
        prop_assert_eq!(&svg, &draw(&trend));
        let elements = elements(&svg);
        let points = elements.iter().filter(|one| one.name == "circle");
        let known = values.iter().flatten().count();
        prop_assert_eq!(points.clone().count(), known);
        for point in points {
            let y = point.number("cy");
            prop_assert!((-0.5..=PLOT + 0.5).contains(&y), "{} in {}", y, svg);
        }
        // The last lines are the remark: nothing of it is left out.
        let shown: String = texts(&elements).split_off(lines_before(&trend)).concat();
        let visible = |text: &str| text.chars().filter(char::is_ascii_graphic).collect::<String>();
        prop_assert_eq!(visible(&shown), visible(&name));
    }
}
