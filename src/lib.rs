//! weighbridge: the release gate between training pipelines and the Hugging Face Hub.
//!
//! One way through:
//!
//! ```text
//! inputs + argv ─┐
//! CI event + git ┼─► Run ─► Inventory ─► Evidence ─► Gates ─► Verdict
//! weighbridge.yml┘                                             │ only a pass yields
//!                                                              ▼ a `Cleared` release
//!                      Report ◄─ Verified ◄─ Publish ◄─ Plan ◄─ Card + Provenance
//! ```
//!
//! Arrows point down only: a module may use those below it in this list, never one above.

// pub mod modes;

pub mod card; // the model card: front matter, sections, template
pub mod gates;
pub mod provenance; // the release record
pub mod publish; // plan (pure) → execute → verify
pub mod report; // one findings model, many renderers // trait Gate, the one list, one file per gate

pub mod evidence; // what tests and training left behind
pub mod inventory; // walk, single-pass reader, digests
pub mod rehearsal;
pub mod release; // tag grammar, version, channel, changelog, git // the embedded Hub

pub mod context; // CI event and runner; the only reader of the environment
pub mod credentials; // where a token comes from
pub mod inputs;
pub mod policy; // weighbridge.yml: raw → check → Policy // the action's inputs, 1:1 with action.yml

pub mod finding;
pub mod github; // checks; the only user of octocrab
pub mod hub; // the Hub in the Hub's own words
pub mod scan; // bytes → detections; knows no CI, no Hub, no policy // Rule, Finding, Location, Verdict, Cleared

pub mod digest; // SHA-256 and git blob ids; the only user of sha2 and sha1
pub mod exit;
pub mod failure; // errors that say what happened and how to mend it
pub mod http; // the one HTTP client: retry table, error context, secrets
pub mod markdown; // text from outside, inside Markdown
pub mod rel_path; // a path that cannot leave its folder
pub mod source; // text with positions, for policy and findings // exit codes
