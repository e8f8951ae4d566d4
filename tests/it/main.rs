//! Everything that drives the real binary or a real counterpart: one file per behaviour.

mod support;

mod audit_log;
mod bad_input;
mod canary;
mod card;
mod card_command;
mod changes;
mod clients;
mod commands;
mod container;
mod credentials;
mod disk;
mod events;
mod evidence;
mod faults;
mod github;
mod history;
mod hub_answers;
mod leaks;
mod licenses;
mod lineage;
mod parameters;
mod parts;
mod publish;
mod rehearse;
mod reports;
mod reviews;
mod scale;
mod scan;
mod snippets;
mod test_command;
mod token;
mod workflow;
