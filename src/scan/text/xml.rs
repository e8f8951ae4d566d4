//! XML: PMML, OpenVINO and their kin need no entities.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::finding::{Level, Rule};
use crate::scan::Detection;

pub(in crate::scan) const ENTITY: Rule = Rule {
    id: "xml-entity",
    level: Level::Error,
    summary: "XML that declares entities or reads other files",
    reason: "Parsers that resolve them read files, open addresses or run out of memory.",
    fix: "remove the DOCTYPE",
    example: "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>",
};

/// Declarations of entities, and scripts in what a browser would show.
pub(super) fn scan(text: &str) -> Vec<Detection> {
    let mut reader = Reader::from_str(text);
    let mut found = Vec::new();
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event() {
            Ok(Event::DocType(declared)) => {
                let declared = declared.to_string();
                let elsewhere = (declared.contains("SYSTEM") || declared.contains("PUBLIC"))
                    && !declared.contains("www.w3.org");
                if declared.contains("<!ENTITY") || elsewhere {
                    found.push(on(
                        text,
                        at,
                        "it declares entities, or reads a declaration from elsewhere",
                    ));
                }
            }
            Ok(Event::Start(tag) | Event::Empty(tag))
                if tag.local_name().as_ref().eq_ignore_ascii_case("include")
                    && tag.name().as_ref().starts_with("xi:") =>
            {
                found.push(on(text, at, "it includes another file"));
            }
            Ok(Event::Eof) => break,
            // Markup that is no XML (HTML) ends here; entities are declared before anything else.
            Err(_) => break,
            Ok(_) => {}
        }
        if found.len() > 10 {
            break;
        }
    }
    found
}

fn on(text: &str, at: usize, message: &str) -> Detection {
    let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    Detection::on_line(&ENTITY, message, u32::try_from(line).unwrap_or(u32::MAX), 1)
}
