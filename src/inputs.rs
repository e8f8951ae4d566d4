//! The command line, and the action's inputs that stand in for it: both end in the same values.
//!
//! A container action gets no arguments: everything arrives as `INPUT_*` (see [`Settings::fill`]).
//! A secret has no flag, so that it can never stand in a process list.

mod audit_log;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::finding::Level;

pub use audit_log::{Append, AuditLog, AuditLogCommand, LogPlace, Show, Verify};

/// Names of the action's inputs, in the order of `action.yml` (a test compares the two).
pub const ACTION_INPUTS: [&str; 16] = [
    "mode",
    "policy",
    "model",
    "tag",
    "shard",
    "parts",
    "part-digests",
    "dry-run",
    "emergency",
    "audit-since",
    "hf-token",
    "hf-endpoint",
    "github-token",
    "check-name",
    "report-dir",
    "timeout",
];

/// The release gate between training pipelines and the Hugging Face Hub.
#[derive(Debug, Parser)]
#[command(name = "weighbridge", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct CommandLine {
    /// What to do; without it, the mode is chosen from the CI event.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  weighbridge rehearse --tag v0.1.0      a whole release against an embedded Hub, no account
  weighbridge check                      weigh the model of ./weighbridge.yml, write nothing
  weighbridge release --dry-run          what a release would do, step by step
  weighbridge scan model/ --format json  the scanner alone
  weighbridge card --preview card.html   the model card as the Hub will show it

Exit codes: 0 pass, 1 blocked by findings, 2 could not do its work.";

/// The commands; the action's `mode` input has the same names.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Weigh the model: the policy's test command, inventory, evidence, gates, report. Sends nothing to
    /// the Hub, needs no secret.
    Check(Settings),
    /// Weigh the model and publish it as the version of the tag.
    Release(Settings),
    /// Weigh one share of the files and bring it to the Hub, where nobody sees it before the release:
    /// one of several jobs, whose parts `release --parts` takes.
    Stage(Stage),
    /// A whole release against an embedded Hub on loopback: no account, no network.
    Rehearse(Rehearse),
    /// The embedded Hub alone, until interrupted.
    Hub(Serve),
    /// The scanner alone, on files and folders.
    Scan(Scan),
    /// The model card alone: of a folder with a policy, or any existing card.
    Card(Card),
    /// The audit log of the organisation: check its chain, show it, add a record that was kept.
    AuditLog(AuditLog),
    /// The models of the policy as a Markdown table: places, newest versions, licences, owners.
    Catalogue(Settings),
    /// The effective policy, each value with where it comes from.
    Explain(Settings),
    /// The JSON Schema of weighbridge.yml.
    Schema {
        /// How to print it.
        #[arg(long, value_enum, default_value_t = SchemaFormat::Json)]
        format: SchemaFormat,
    },
    /// The rules: every thing a gate can say.
    Rules {
        /// How to print them.
        #[arg(long, value_enum, default_value_t = RulesFormat::Text)]
        format: RulesFormat,
    },
}

/// What `check`, `release`, `catalogue` and `explain` take, and others beside their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Settings {
    /// The policy file [default: weighbridge.yml].
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The model, where the policy has several and no tag names one.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// The release's tag, where the CI event does not name it.
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Folder of the parts that `stage` jobs wrote, which stand for the model's files: these need not be
    /// here, and are not sent.
    #[arg(long, value_name = "DIR")]
    pub parts: Option<PathBuf>,
    /// The digests that the `stage` jobs gave out: a JSON object, or the digests with blanks between.
    #[arg(long, value_name = "DIGESTS", requires = "parts")]
    pub part_digests: Option<String>,
    /// Print the plan and stop before anything is sent to the Hub. The policy's test command runs.
    #[arg(long)]
    pub dry_run: bool,
    /// Pass over the gates that the policy's `emergency` lists, for this reason: only in a run that
    /// somebody listed there started by hand.
    #[arg(long, value_name = "REASON")]
    pub emergency: Option<String>,
    /// The Hub [default: $HF_ENDPOINT, else the policy's, else https://huggingface.co]. A token goes to the
    /// policy's alone; where the policy names none, to https://huggingface.co or this machine.
    #[arg(long, value_name = "URL")]
    pub hf_endpoint: Option<String>,
    /// Name of the check run on GitHub [default: weighbridge].
    #[arg(long, value_name = "NAME")]
    pub check_name: Option<String>,
    /// Where report.json and report.sarif go [default: on GitHub the runner's temporary folder,
    /// elsewhere one below the user's cache].
    #[arg(long, value_name = "DIR")]
    pub report_dir: Option<PathBuf>,
    /// Longest time the whole run may take, in minutes [default: 120].
    #[arg(long, value_name = "MINUTES")]
    pub timeout: Option<u32>,
    /// What standard output gets [default: text].
    #[arg(long, value_enum)]
    pub format: Option<OutputFormat>,
}

