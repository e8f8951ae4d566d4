//! A record put behind the last one: in one commit, guarded by its parent, and never twice.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::attempt::{Attempt, Known};
use super::chain::Entry;
use super::file::FileName;
use super::log::{Appended, BRANCH, End, FULL, Log, LogError, PAUSES, with_causes};
use super::record::Record;
use crate::digest::Digest;
use crate::hub::{HubError, Operation};

/// How often a record is tried where other runs are faster, and how often where the Hub fails.
const RACES: u32 = 30;
const FAILURES: u32 = 5;

/// A file with one more record, and where that record is then.
struct Next {
    place: Appended,
    bytes: Vec<u8>,
}

impl Log {
    /// Puts a record behind the last one. Who loses the race for the head reads again and tries again.
    /// After an answer that was lost the record is looked for first, and one that the Hub took is only
    /// looked for: it is never added twice. Where this fails or is given up, `attempt` knows more.
    pub async fn append(&self, record: &Record, attempt: &Attempt) -> Result<Appended, LogError> {
        let (text, id) = (record.to_text(), record.id());
        let is_it = |entry: &Entry| entry.id == id;
        let (mut races, mut failures) = (0, 0);
        loop {
            let error = match self.once(&text, is_it, races + failures > 0, attempt).await {
                Ok(appended) => return Ok(appended),
                Err(error) => error,
            };
            let known = attempt.known();
            let pause = match &error {
                // It is in the log, unless the Hub says what is not so: another would be one too many.
                _ if matches!(known, Known::Unseen(_)) => return Err(error),
                LogError::Hub(hub) if matches!(hub.status(), Some(409 | 412)) => {
                    races += 1;
                    if races == RACES {
                        return Err(LogError::Contended);
                    }
                    pause(races)
                }
                LogError::Hub(hub) => {
                    failures += 1;
                    let again = known == Known::Unknown || hub.maybe_done();
                    if failures == FAILURES || !again {
                        return Err(error);
                    }
                    hub.pause(failures + 1)
                }
                _ => return Err(error),
            };
            let shown = with_causes(&error);
            self.hub.wait(&format!("no record was added to the audit log: {shown}; looking again"));
            self.hub.rest(pause).await;
        }
    }

    /// One try: a look at the end, after an earlier try for the record too, and a commit.
    async fn once(
        &self,
        text: &str,
        is_it: impl Fn(&Entry) -> bool,
        tried: bool,
        attempt: &Attempt,
    ) -> Result<Appended, LogError> {
        let end = self.end().await?;
        // It was not there before the first try, so it can only be near the end.
        if tried && let Some(there) = self.near(&end, &is_it).await? {
            return Ok(there);
        }
        let next = self.next(&end, text);
        let before = attempt.known();
        attempt.learn(Known::Unknown);
        match self.put(&end, &next).await {
            Ok(commit) => {
                attempt.learn(Known::Unseen(commit.clone()));
                self.seen(&commit, next, is_it).await
            }
            Err(error) => {
                if !error.maybe_done() {
                    attempt.learn(before);
                }
                Err(error.into())
            }
        }
    }

    /// The file that has the record as its last.
    fn next(&self, end: &End, text: &str) -> Next {
        let line = end.chain.line(text);
        let month = FileName::of(Timestamp::now());
        // A clock that lags must not put a record before those that are there.
        let name = match end.names.last() {
            Some(last) if end.last.len() + line.len() > FULL && *last >= month => last.next(),
            Some(last) => month.max(*last),
            None => month,
        };
        let mut bytes = if end.names.last() == Some(&name) { end.last.clone() } else { Vec::new() };
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        let place = Appended {
            file: self.path(name),
            sequence: end.chain.records() + 1,
            digest: Digest::of(line.as_bytes()),
        };
        Next { place, bytes }
    }

    async fn put(&self, end: &End, next: &Next) -> Result<String, HubError> {
        let Appended { file, sequence, digest } = &next.place;
        let operation = Operation::Inline { path: file.clone(), bytes: next.bytes.clone().into() };
        let (summary, description) = (format!("Record {sequence}"), format!("sha256:{digest}"));
        let (parent, operations) = (Some(end.commit.as_str()), Arc::from([operation]));
        let commit =
            self.hub.commit(&self.repo, BRANCH, parent, &summary, &description, &operations);
        commit.await
    }

    /// Waits until the Hub shows what it took: as it was sent, or at the end of the log, on which
    /// others may have built since.
    async fn seen(
        &self,
        commit: &str,
        sent: Next,
        is_it: impl Fn(&Entry) -> bool,
    ) -> Result<Appended, LogError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let error = match self.read_path(commit, &sent.place.file).await {
                Ok(read) if read == sent.bytes => return Ok(sent.place),
                Ok(_) => {
                    let why = format!("{} does not hold what was sent", sent.place.file);
                    HubError::Protocol(why).into()
                }
                Err(error) => error,
            };
            if let Ok(end) = self.end_now().await
                && let Ok(Some(there)) = self.near(&end, &is_it).await
            {
                return Ok(there);
            }
            let Some(pause) = pauses.next() else { return Err(error) };
            let shown = with_causes(&error);
            self.hub.wait(&format!(
                "the Hub took the record and does not show it: {shown}; looking again in {pause} s"
            ));
            self.hub.rest(Duration::from_secs(pause)).await;
        }
    }
}

/// Half to all of a time that grows with every race that was lost, up to two seconds: runs that race
/// come apart.
fn pause(races: u32) -> Duration {
    let whole = Duration::from_millis(100 * u64::from(races.min(20)));
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}
