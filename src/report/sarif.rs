//! SARIF 2.1.0, as GitHub code scanning takes it: relative addresses, lines from 1, fingerprints.
//! <https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::digest::Digest;
use crate::finding::{Emergency, Finding, Level, Rule};

/// What stays as it is in the path of an address.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Results GitHub takes in one run.
const MOST_RESULTS: usize = 25_000;

/// The log. A finding without a place stands at the first line of `policy`, because results
/// without a place are not shown.
pub(super) fn render(findings: &[&Finding], policy: &str, emergency: Option<&Emergency>) -> Value {
    let mut rules: Vec<&'static Rule> = findings.iter().map(|finding| finding.rule).collect();
    rules.sort_by_key(|rule| rule.id);
    rules.dedup_by_key(|rule| rule.id);
    let results: Vec<_> =
        findings.iter().take(MOST_RESULTS).map(|one| result(one, policy, emergency)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "weighbridge",
                "informationUri": "https://github.com/weighbridge/weighbridge",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_iter().map(descriptor).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": "weighbridge/"},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn descriptor(rule: &'static Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": sentence(rule.summary)},
        "fullDescription": {"text": sentence(rule.reason)},
        "help": {"text": format!("{} {}", sentence(rule.reason), sentence(rule.fix))},
        "defaultConfiguration": {"level": rule.level.as_str()},
        "properties": {"tags": ["model-release"], "precision": "high", "problem.severity": severity(rule.level)},
    })
}

fn result(finding: &Finding, policy: &str, emergency: Option<&Emergency>) -> Value {
    let path = finding.at.path.as_deref().filter(|path| !path.is_empty()).unwrap_or(policy);
    let mut region = json!({"startLine": finding.at.line.unwrap_or(1)});
    if let Some(column) = finding.at.column {
        region["startColumn"] = json!(column);
    }
    let print =
        Digest::of(format!("{} {} {}", finding.rule.id, finding.at, finding.message).as_bytes());
    let mut result = json!({
        "ruleId": finding.rule.id,
        "level": finding.level.as_str(),
        "message": {"text": format!("{} Fix: {}", sentence(&finding.message), finding.fix)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": utf8_percent_encode(path.trim_start_matches('/'), PATH).to_string()},
            "region": region,
        }}],
        "partialFingerprints": {"primaryLocationLineHash": format!("{}:1", &print.to_string()[..16])},
    });
    if let Some(emergency) = emergency.filter(|_| finding.passed_over) {
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": format!("{}: {}", emergency.by().join(", "), emergency.reason()),
        }]);
    }
    result
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "recommendation",
    }
}

/// First letter upper case, a full stop at the end, as SARIF viewers expect.
fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let rest = letters.as_str();
    let stop = if rest.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    format!("{first}{rest}{stop}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Location;
    use crate::report::commands::tests::RULE;

    #[test]
    fn every_result_has_a_place_a_rule_and_a_print() {
        let findings = [
            Finding::new(&RULE, "no place", Location::release()),
            Finding::new(&RULE, "a place", Location::line("a b/é.txt", 7)),
        ];
        let log = render(&findings.iter().collect::<Vec<_>>(), "weighbridge.yml", None);
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"].as_array().map(Vec::len), Some(1));
        let place = |index: usize| &run["results"][index]["locations"][0]["physicalLocation"];
        assert_eq!(place(0)["artifactLocation"]["uri"], "weighbridge.yml");
        assert_eq!(place(1)["artifactLocation"]["uri"], "a%20b/%C3%A9.txt");
        assert_eq!(place(1)["region"]["startLine"], 7);
        assert!(run["results"][1]["partialFingerprints"]["primaryLocationLineHash"].is_string());
    }
}
