//! Every fault at every request of a release, and pairs of them.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;

use super::fault::{self, Fault, PATIENCE, Process, Script, began};
use super::setting::{self, Template};
use super::tell;
use super::truth::{Commit, Truth, assert_given_out, place, truth};
use crate::support::action::each_file;
use crate::support::front::{Asked, Front};
use crate::support::hub_server::HubServer;
use crate::support::listener::Listener;
use crate::support::workspace::Workspace;

/// Cases at the same time: most of a case is waiting.
const AT_ONCE: usize = 12;
/// Pairs of faults in the whole matrix.
const PAIRS: u64 = 500;

/// One release with its faults.
#[derive(Clone)]
struct Case {
    template: Arc<Template>,
    faults: Vec<(usize, Fault)>,
    seed: u64,
}

/// How a run under faults ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Published,
    Failed,
    Killed,
    Stopped,
}

struct Ended {
    code: Option<i32>,
    signal: Option<i32>,
    said: String,
}

async fn run(workspace: &Workspace, process: &Process) -> Ended {
    let mut command = tokio::process::Command::from(workspace.command(&["release"]));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().expect("the binary starts");
    began(process, child.id().expect("it runs"));
    let output = child.wait_with_output().await.expect("it ends");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let said = format!("--- stdout\n{out}\n--- stderr\n{err}");
    Ended { code: output.status.code(), signal: output.status.signal(), said }
}

impl Case {
    fn has(&self, what: impl Fn(Fault) -> bool) -> bool {
        self.faults.iter().any(|(_, fault)| what(*fault))
    }

    /// Whether it was whose token it is, or which versions there are, that came to us changed: nothing else
    /// is there to hold these against. All other answers have a digest or are asked for twice.
    fn misheard(&self, asked: &[Asked]) -> bool {
        let is_hearsay = |path: &str| path.starts_with("/api/whoami-v2") || path.ends_with("/refs");
        let befalls = |index: usize| {
            asked.iter().any(|asked| asked.index == index && is_hearsay(&asked.path))
        };
        self.faults.iter().any(|(index, fault)| fault.mishears() && befalls(*index))
    }

    /// Whether a commit is the version. What was misheard may be repeated in it.
    fn is_whole(&self, commit: &Commit, misheard: bool) -> bool {
        commit.is_whole(&self.template)
            || (misheard && self.template.is_but_for_words(&commit.files))
    }

