//! What can go wrong with one request.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::support::front::{Asked, Fate, Reply};
use crate::support::intrude;

/// Longest silence that the runs wait through, and how long silent servers are silent.
pub(super) const PATIENCE: &str = "5";
const SILENCE: Duration = Duration::from_secs(6);

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No connection for a while, from the answer before it on.
    Refused,
    Reset,
    ResetMidway,
    ResetAfter,
    Cut,
    /// This status, before the Hub saw it; with leave to come again at once.
    Busy(u16),
    /// This status, and no word of when to come again.
    BusyForLong(u16),
    /// 504, and the Hub has done it.
    DoneAnd504,
    /// 504, and the Hub does it a little later.
    Soon504,
    Silent,
    DoneAndSilent,
    Corrupted,
    AnswerCorrupted,
    /// Looks at a machine that lags behind, after the first change of the repository from here on.
    Stale,
    /// 401 from here on.
    Expired,
    /// Somebody else commits just before.
    Somebody,
    /// The same, and the Hub says so with 409.
    SomebodyAnd409,
    Killed,
    DoneAndKilled,
    Terminated,
    DoneAndTerminated,
}

pub(super) const ALL: [Fault; 27] = [
    Fault::Refused,
    Fault::Reset,
    Fault::ResetMidway,
    Fault::ResetAfter,
    Fault::Cut,
    Fault::Busy(408),
    Fault::Busy(429),
    Fault::Busy(500),
    Fault::Busy(502),
    Fault::Busy(503),
    Fault::Busy(504),
    Fault::BusyForLong(503),
    Fault::BusyForLong(429),
    Fault::DoneAnd504,
    Fault::Soon504,
    Fault::Silent,
    Fault::DoneAndSilent,
    Fault::Corrupted,
    Fault::AnswerCorrupted,
    Fault::Stale,
    Fault::Expired,
    Fault::Somebody,
    Fault::SomebodyAnd409,
    Fault::Killed,
    Fault::DoneAndKilled,
    Fault::Terminated,
    Fault::DoneAndTerminated,
];

impl Fault {
    /// Whether somebody else has a hand in it.
    pub(super) fn intrudes(self) -> bool {
        matches!(self, Self::Somebody | Self::SomebodyAnd409)
    }

    /// Whether bytes change on their way to the Hub, which no encrypted connection lets happen.
    pub(super) fn corrupts(self) -> bool {
        matches!(self, Self::Corrupted)
    }

    /// Whether words change on their way from the Hub, which no encrypted connection lets happen either.
    pub(super) fn mishears(self) -> bool {
        matches!(self, Self::AnswerCorrupted)
    }
}

/// A process, once it is there: a number may be another's when the process has ended, this never is.
pub(super) type Process = Arc<OnceLock<OwnedFd>>;

/// Tells where the process with this number is, which has not been waited for yet.
pub(super) fn began(process: &Process, id: u32) {
    let id = Pid::from_raw(i32::try_from(id).expect("a process id")).expect("a process id");
    let there = pidfd_open(id, PidfdFlags::empty()).expect("it runs");
    process.set(there).expect("it begins once");
}