/// What `stage` takes.
#[derive(Debug, Clone, Args)]
pub struct Stage {
    /// Which share of how many, such as 3/8.
    #[arg(long, value_name = "NUMBER/OF")]
    pub shard: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would print it as the group's help")]
    pub settings: Settings,
}

/// What `rehearse` takes.
#[derive(Debug, Clone, Args)]
pub struct Rehearse {
    /// Folder with the weighbridge.yml [default: .].
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Keep the embedded Hub up afterwards, until interrupted.
    #[arg(long)]
    pub serve: bool,
    /// Where the embedded Hub keeps its repositories [default: a folder below the user's
    /// cache, the same for every rehearsal of one DIR].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would print it as the group's help")]
    pub settings: Settings,
}

/// Where `hub` listens if nothing else is said.
pub const HUB_ADDR: &str = "127.0.0.1:8420";

/// What `hub` takes.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = HUB_ADDR)]
    pub addr: std::net::SocketAddr,
    /// Where repositories are kept [default: a new temporary folder].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// What `scan` takes.
#[derive(Debug, Clone, Args)]
pub struct Scan {
    /// Files and folders.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = ScanFormat::Text)]
    pub format: ScanFormat,
    /// Tell step by step what the pickles in the files do.
    #[arg(long)]
    pub explain: bool,
    /// Findings of this level or above make the exit code 1.
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    pub fail_on: FailOn,
}

/// What `card` takes.
#[derive(Debug, Clone, Args)]
pub struct Card {
    /// A folder with a weighbridge.yml or a README.md, or a card.
    #[arg(default_value = ".", value_name = "PATH")]
    pub path: PathBuf,
    /// Write the generated parts into the README.md; what people wrote stays, byte for byte.
    #[arg(long)]
    pub write: bool,
    /// With `--write`: replace a README.md that weighbridge did not generate.
    #[arg(long, requires = "write")]
    pub force: bool,
    /// Say what is wrong with the card and what is missing (the default; exit code 1 on errors).
    #[arg(long, conflicts_with = "write")]
    pub check: bool,
    /// Write a page that shows the card as the Hub will.
    #[arg(long, value_name = "FILE")]
    pub preview: Option<PathBuf>,
    /// Fewest points of 100 that pass.
    #[arg(long, value_name = "POINTS", default_value_t = 0)]
    pub least: u32,
    /// The policy and the model in it.
    #[command(flatten)]
    pub settings: Settings,
}

/// Formats of `check`, `release`, `rehearse`, `catalogue` and `explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Text,
    /// One JSON object, the same as report.json; for `catalogue` and `explain` an array.
    Json,
}

/// Formats of `scan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScanFormat {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0.
    Sarif,
}

/// Formats of `rules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// For a terminal.
    Text,
    /// As docs/rules.md.
    Markdown,
    /// The scanned formats, as docs/formats.md.
    Formats,
}

/// Formats of `schema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaFormat {
    /// JSON Schema 2020-12, for editors.
    Json,
    /// Every key as a page, as docs/policy-keys.md.
    Markdown,
}

/// The level from which `scan` fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Notes too.
    Note,
    /// Warnings and errors.
    Warning,
    /// Errors only.
    Error,
}

impl From<FailOn> for Level {
    fn from(level: FailOn) -> Self {
        match level {
            FailOn::Note => Self::Note,
            FailOn::Warning => Self::Warning,
            FailOn::Error => Self::Error,
        }
    }
}

/// An input whose value makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("input `{name}` is `{value}`: expected {expected}")]
pub struct BadInput {
    name: &'static str,
    value: String,
    expected: &'static str,
}

impl crate::failure::Advise for BadInput {
    fn fix(&self) -> Option<String> {
        Some(format!("set `{}:` under `with:` to {}, or remove it", self.name, self.expected))
    }
}