    /// Runs it to its end; the requests of the first run, and how that ended.
    async fn play(&self) -> (Vec<Asked>, End) {
        let setting = self.template.setting;
        let server = setting.hub(&self.template).await;
        let place = place(&server);
        let before = truth(&place);
        let script = Script {
            faults: self.faults.clone(),
            hub: server.hub.url(),
            token: server.hub.token().expose().to_owned(),
            place: place.clone(),
            seed: self.seed,
            lags: AtomicBool::default(),
            process: Arc::default(),
            told: Arc::default(),
            heads: Arc::default(),
        };
        let (process, told, heads) =
            (script.process.clone(), script.told.clone(), script.heads.clone());
        let front = Front::before(&server.hub.url(), move |asked| script.decide(asked)).await;
        let mut workspace = self.template.workspace.copy();
        workspace.set("HF_ENDPOINT", front.url()).set("WEIGHBRIDGE_ANSWER_TIMEOUT", PATIENCE);
        let ended = run(&workspace, &process).await;
        let listener = Listener::of([server.hub.token().expose()]);
        listener.assert_silent("what was said", ended.said.as_bytes());
        each_file(&workspace.home().join(".cache/weighbridge/reports"), &mut |path| {
            let told = std::fs::read(path).expect("a report");
            listener.assert_silent(&path.display().to_string(), &told);
        });
        let over = Instant::now();
        if let Some(told) = *told.lock().unwrap_or_else(PoisonError::into_inner) {
            let took = over.duration_since(told);
            assert!(took < Duration::from_secs(5), "it took {took:?} to stop: {}", ended.said);
        }
        // What the Hub does late.
        if self.has(|fault| fault == Fault::Soon504) {
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
        let case = format!(
            "{:?} {:?} seed {}\nexit {:?}, signal {:?}\n{}",
            setting, self.faults, self.seed, ended.code, ended.signal, ended.said
        );
        let misheard = self.misheard(&front.asked());
        let end = self.judge_run(&ended, &before, &truth(&place), misheard, &case);
        // What was left behind is taken away by the next run. Of what the Hub did when this one was over,
        // nobody could say anything.
        let left = truth(&place).branches.len() > 1;
        let told = ended.said.contains("leaving the branch");
        let late = self.has(|fault| fault == Fault::Soon504);
        assert!(!left || end != End::Published || told || late, "{case}");
        if end != End::Published || left {
            workspace.set("HF_ENDPOINT", server.hub.url());
            let again = run(&workspace, &Process::default()).await;
            let case = format!("{case}\n=== again: {:?}\n{}", again.code, again.said);
            assert_eq!(again.code, Some(0), "{case}");
        }
        self.judge(&server, &before, &heads, misheard, &case).await;
        (front.asked(), end)
    }

    /// After the run under faults: all of the version or nothing of it, and true words.
    fn judge_run(
        &self,
        ended: &Ended,
        before: &Truth,
        after: &Truth,
        misheard: bool,
        case: &str,
    ) -> End {
        let tag = format!("v{}", self.template.setting.version());
        for commit in new_commits(before, after) {
            let mine = commit.is_release(&self.template);
            let torn = self.has(Fault::corrupts) && !self.is_whole(commit, misheard);
            assert!(mine || self.has(Fault::intrudes), "whose is {commit:?}? {case}");
            assert!(!mine || torn || self.is_whole(commit, misheard), "{commit:?}: {case}");
        }
        let tagged = after.tags.get(&tag);
        if let Some(commit) = tagged {
            let whole = after.main.iter().find(|one| one.id == *commit);
            let whole = whole.is_some_and(|one| self.is_whole(one, misheard));
            assert!(whole, "a tag on what is not the version: {case}");
        }
        match (ended.code, ended.signal) {
            (Some(0), _) => {
                assert!(tagged.is_some(), "success without a tag: {case}");
                End::Published
            }
            (Some(2), _) => {
                assert!(ended.said.contains("fix: "), "{case}");
                let released = new_commits(before, after).any(|commit| {
                    commit.is_release(&self.template) && self.is_whole(commit, misheard)
                });
                let stands = ended.said.split_once("on the Hub: ").expect(case).1;
                let stands = stands.lines().next().expect(case);
                let fits = if stands.contains("nothing") && !stands.contains("all of it or nothing")
                {
                    !released && tagged.is_none()
                } else if stands.contains("without the tag") {
                    tagged.is_none() && after.main.iter().any(|one| one.is_release(&self.template))
                } else if stands.contains("is published") {
                    tagged.is_some()
                } else {
                    stands.contains("not known")
                };
                assert!(fits, "`{stands}` is not true: {case}");
                if self.has(|fault| matches!(fault, Fault::Terminated | Fault::DoneAndTerminated)) {
                    End::Stopped
                } else {
                    End::Failed
                }
            }
            // The token was heard to be another's, or to do other things.
            (Some(1), _) if misheard => {
                assert!(ended.said.contains("[token-"), "{case}");
                assert_eq!(before, after, "{case}");
                End::Failed
            }
            (None, Some(9)) => End::Killed,
            // Between two looks at the Hub nothing is there that could be said.
            (Some(143), _) => {
                assert_eq!(before, after, "{case}");
                End::Stopped
            }
            _ => panic!("no way to end: {case}"),
        }
    }

    /// In the end: one commit of the version, the tag on it, its files and no others.
    async fn judge(
        &self,
        server: &HubServer,
        before: &Truth,
        heads: &Mutex<Vec<String>>,
        misheard: bool,
        case: &str,
    ) {
        let after = truth(&place(server));
        let releases: Vec<_> = new_commits(before, &after)
            .filter(|commit| commit.is_release(&self.template))
            .collect();
        let whole: Vec<_> =
            releases.iter().filter(|commit| self.is_whole(commit, misheard)).collect();
        // A second commit on top of a first is made only where somebody else's lies between.
        let most = if self.has(Fault::intrudes) { 2 } else { 1 };
        assert!(!whole.is_empty() && whole.len() <= most, "{releases:?}: {case}");
        assert!(self.has(Fault::corrupts) || releases.len() == whole.len(), "{releases:?}: {case}");
        let tag = format!("v{}", self.template.setting.version());
        let tagged = after.tags.get(&tag).expect(case);
        assert!(whole.iter().any(|commit| commit.id == *tagged), "{case}");
        if !self.has(Fault::intrudes) {
            assert_eq!(*tagged, after.main[0].id, "{case}");
        }
        let tags = before.tags.len() + 1;
        assert!(after.tags.len() == tags || self.has(Fault::corrupts), "{:?}: {case}", after.tags);
        assert_eq!(after.branches, ["main"], "{case}");
        // Nobody ever saw a head that is not in the history that was judged.
        for head in heads.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let seen = after.main.iter().find(|commit| commit.id == *head);
            assert!(seen.is_some_and(|commit| !commit.is_piece()), "{head}: {case}");
        }
        assert_given_out(server, &self.template, case).await;
    }
}

fn new_commits<'t>(before: &'t Truth, after: &'t Truth) -> impl Iterator<Item = &'t Commit> {
    // What the Hub itself puts into every new repository is nobody's commit.
    let first = after.main.len().saturating_sub(before.main.len().max(1));
    // Pieces were never a head: the judge looks at those.
    after.main[..first].iter().filter(|commit| !commit.is_piece())
}

