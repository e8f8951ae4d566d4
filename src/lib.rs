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
//! Arrows point down only: a module may use those on the floors below its own, never one above or
//! beside it. `tests/house.rs` keeps this, `docs/architecture.md` tells why.
//!
//! | floor | modules |
//! | --- | --- |
//! | 1 | [`modes`]: one short file per mode, reads like the list above |
//! | 2 | [`publish`]: plan (pure) → execute → verify · [`report`]: one findings model, many renderers · [`card`]: front matter, sections, template · [`provenance`]: the release record · [`parts`]: part reports of shares · [`gates`]: the trait, the one list, one file per gate |
//! | 3 | [`release`]: tag grammar, version, channel, changelog, git · [`inventory`]: walk, single pass, digests · [`evidence`]: what tests and training left behind · [`test_run`]: the policy's test command · [`leaks`]: secrets in what git tracks · [`audit`]: the organisation's log of what was written · [`rehearsal`]: the embedded Hub |
//! | 4 | [`policy`]: weighbridge.yml · [`context`]: CI event and runner, the only reader of the environment · [`credentials`]: where a token comes from · [`inputs`]: the command line and the action's inputs |
//! | 5 | [`hub`]: the Hub in the Hub's own words · [`github`]: checks, reviews, approvals, the only user of octocrab · [`scan`]: bytes → detections · `publishable`: what of a setting is no secret · [`finding`]: rules, findings, verdict |
//! | 6 | [`http`]: the one client · [`digest`]: the only user of sha2 · `json`: as Python reads it · `machine_path`: what is not published · [`markdown`] · `memory`: for nobody else · [`own_files`]: names that weighbridge writes · [`rel_path`] · [`signals`]: Ctrl-C and cancelled jobs · [`source`] · [`workspace`]: which files are read · [`failure`] · [`exit`] |

pub mod audit;
pub mod card;
pub mod context;
pub mod credentials;
pub mod digest;
pub mod evidence;
pub mod exit;
pub mod failure;
pub mod finding;
pub mod gates;
mod generated;
pub mod github;
pub mod http;
pub mod hub;
pub mod inputs;
pub mod inventory;
mod json;
pub mod leaks;
mod machine_path;
pub mod markdown;
mod memory;
pub mod modes;
pub mod own_files;
pub mod parts;
pub mod policy;
pub mod provenance;
pub mod publish;
mod publishable;
pub mod rehearsal;
pub mod rel_path;
pub mod release;
pub mod report;
pub mod scan;
pub mod signals;
pub mod source;
pub mod test_run;
pub mod workspace;