impl Settings {
    /// Fills what the command line left open from the action's inputs; `input` looks one up by
    /// its name in `action.yml`.
    pub fn fill<'a>(&mut self, input: impl Fn(&str) -> Option<&'a str>) -> Result<(), BadInput> {
        let text = |slot: &mut Option<String>, name| {
            if slot.is_none() {
                *slot = input(name).map(str::to_owned);
            }
        };
        text(&mut self.model, "model");
        text(&mut self.tag, "tag");
        text(&mut self.emergency, "emergency");
        text(&mut self.hf_endpoint, "hf-endpoint");
        text(&mut self.check_name, "check-name");
        text(&mut self.part_digests, "part-digests");
        self.parts = self.parts.take().or_else(|| input("parts").map(PathBuf::from));
        self.policy = self.policy.take().or_else(|| input("policy").map(PathBuf::from));
        self.report_dir = self.report_dir.take().or_else(|| input("report-dir").map(PathBuf::from));
        if let Some(value) = input("dry-run") {
            self.dry_run |= boolean("dry-run", value)?;
        }
        if let (None, Some(value)) = (self.timeout, input("timeout")) {
            let bad = |_| BadInput {
                name: "timeout",
                value: value.to_owned(),
                expected: "a whole number of minutes",
            };
            self.timeout = Some(value.trim().parse().map_err(bad)?);
        }
        Ok(())
    }
}

/// The value of the `mode` input: `auto` is `None`. `input` looks up those that only one mode takes.
pub fn mode<'a>(
    value: &str,
    settings: Settings,
    input: impl Fn(&str) -> Option<&'a str>,
) -> Result<Option<Command>, BadInput> {
    Ok(Some(match value.trim() {
        "auto" => return Ok(None),
        "check" => Command::Check(settings),
        "release" => Command::Release(settings),
        "stage" => Command::Stage(Stage { shard: None, settings }),
        "rehearse" => Command::Rehearse(Rehearse { dir: None, serve: false, data: None, settings }),
        "scan" => Command::Scan(Scan {
            paths: vec![PathBuf::from(".")],
            format: ScanFormat::Text,
            explain: false,
            fail_on: FailOn::Error,
        }),
        "audit-log" => {
            let what = AuditLogCommand::Verify(Verify::of_action(input("audit-since"), settings)?);
            Command::AuditLog(AuditLog { what })
        }
        "explain" => Command::Explain(settings),
        "schema" => Command::Schema { format: SchemaFormat::Json },
        "rules" => Command::Rules { format: RulesFormat::Text },
        other => {
            let expected =
                "auto, check, release, stage, rehearse, scan, audit-log, explain, schema or rules";
            return Err(BadInput { name: "mode", value: other.to_owned(), expected });
        }
    }))
}

/// YAML 1.2 core booleans, as GitHub's own toolkit reads them.
fn boolean(name: &'static str, value: &str) -> Result<bool, BadInput> {
    match value.trim() {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        other => Err(BadInput { name, value: other.to_owned(), expected: "true or false" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        CommandLine::command().debug_assert();
    }

    #[test]
    fn arguments_come_before_inputs() {
        let input = |name: &str| match name {
            "tag" => Some("v1.0.0"),
            "policy" => Some("a/weighbridge.yml"),
            "dry-run" => Some("true"),
            "timeout" => Some("5"),
            _ => None,
        };
        let mut settings = Settings { tag: Some("v2.0.0".into()), ..Settings::default() };
        settings.fill(input).expect("good inputs");
        assert_eq!(settings.tag.as_deref(), Some("v2.0.0"));
        assert_eq!(settings.policy, Some(PathBuf::from("a/weighbridge.yml")));
        assert_eq!((settings.dry_run, settings.timeout), (true, Some(5)));
    }

    #[test]
    fn nonsense_is_named() {
        let error = Settings::default()
            .fill(|name| (name == "dry-run").then_some("yes"))
            .expect_err("not a boolean");
        assert_eq!(error.to_string(), "input `dry-run` is `yes`: expected true or false");
        let none = |_: &str| None;
        assert!(mode("relase", Settings::default(), none).is_err());
        assert!(mode("auto", Settings::default(), none).expect("known").is_none());
    }

    #[test]
    fn the_action_may_say_how_far_back_the_audit_log_is_checked() {
        let id = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";
        for (since, expected) in [
            (None, Ok((None, false))),
            (Some(" "), Ok((None, false))),
            (Some("all"), Ok((None, true))),
            (Some(&id.to_uppercase()), Ok((Some(id), false))),
            (Some(&id[..12]), Err("input `audit-since` is `0a1b2c3d4e5f`: expected all, or")),
            (Some("yesterday"), Err("input `audit-since` is `yesterday`: expected all, or")),
        ] {
            let input = |name: &str| since.filter(|_| name == "audit-since");
            match (mode("audit-log", Settings::default(), input), expected) {
                (
                    Ok(Some(Command::AuditLog(AuditLog { what: AuditLogCommand::Verify(asked) }))),
                    Ok(expected),
                ) => {
                    assert_eq!((asked.since.as_deref(), asked.all), expected, "{since:?}");
                }
                (Err(error), Err(words)) => {
                    assert!(error.to_string().starts_with(words), "{error}");
                }
                (got, _) => panic!("{since:?}: {got:?}"),
            }
        }
    }
}
