//! How an organisation calls its repositories: a pattern that people can read, such as
//! `{team}-{project}-{model}-v{major}`.

/// A pattern for names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convention {
    /// As written.
    pub text: String,
    /// In order; no two placeholders stand side by side.
    pub parts: Vec<Part>,
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it stands.
    Text(String),
    /// `{name}`: the model's name.
    Model,
    /// `{stage}`: the stage's name.
    Stage,
    /// `{major}`: the version's major number.
    Major,
    /// Any other placeholder.
    Word {
        /// Its name.
        name: String,
        /// What it may be; empty for one word of lower-case letters and digits.
        allowed: Vec<String>,
    },
}

impl Convention {
    /// Takes a pattern apart; the error says what is wrong with it. `allowed` gives the values of a
    /// placeholder.
    pub(super) fn parse(text: &str, allowed: impl Fn(&str) -> Vec<String>) -> Result<Self, String> {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let part = if first == '{' {
                let (name, after) = rest[1..]
                    .split_once('}')
                    .ok_or_else(|| format!("`{text}` has a `{{` without its `}}`"))?;
                rest = after;
                if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                    return Err(format!("`{{{name}}}` cannot be a placeholder"));
                }
                match name {
                    "name" => Part::Model,
                    "stage" => Part::Stage,
                    "major" => Part::Major,
                    word => Part::Word { name: word.to_owned(), allowed: allowed(word) },
                }
            } else {
                let end = rest.find('{').unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                rest = after;
                let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                if let Some(bad) = literal.chars().find(|c| !fits(*c)) {
                    return Err(format!("`{bad}` can be in no repository's name"));
                }
                Part::Text(literal.to_owned())
            };
            let separates =
                |part: &Part| matches!(part, Part::Text(text) if text.starts_with(['-', '_', '.']));
            if parts.last().is_some_and(|last| !matches!(last, Part::Text(_))) && !separates(&part)
            {
                return Err(format!(
                    "`{text}` has nothing after `{}` that tells where it ends",
                    parts.last().map(Part::shown).unwrap_or_default()
                ));
            }
            parts.push(part);
        }
        if parts.iter().all(|part| matches!(part, Part::Text(_))) {
            return Err(format!("`{text}` has no placeholder: every model would have one name"));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The placeholders that may have certain values only.
    pub(super) fn allowed(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.parts.iter().filter_map(|part| match part {
            Part::Word { name, allowed } if !allowed.is_empty() => {
                Some((name.as_str(), allowed.as_slice()))
            }
            _ => None,
        })
    }
}

impl Part {
    /// As a pattern has it.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Model => "{name}".into(),
            Self::Stage => "{stage}".into(),
            Self::Major => "{major}".into(),
            Self::Word { name, .. } => format!("{{{name}}}"),
        }
    }
}
