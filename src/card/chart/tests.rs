use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;

fn trend(panels: Vec<Panel>, versions: usize) -> Trend {
    let versions = (0..versions).map(|minor| format!("1.{minor}.0")).collect();
    Trend { versions, panels, remarks: Vec::new() }
}

fn panel(name: &str, values: &[Option<f64>], bounds: &[(&'static str, f64)]) -> Panel {
    Panel { name: name.into(), values: values.to_vec(), bounds: bounds.to_vec(), better: None }
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
fn a_scale_has_round_ticks_and_makes_nothing_of_noise() {
    let ticks = |values: &[f64], bounds: &[(&'static str, f64)]| -> Vec<String> {
        let values: Vec<_> = values.iter().copied().map(Some).collect();
        Scale::of(&panel("x", &values, bounds)).ticks().map(rounded).collect()
    };
    assert_eq!(ticks(&[0.90, 0.95], &[]), ["0.9", "0.95"]);
    assert_eq!(ticks(&[0.71, 0.84], &[("≥", 0.6)]), ["0.6", "0.8", "1"]);
    assert_eq!(ticks(&[-3.0, 4.0], &[]), ["-5", "0", "5"]);
    assert_eq!(ticks(&[0.0, 0.0], &[]), ["-0.5", "0", "0.5"]);
    assert_eq!(ticks(&[1e300, -1e300], &[]), ["-1e300", "0", "1e300"]);
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
            prop_assert!((TOP - 0.5..=BOTTOM + 0.5).contains(&y), "{} in {}", y, svg);
        }
        let shown = elements.last().expect("the remark").text.clone();
        let visible = |text: &str| text.chars().filter(char::is_ascii_graphic).collect::<String>();
        if known > 0 {
            prop_assert_eq!(visible(&shown), visible(&name));
        }
    }
}
