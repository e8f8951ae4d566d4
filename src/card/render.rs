//! The template: minijinja, strict about names, bounded in work, escaping whatever it prints.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::CardError;
use super::facts::Facts;
use crate::markdown;

const BUILT_IN: &str = include_str!("template.md.j2");
/// Name by which a template of the user's extends the built-in one.
const BUILT_IN_NAME: &str = "weighbridge";
/// Name under which errors speak of the user's template.
const OWN_NAME: &str = "the card template";
/// Steps that a template may take; the built-in one needs some thousands.
const FUEL: u64 = 2_000_000;

/// The blocks that a card has, in order; a README gets those that it has no place for at its end.
pub(super) const BLOCKS: [&str; 11] = [
    "summary",
    "statements",
    "metrics",
    "usage",
    "details",
    "training",
    "files",
    "verify",
    "provenance",
    "license",
    "history",
];

/// The whole card without its front matter.
pub(super) fn whole(facts: &Facts, template: Option<&str>) -> Result<String, CardError> {
    let environment = environment(template)?;
    let template =
        environment.get_template(name(template)).map_err(|error| CardError::template(&error))?;
    template
        .render(Value::from(Serde(facts)))
        .map(|text| tidy(&text))
        .map_err(|error| CardError::template(&error))
}

/// The named blocks of the card, each on its own: those of [`BLOCKS`] that the template has.
pub(super) fn blocks(
    facts: &Facts,
    template: Option<&str>,
) -> Result<Vec<(&'static str, String)>, CardError> {
    let environment = environment(template)?;
    let source =
        environment.get_template(name(template)).map_err(|error| CardError::template(&error))?;
    let mut captured = source
        .render_captured(Value::from(Serde(facts)))
        .map_err(|error| CardError::template(&error))?;
    let mut blocks = Vec::new();
    for block in BLOCKS {
        match captured.with_state_mut(|state| state.render_block(block)) {
            Ok(text) => blocks.push((block, tidy(&text))),
            Err(error) if error.kind() == minijinja::ErrorKind::UnknownBlock => {}
            Err(error) => return Err(CardError::template(&error)),
        }
    }
    Ok(blocks)
}

fn name(template: Option<&str>) -> &'static str {
    if template.is_some() { OWN_NAME } else { BUILT_IN_NAME }
}

fn environment(template: Option<&str>) -> Result<Environment<'_>, CardError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| CardError::template(&error))?);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    environment.set_formatter(|out, _, value| {
        if value.is_none() {
            return Ok(());
        }
        if value.is_safe() {
            out.write_str(&value.to_string())?;
        } else {
            out.write_str(&markdown::text(&value.to_string()))?;
        }
        Ok(())
    });
    let safe = |text: String| Value::from_safe_string(text);
    environment.add_filter("code", move |text: String| safe(markdown::code(&text)));
    environment.add_filter("link", move |text: String| safe(markdown::link(&text)));
    environment
        .add_template(BUILT_IN_NAME, BUILT_IN)
        .map_err(|error| CardError::template(&error))?;
    if let Some(template) = template {
        environment
            .add_template(OWN_NAME, template)
            .map_err(|error| CardError::template(&error))?;
    }
    Ok(environment)
}

/// At most one blank line in a row outside of code, none at the ends, a line break at the end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<String> = None;
    let mut blank = false;
    for line in text.trim().lines() {
        let mark: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if *open == line.trim_end() => fence = None,
            None if mark.len() >= 3 => fence = Some(mark),
            _ => {}
        }
        if line.trim().is_empty() && fence.is_none() {
            blank = true;
            continue;
        }
        if std::mem::take(&mut blank) {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_outside_of_code_are_tidied() {
        assert_eq!(
            tidy("\n\na\n\n\n\nb\n```\nx\n\n\ny\n```\n\n\n"),
            "a\n\nb\n```\nx\n\n\ny\n```\n"
        );
    }
}
