//! One short file per mode. Each reads like the list in the crate's own description:
//! run → inventory → evidence → gates → verdict → card → plan → publish → verify → report.

mod audit;
mod audit_log;
mod call;
mod card;
mod catalogue;
mod check;
mod credentials;
mod endpoint;
mod explain;
mod hub;
mod leaks;
mod network;
mod parts;
mod rehearse;
mod release;
mod rules;
mod scan;
mod source;
mod stage;
mod test_command;
mod weigh;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::panic::AssertUnwindSafe;

use clap::Parser as _;

use crate::context::{Context, Environment, Event};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::{self, Secret};
use crate::inputs::{self, Command, CommandLine, Settings};
use crate::memory;
use crate::report;

use call::Call;

/// Runs weighbridge: `argv` with the program's name first, and the environment.
pub fn run(argv: impl IntoIterator<Item = OsString>, env: &Environment) -> Exit {
    let command_line = match CommandLine::try_parse_from(argv) {
        Ok(command_line) => command_line,
        // Help and version are answers, not errors; a usage error ends with 2 as every failure.
        Err(answer) => {
            let failed = answer.use_stderr();
            // Nothing can be told when even that cannot be printed.
            if std::io::stdout().is_terminal() && std::io::stderr().is_terminal() {
                let _ = answer.print();
            } else if failed {
                // It repeats what was typed.
                report::aside(answer.to_string().trim_end());
            } else {
                let _ = report::print(&answer.to_string());
            }
            return if failed { Exit::CouldNotWork } else { Exit::Pass };
        }
    };
    memory::keep_to_ourselves();
    // What a panic says may hold what a server said.
    std::panic::set_hook(Box::new(|panic| report::aside(&panic.to_string())));
    // A panic is a fault of weighbridge, never a verdict: it must not look like one.
    let ended = std::panic::catch_unwind(AssertUnwindSafe(|| begin(command_line.command, env)));
    let ended = ended.unwrap_or_else(|_| {
        Err(Failure::new("weighbridge itself failed (the lines above say where)")
            .fix("report it with those lines; nothing was published unless a line above says so"))
    });
    let exit = ended.unwrap_or_else(|failure| {
        report::failure(&failure, env.get("GITHUB_ACTIONS") == Some("true"), color(env));
        Exit::CouldNotWork
    });
    http::wipe();
    exit
}

fn begin(command: Option<Command>, env: &Environment) -> Result<Exit, Failure> {
    match command {
        Some(Command::Scan(arguments)) => scan::run(&arguments, color(env)),
        Some(Command::Hub(arguments)) => hub::run(&arguments),
        Some(Command::Card(arguments)) => card::run(env, &arguments),
        Some(Command::Schema { format }) => rules::schema(format),
        Some(Command::Rules { format }) => rules::run(format),
        Some(Command::Check(settings)) => check::run(&Call::new(env, settings)?),
        Some(Command::Release(settings)) => release::run(&Call::new(env, settings)?),
        Some(Command::Stage(mut arguments)) => {
            let settings = std::mem::take(&mut arguments.settings);
            stage::run(&Call::new(env, settings)?, &arguments)
        }
        Some(Command::AuditLog(arguments)) => audit_log::run(env, arguments),
        Some(Command::Catalogue(settings)) => catalogue::run(&Call::new(env, settings)?),
        Some(Command::Explain(settings)) => explain::run(&Call::new(env, settings)?),
        Some(Command::Rehearse(mut arguments)) => {
            let settings = std::mem::take(&mut arguments.settings);
            rehearse::run(&arguments, Call::new(env, settings)?)
        }
        None => {
            let mode = env.input("mode").unwrap_or("auto");
            let chosen = inputs::mode(mode, Settings::default(), |name| env.input(name))
                .map_err(|error| Failure::advised("bad input", &error))?;
            let command = match chosen {
                Some(command) => command,
                None => for_event(env)?,
            };
            begin(Some(command), env)
        }
    }
}

/// `auto`: pull request → check, tag push → release, anything else → check.
fn for_event(env: &Environment) -> Result<Command, Failure> {
    let context = Context::read(env, env.input("github-token").and_then(Secret::new))?;
    Ok(match context.event {
        Event::TagPush => Command::Release(Settings::default()),
        _ => Command::Check(Settings::default()),
    })
}

/// Whether the console may use colour: a terminal, and no `NO_COLOR` (<https://no-color.org>).
fn color(env: &Environment) -> bool {
    env.get("NO_COLOR").is_none()
        && env.get("TERM") != Some("dumb")
        && std::io::stdout().is_terminal()
}
