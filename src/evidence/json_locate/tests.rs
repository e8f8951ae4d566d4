use super::*;

fn text<'a>(json: &'a str, pointer: &str) -> &'a str {
    locate(json, pointer).expect(pointer).text
}

fn wrong(json: &str, pointer: &str) -> String {
    locate(json, pointer).expect_err(pointer).to_string()
}

#[test]
fn the_pointers_of_rfc_6901() {
    // Section 5 of the RFC.
    let json = r#"{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
        "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}"#;
    assert_eq!(text(json, ""), json);
    for (pointer, value) in [
        ("/foo", r#"["bar", "baz"]"#),
        ("/foo/0", "\"bar\""),
        ("/", "0"),
        ("/a~1b", "1"),
        ("/c%d", "2"),
        ("/e^f", "3"),
        ("/g|h", "4"),
        ("/i\\j", "5"),
        ("/k\"l", "6"),
        ("/ ", "7"),
        ("/m~0n", "8"),
    ] {
        assert_eq!(text(json, pointer), value, "{pointer}");
    }
    assert!(wrong(json, "foo").contains("is not a JSON Pointer"));
    assert!(wrong(json, "/m~2").contains("is not a JSON Pointer"));
}

#[test]
fn the_place_is_the_value_not_its_namesake() {
    let json = "\u{FEFF}{\"note\": \"\\\"f1\\\": 0.1\",\n \"other\": {\"f1\": 0.2},\n \"f1\": 0.9}";
    let found = locate(json, "/f1").expect("there");
    assert_eq!((found.text, &json[found.offset..=found.offset]), ("0.9", "0"));
    assert_eq!(found.offset, json.rfind("0.9").expect("there"));
}

#[test]
fn pythons_literals_are_values() {
    let json = "[NaN, Infinity, -Infinity, -1.5e-3, true, null]";
    for (index, kind) in
        [Kind::NotFinite, Kind::NotFinite, Kind::NotFinite, Kind::Number, Kind::Bool, Kind::Null]
            .into_iter()
            .enumerate()
    {
        assert_eq!(locate(json, &format!("/{index}")).expect("there").kind, kind);
    }
}

#[test]
fn a_wrong_pointer_is_told_what_is_there() {
    let json = r#"{"eval": {"acc": 1, "f1": [0.5]}}"#;
    assert_eq!(
        wrong(json, "/eval/auc"),
        "`/eval/auc` leads nowhere: there is no `auc` in the object of acc, f1"
    );
    assert!(wrong(json, "/eval/f1/1").contains("no `1` in the list of 1"));
    assert!(wrong(json, "/eval/f1/00").contains("no `00` in the list of 1"));
    assert!(wrong(json, "/eval/f1/-").contains("no `-`"));
    assert!(wrong(json, "/eval/acc/x").contains("there is no `x` in `1`"));
    assert!(wrong("{}", "/a").contains("an empty object"));
}

#[test]
fn a_name_that_stands_twice_is_ambiguous() {
    let json = r#"{"f1": 0.1, "a": {"f1": 2, "f1": 3}, "\u0066\u0031": 0.9}"#;
    assert!(wrong(json, "/f1").contains("stands twice"));
    assert_eq!(text(r#"{"a": {"x": 1, "x": 2}, "b": 3}"#, "/b"), "3", "not on the way");
}

#[test]
fn what_is_not_json_is_refused_whole() {
    for bad in [
        "",
        "{",
        "{\"a\": 1",
        "[1,]",
        "{\"a\" 1}",
        "{a: 1}",
        "01",
        "1.",
        "1e",
        "-",
        "+1",
        "nul",
        "\"\\x\"",
        "\"a\nb\"",
        "1 2",
        "{\"a\": 1} x",
        "[1 2]",
        "'a'",
        "Nan",
    ] {
        let error = locate(bad, "").expect_err(bad);
        assert!(matches!(error, LocateError::Syntax { .. }), "{bad}: {error}");
    }
    assert!(wrong(&"[".repeat(100_000), "").contains("nested deeper"));
    let cut = "{\"f1\": 0.9, \"rest\": [1, 2";
    assert!(matches!(locate(cut, "/f1"), Err(LocateError::Syntax { .. })), "a cut file");
}

proptest::proptest! {
    #[test]
    fn what_serde_json_reads_is_found_equal(
        names in proptest::collection::vec("(?s).{0,6}", 1..5),
        value in proptest::num::f64::NORMAL,
    ) {
        let mut json = serde_json::json!(value);
        for name in names.iter().rev() {
            json = serde_json::json!({ name: json, "another": [1, {"x": null}] });
        }
        let mut pointer = String::new();
        for name in &names {
            pointer.push('/');
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        }
        proptest::prop_assume!(names.iter().all(|name| name != "another"));
        let text = serde_json::to_string_pretty(&json).expect("serialises");
        let found = locate(&text, &pointer).expect("there");
        proptest::prop_assert_eq!(found.text.parse::<f64>().ok(), Some(value));
    }

    #[test]
    fn any_text_is_judged(json in "[\\[\\]{}\",:0-9eE.+\\-nultrefasNIiy \\\\]{0,60}") {
        let ours = locate(&json, "").is_ok();
        if serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok() {
            proptest::prop_assert!(ours);
        }
    }
}
