//! Everything that drives the real binary or a real counterpart: one file per behaviour.

mod support;

mod bad_input;
mod card;
mod card_command;
mod changes;
mod clients;
mod commands;
mod container;
mod credentials_azure;
mod disk;
mod evidence;
mod faults;
mod github;
mod history;
mod hub_answers;
mod licenses;
mod lineage;
mod parameters;
mod parts;
mod publish;
mod rehearse;
mod reports;
mod scale;
mod scan;
mod snippets;
mod test_command;
mod workflow;