/// Sends a signal, unless the process has ended.
pub(super) fn signal(process: &Process, signal: Signal) {
    let process = loop {
        match process.get() {
            Some(process) => break process,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let _ = pidfd_send_signal(process, signal);
}

/// Faults at places of one run, and what they need to do their work.
pub(super) struct Script {
    /// With the index of the request each befalls.
    pub(super) faults: Vec<(usize, Fault)>,
    pub(super) hub: String,
    pub(super) token: String,
    pub(super) place: PathBuf,
    pub(super) seed: u64,
    /// Whether a machine lags behind already.
    pub(super) lags: AtomicBool,
    /// The process, once it is there.
    pub(super) process: Process,
    /// When it was told to stop.
    pub(super) told: Arc<Mutex<Option<Instant>>>,
    /// Every head of `main` that was seen.
    pub(super) heads: Arc<Mutex<Vec<String>>>,
}

impl Script {
    pub(super) fn decide(&self, asked: &Asked) -> Fate {
        if let Some(head) = super::truth::head(&self.place) {
            let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
            if heads.last() != Some(&head) {
                heads.push(head);
            }
        }
        let now = asked.index;
        let mut fates = self.faults.iter().filter_map(|(at, fault)| match fault {
            Fault::Expired => (now >= *at).then_some(*fault),
            Fault::Refused => (now + 1 == (*at).max(1)).then_some(*fault),
            Fault::Stale => {
                let changes = asked.method == "POST"
                    && ["/repos/create", "/commit/", "/tag/", "/branch/"]
                        .iter()
                        .any(|to| asked.path.contains(to));
                let first = now >= *at && changes && !self.lags.swap(true, Ordering::SeqCst);
                first.then_some(*fault)
            }
            _ => (now == *at).then_some(*fault),
        });
        fates.next().map_or(Fate::Pass, |fault| self.fate(fault, asked))
    }

    fn fate(&self, fault: Fault, asked: &Asked) -> Fate {
        // The Hub has nothing to guard the move of a branch with, so who comes between the look and the
        // move is overwritten: docs/publishing.md says so.
        if fault.intrudes() && asked.method == "POST" && asked.path.contains("/branch/main") {
            return Fate::Pass;
        }
        let at_once = |status| Reply::status(status).header("retry-after", "0");
        match fault {
            Fault::Refused => Fate::Refuse(Duration::from_millis(700)),
            Fault::Reset => Fate::Reset,
            Fault::ResetMidway => Fate::ResetMidway,
            Fault::ResetAfter => Fate::ResetAfter,
            Fault::Cut => Fate::Cut,
            Fault::Busy(status) => Fate::Answer(at_once(status)),
            Fault::BusyForLong(status) => Fate::Answer(Reply::status(status)),
            Fault::DoneAnd504 => Fate::After(at_once(504)),
            Fault::Soon504 => Fate::Late(at_once(504), Duration::from_millis(1200)),
            Fault::Silent => Fate::Hold(SILENCE),
            Fault::DoneAndSilent => Fate::HoldAfter(SILENCE),
            Fault::Corrupted => Fate::Corrupt(self.seed),
            Fault::AnswerCorrupted => Fate::CorruptAnswer(self.seed),
            Fault::Stale => Fate::Stale(1 + usize::try_from(self.seed % 4).expect("small")),
            // Who holds a signed address needs no token.
            Fault::Expired if asked.path.starts_with("/storage/") => Fate::Pass,
            Fault::Expired => Fate::Answer(Reply::status(401)),
            Fault::Somebody => {
                self.intrude();
                Fate::Pass
            }
            Fault::SomebodyAnd409 => {
                let there = self.intrude();
                if there && asked.path.contains("/commit/") {
                    Fate::Answer(Reply::status(409))
                } else {
                    Fate::Pass
                }
            }
            Fault::Killed => {
                self.signal(Signal::KILL);
                Fate::Reset
            }
            Fault::DoneAndKilled => self.then(Signal::KILL),
            Fault::Terminated => {
                self.signal(Signal::TERM);
                Fate::Hold(SILENCE)
            }
            Fault::DoneAndTerminated => self.then(Signal::TERM),
        }
    }

    /// Somebody else's commit, where there is a repository.
    fn intrude(&self) -> bool {
        let here = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| here.block_on(intrude(&self.hub, &self.token)))
    }

    fn then(&self, signal: Signal) -> Fate {
        let (process, told) = (self.process.clone(), self.told.clone());
        Fate::Then(Arc::new(move || send(&process, &told, signal)))
    }

    fn signal(&self, signal: Signal) {
        send(&self.process, &self.told, signal);
    }
}

fn send(process: &Process, told: &Mutex<Option<Instant>>, kind: Signal) {
    *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    signal(process, kind);
    // Signals take effect in their own time.
    std::thread::sleep(Duration::from_millis(100));
}