/// Plays cases side by side; how many ended how, by fault.
async fn play(cases: Vec<Case>) -> BTreeMap<(String, End), usize> {
    let all = cases.len();
    let played = cases.into_iter().map(|case| {
        tokio::spawn(async move {
            let (_, end) = case.play().await;
            let names: Vec<_> = case.faults.iter().map(|(_, fault)| format!("{fault:?}")).collect();
            let name = if names.len() == 1 { names.concat() } else { "pairs".to_owned() };
            (name, end)
        })
    });
    // A task begins when it is spawned, and the iterator spawns when the stream asks.
    let mut played = futures_util::stream::iter(played).buffer_unordered(AT_ONCE);
    let (mut counts, mut failures, mut done) = (BTreeMap::new(), Vec::new(), 0);
    while let Some(ended) = played.next().await {
        match ended {
            Ok(key) => *counts.entry(key).or_default() += 1,
            Err(error) => failures.push(error),
        }
        done += 1;
        if done % 100 == 0 {
            tell(&format!("{done} of {all} cases, {} failed", failures.len()));
        }
    }
    assert!(failures.is_empty(), "{} cases failed (see above)", failures.len());
    counts
}

fn print(counts: &BTreeMap<(String, End), usize>) {
    let of = |fault: &str, end| counts.get(&(fault.to_owned(), end)).copied().unwrap_or(0);
    tell(&format!("{:<22} published  failed  killed  stopped", "fault"));
    let mut faults: Vec<_> = counts.keys().map(|(fault, _)| fault.as_str()).collect();
    faults.dedup();
    for fault in faults {
        tell(&format!(
            "{fault:<22} {:>9} {:>7} {:>7} {:>8}",
            of(fault, End::Published),
            of(fault, End::Failed),
            of(fault, End::Killed),
            of(fault, End::Stopped),
        ));
    }
    let all: usize = counts.values().sum();
    tell(&format!("{all} cases, each ended as one whole version, at the latest by the next run"));
}

/// The templates, and the requests that a release without faults makes.
async fn templates() -> Vec<(Arc<Template>, Vec<Asked>)> {
    let mut templates = Vec::new();
    for setting in setting::ALL {
        let template = Arc::new(Template::of(setting).await);
        let case = Case { template: template.clone(), faults: Vec::new(), seed: 0 };
        let (asked, end) = case.play().await;
        assert_eq!(end, End::Published);
        templates.push((template, asked));
    }
    templates
}

fn single(templates: &[(Arc<Template>, Vec<Asked>)]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (template, requests) in templates {
        for at in 0..requests.len() {
            for fault in fault::ALL {
                let seed = fastrand::Rng::with_seed(cases.len() as u64).u64(..);
                cases.push(Case { template: template.clone(), faults: vec![(at, fault)], seed });
            }
        }
    }
    cases
}

fn pairs(templates: &[(Arc<Template>, Vec<Asked>)]) -> Vec<Case> {
    let pair = |seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        let (template, requests) = &templates[random.usize(..templates.len())];
        let mut one =
            || (random.usize(..requests.len() + 3), fault::ALL[random.usize(..fault::ALL.len())]);
        let faults = vec![one(), one()];
        Case { template: template.clone(), faults, seed }
    };
    (0..PAIRS).map(pair).collect()
}

/// An answer to a commit that is lost, and somebody else's commit on top of ours before we ask.
fn overtaken(templates: &[(Arc<Template>, Vec<Asked>)]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (template, requests) in templates.iter().filter(|(template, _)| !template.setting.pieces) {
        let commit = requests.iter().position(|asked| asked.path.contains("/commit/"));
        let commit = commit.expect("a release commits");
        for lost in [Fault::DoneAnd504, Fault::ResetAfter, Fault::DoneAndSilent] {
            let faults = vec![(commit, lost), (commit + 1, Fault::Somebody)];
            cases.push(Case { template: template.clone(), faults, seed: 0 });
        }
    }
    cases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slice_of_the_matrix() {
    let templates = templates().await;
    let mut random = fastrand::Rng::with_seed(1);
    let mut cases = single(&templates);
    cases.extend(pairs(&templates));
    random.shuffle(&mut cases);
    cases.truncate(40);
    cases.extend(overtaken(&templates));
    print(&play(cases).await);
}

/// `cargo test --test it faults::matrix -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "half an hour; docs/publishing.md has the command"]
async fn the_whole_matrix() {
    let templates = templates().await;
    let mut cases = single(&templates);
    cases.extend(pairs(&templates));
    cases.extend(overtaken(&templates));
    // To go on where a run was stopped.
    let from = std::env::var("FAULTS_FROM").ok().and_then(|from| from.parse().ok()).unwrap_or(0);
    print(&play(cases.split_off(from)).await);
}
