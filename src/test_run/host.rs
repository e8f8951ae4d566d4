//! The command on this machine.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::lines::Lines;
use super::{End, Surroundings, TestRunError, environment};
use crate::memory;
use crate::policy::TestCommand;
use crate::signals::Guard;

/// How long a command may take to end when it is asked to, and how long output is waited for after
/// its end: something that it left running may hold the pipe.
const GRACE: Duration = Duration::from_secs(3);

pub(super) async fn run(
    settings: &TestCommand,
    around: &Surroundings<'_>,
    lines: &mut Lines<'_>,
) -> Result<End, TestRunError> {
    memory::keep_to_ourselves();
    adopt_orphans();
    let guard = Guard::new();
    let (mut child, mut output) = start(settings, around)?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let signal = |signal| {
        // An error says that nobody is left.
        group.map(|group| kill_process_group(group, signal)).and_then(Result::ok);
    };
    let outcome = tokio::select! {
        status = follow(&mut child, &mut output, lines) => {
            status.map(end).map_err(TestRunError::Followed)
        }
        () = sleep(settings.timeout) => Ok(End::TimedOut),
        () = guard.interrupted() => Err(TestRunError::Interrupted),
    };
    if child.id().is_some() {
        signal(Signal::TERM);
        // What it has to say about that belongs to its output.
        let _ = timeout(GRACE, follow(&mut child, &mut output, lines)).await;
    }
    // What it left behind could change the files while they are weighed.
    signal(Signal::KILL);
    let _ = child.wait().await;
    end_orphans();
    outcome
}

/// Starts the shell in a process group of its own, both outputs in one pipe: in the order in which
/// they were written.
fn start(
    settings: &TestCommand,
    around: &Surroundings<'_>,
) -> Result<(Child, Receiver), TestRunError> {
    let (reader, writer) = std::io::pipe().map_err(TestRunError::Followed)?;
    let second = writer.try_clone().map_err(TestRunError::Followed)?;
    let mut command = Command::new("sh");
    command
        .args(["-ec", &settings.command])
        .current_dir(around.folder)
        .env_clear()
        .envs(environment::on_host(around.env))
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(second)
        .process_group(0)
        .kill_on_drop(true);
    let child = without_a_look_at_us(command)
        .map_err(|error| TestRunError::Shell { folder: around.folder.to_owned(), error })?;
    let output = Receiver::from_owned_fd(reader.into()).map_err(TestRunError::Followed)?;
    Ok((child, output))
}

/// Reads the output to its end, and waits for the command's.
async fn follow(
    child: &mut Child,
    output: &mut Receiver,
    lines: &mut Lines<'_>,
) -> std::io::Result<ExitStatus> {
    let mut buffer = vec![0; 16 * 1024];
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        let wait_until = ended.map_or_else(Instant::now, |(_, at)| at + GRACE);
        tokio::select! {
            read = output.read(&mut buffer) => match read? {
                0 => break,
                length => lines.take(&buffer[..length]),
            },
            status = child.wait(), if ended.is_none() => ended = Some((status?, Instant::now())),
            () = sleep_until(wait_until), if ended.is_some() => break,
        }
    }
    match ended {
        Some((status, _)) => Ok(status),
        None => child.wait().await,
    }
}

fn end(status: ExitStatus) -> End {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

/// Starts a command that cannot look at our memory as root either: for that, root needs one of a few
/// capabilities, which the command cannot get where the thread that starts it has given them up for
/// good (capabilities(7), bounding set). What else root can do to a machine remains: an image is the
/// better place for what is not trusted.
fn without_a_look_at_us(mut command: Command) -> std::io::Result<Child> {
    let runtime = tokio::runtime::Handle::current();
    let starting = std::thread::spawn(move || {
        #[cfg(target_os = "linux")]
        {
            use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
            for capability in
                [CapabilitySet::SYS_PTRACE, CapabilitySet::PERFMON, CapabilitySet::SYS_ADMIN]
            {
                // Who is not root may not give it up, and does not have it.
                let _ = remove_capability_from_bounding_set(capability);
            }
        }
        let _inside = runtime.enter();
        command.spawn()
    });
    starting
        .join()
        .unwrap_or_else(|_| Err(std::io::Error::other("the thread that starts it panicked")))
}

/// What a command leaves running in a session of its own becomes our child, not init's (prctl(2),
/// `PR_SET_CHILD_SUBREAPER`).
fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    {
        // It fails only on kernels before 3.4.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }
}

/// Ends every child that is left, and theirs, which then are ours.
fn end_orphans() {
    #[cfg(target_os = "linux")]
    for _ in 0..100 {
        let orphans = children();
        if orphans.is_empty() {
            return;
        }
        for orphan in orphans {
            // An error says that it ended meanwhile.
            let _ = rustix::process::kill_process(orphan, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Our children that run (proc_pid_stat(5): name in parentheses, state, parent).
#[cfg(target_os = "linux")]
fn children() -> Vec<Pid> {
    let own = rustix::process::getpid().as_raw_nonzero().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let running = entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let (state, parent) = (fields.next()?, fields.next()?);
        (parent == own && state != "Z").then(|| Pid::from_raw(pid)).flatten()
    });
    running.collect()
}
