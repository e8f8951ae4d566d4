//! Everything that drives the real binary or a real counterpart: one file per behaviour.

mod support;

mod bad_input;
mod card;
mod card_command;
mod changes;
mod clients;
mod commands;
mod container;
mod credentials_aws;
mod credentials_azure;
mod credentials_vault;
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
