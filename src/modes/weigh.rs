//! What `check`, `release` and `rehearse` share: gather everything, write the card, weigh it.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::audit::Reach;
use crate::card::{self, CardInput, EmergencyNote, EvalInput};
use crate::evidence::{self, Evidence, History};
use crate::failure::Failure;
use crate::finding::{Finding, Outcome, Verdict, Weighing};
use crate::gates::{self, Gate as _, Load};
use crate::github::SourceFacts;
use crate::hub::wire::WhoAmI;
use crate::inventory::{self, Bases, Inventory};
use crate::leaks::Leaks;
use crate::own_files;
use crate::policy::{self, CardSource, Model, Policy};
use crate::release::{
    self, Changes, GitFacts, HistoryEntry, Published, Release, Target, Versioning,
};
use crate::report::{Report, progress};
use crate::source::SourceFile;
use crate::test_run::TestRun;

use super::call::Call;
use super::leaks;
use super::parts::{self, Of};
use super::source;

/// Everything known of one model before the gates speak.
pub(super) struct Gathered {
    pub(super) policy: Policy,
    /// Which of the policy's models.
    model: usize,
    pub(super) versioning: Versioning,
    pub(super) target: Option<Target>,
    pub(super) git: GitFacts,
    pub(super) inventory: Inventory,
    pub(super) evidence: Evidence,
    /// The policy's test command, where it has one and it was run.
    tests: Option<TestRun>,
    changes: Changes,
    history: Vec<HistoryEntry>,
    /// The README that the card was made from, when the policy keeps one.
    readme: Option<SourceFile>,
    /// Files that the version keeps from what the Hub has.
    kept: Vec<String>,
    /// Secrets in what git tracks.
    leaks: Option<Leaks>,
    /// Whose the Hub token is, where one is used.
    pub(super) holder: Option<WhoAmI>,
    /// What GitHub knows of where the version comes from.
    pub(super) source: Option<SourceFacts>,
    /// Whether the audit log can be added to, where a release has looked.
    pub(super) audit_log: Option<Reach>,
    pub(super) rehearsal: bool,
}

/// Reads the policy of the call.
pub(super) fn policy(call: &Call) -> Result<Policy, Failure> {
    let path = call.policy_path();
    let catalogue = gates::catalogue();
    let known: Vec<_> = catalogue.iter().map(|(_, rule)| rule.id).collect();
    policy::load(&path, &call.shown(&path), &known)
        .map_err(|error| Failure::advised("the policy cannot be used", &error))
}

/// Reads git, the files and the evidence of one model, after its `tests` have run: what they left
/// is evidence, and what they changed must be seen.
pub(super) fn gather(
    call: &Call,
    policy: Policy,
    model: usize,
    versioning: Versioning,
    tests: Option<TestRun>,
    rehearsal: bool,
) -> Result<Gathered, Failure> {
    let base = base(call);
    let shown_base = call.shown(&base);
    let git = GitFacts::read(&base)
        .map_err(|error| Failure::advised("cannot read the git repository", &error))?;
    let chosen = &policy.models[model];
    let target = target(chosen, &versioning)?;
    // First what is pinned, so that its digest is taken in the one pass.
    let evidence = evidence::gather(&base, &shown_base, chosen);
    let release = as_release(&versioning);
    let inventory = match &call.settings.parts {
        Some(folder) => {
            let of = release.zip(target.as_ref()).map(|(release, target)| Of {
                model: chosen,
                release,
                target,
                commit: commit(call, &git),
            });
            parts::merge(call, folder, of.as_ref())?
        }
        None => take_inventory(call, chosen, &evidence, target.is_some())?,
    };
    let changes = release::changes(&base, &shown_base, &policy, chosen, &git, release);
    let history = release::history(&policy, chosen, &git, &changes, release);
    let readme = match &chosen.card.source {
        CardSource::Generated => None,
        CardSource::File(path) => {
            Some(SourceFile::new(call.shown(&base.join(path)), read_named(&base, path)?))
        }
    };
    Ok(Gathered {
        policy,
        model,
        versioning,
        target,
        git,
        inventory,
        evidence,
        tests,
        changes,
        history,
        readme,
        kept: Vec::new(),
        leaks: None,
        holder: None,
        source: None,
        audit_log: None,
        rehearsal,
    })
}

impl Gathered {
    pub(super) fn model(&self) -> &Model {
        &self.policy.models[self.model]
    }

    /// The release, where the tag names one.
    pub(super) fn release(&self) -> Option<&Release> {
        as_release(&self.versioning)
    }

    /// What the release says of itself on the Hub.
    pub(super) fn notes(&self) -> Option<String> {
        self.changes.sent(&self.release()?.version)
    }

    /// What the card says that the model was made from.
    pub(super) fn bases(&self) -> Bases {
        let readme = self.readme.as_ref().map(|file| file.text.as_str());
        let repo = self.target.as_ref().map(|target| &target.repo);
        Bases::of(self.model(), readme, &self.inventory, repo)
    }

    /// The model card: the last thing that is written before the gates speak, so that it holds all
    /// that is known by then, and the first that they read. An emergency is known to an earlier verdict.
    pub(super) fn card(
        &self,
        call: &Call,
        emergency: Option<&EmergencyNote>,
    ) -> Result<String, Failure> {
        let template = self.model().card.template.as_deref();
        let template = template.map(|path| read_named(&base(call), path)).transpose()?;
        let commit = self.commit(call);
        let input = self.card_input(call, commit.as_deref(), template.as_deref());
        card::write(&CardInput { emergency, ..input })
            .map_err(|error| Failure::advised("cannot write the model card", &error))
    }

    /// The file that is added for the Hub's counter, where one is needed.
    pub(super) fn query_file(&self, call: &Call) -> Option<String> {
        card::query_file(&self.card_input(call, None, None))
    }

    fn card_input<'a>(
        &'a self,
        call: &'a Call,
        commit: Option<&'a str>,
        template: Option<&'a str>,
    ) -> CardInput<'a> {
        CardInput {
            model: self.model(),
            release: self.release(),
            target: self.target.as_ref(),
            inventory: &self.inventory,
            evidence: &self.evidence,
            history: &self.history,
            commit,
            repository: call.context.repository.as_deref(),
            run_url: call.context.run_url.as_deref(),
            template,
            readme: self.readme.as_ref().map(|file| file.text.as_str()),
            kept: &self.kept,
            emergency: None,
        }
    }

    /// The files that go beside the card: the chart it shows, results in the Hub's own form.
    pub(super) fn beside_card(&self, call: &Call) -> Vec<(&'static str, String)> {
        let (model, release, evidence) = (self.model(), self.release(), &self.evidence);
        let results = card::eval_results(&EvalInput {
            model,
            release,
            evidence,
            source: call.context.source_url().as_deref(),
            date: release.and_then(|release| self.git.tagged_at(&release.tag)).as_deref(),
        });
        let chart = card::chart(model, release, evidence);
        let beside = [(own_files::CHART, chart), (own_files::EVAL_RESULTS, results)];
        beside.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
    }

    /// Takes in what the Hub has: files that stay, earlier versions beside the metrics.
    pub(super) fn compare(&mut self, published: &Published) {
        self.kept.clone_from(&published.kept);
        let Some(release) = self.release() else { return };
        let last = published.last_before(&release.version).cloned();
        let before = published.before(&release.version);
        let benchmarks = &self.policy.models[self.model].gates.benchmarks;
        self.evidence.compare(benchmarks, &published.records, last.as_ref());
        self.evidence.history = History::of(benchmarks, &before, &published.records);
    }

    /// Searches what git tracks for secrets.
    pub(super) fn search(&mut self, call: &Call) -> Result<(), Failure> {
        self.leaks = leaks::search(call, self.model(), &self.inventory)?;
        Ok(())
    }

    /// Asks GitHub what the policy wants to know of where the version comes from.
    pub(super) async fn ask_github(&mut self, call: &Call) {
        if let (Some(release), Some(target)) = (self.release(), &self.target) {
            let commit = self.commit(call);
            let facts = source::facts(call, self.model(), release, target, commit.as_deref());
            self.source = Some(facts.await);
        }
    }

    /// What the card gate alone says.
    pub(super) fn findings_on(&self, card: &str) -> Result<Vec<Finding>, Failure> {
        let judgement = gates::card::Card.weigh(&self.load(card, None))?;
        Ok(judgement.findings)
    }

    fn load<'a>(&'a self, card: &'a str, published: Option<&'a Published>) -> Load<'a> {
        Load {
            policy: &self.policy,
            model: self.model(),
            versioning: &self.versioning,
            target: self.target.as_ref(),
            git: &self.git,
            changes: &self.changes,
            inventory: &self.inventory,
            evidence: &self.evidence,
            test_run: self.tests.as_ref(),
            published,
            source: self.source.as_ref(),
            audit_log: self.audit_log.as_ref(),
            card,
            readme: self.readme.as_ref(),
            leaks: self.leaks.as_ref(),
            holder: self.holder.as_ref(),
            rehearsal: self.rehearsal,
            today: jiff::Zoned::now().date(),
            checkout: self.git.checked_out,
        }
    }

    /// All gates at once; none hides another's finding.
    pub(super) fn weigh(&self, card: &str, published: Option<&Published>) -> Verdict {
        let load = self.load(card, published);
        let weighings = gates::ALL
            .par_iter()
            .map(|gate| match gate.weigh(&load) {
                Ok(judgement) => {
                    let outcome = if judgement.skipped {
                        Outcome::Skipped(judgement.note)
                    } else {
                        Outcome::Judged(judgement.note)
                    };
                    Weighing { gate: gate.name(), outcome, findings: judgement.findings }
                }
                Err(failure) => Weighing {
                    gate: gate.name(),
                    outcome: Outcome::Broken(failure),
                    findings: Vec::new(),
                },
            })
            .collect();
        Verdict::judge(weighings, &self.policy.overrides, load.today)
    }

    /// The report of this run so far.
    pub(super) fn report(&self, call: &Call, mode: &'static str, verdict: Verdict) -> Report {
        Report {
            mode,
            policy: self.policy.file.clone(),
            model: self.model().name.clone(),
            several: self.policy.models.len() > 1,
            versioning: self.versioning.clone(),
            target: self.target.clone(),
            commit: self.commit(call),
            verdict,
            inventory: self.inventory.clone(),
            metrics: gates::benchmarks::rows(self.model(), &self.evidence),
            publication: None,
            failure: None,
            shard: None,
            staged: None,
            plan: None,
            audit: None,
            notes: Vec::new(),
        }
    }

    /// The commit that was weighed: what git says, else what the CI event says.
    pub(super) fn commit(&self, call: &Call) -> Option<String> {
        commit(call, &self.git)
    }
}

pub(super) fn commit(call: &Call, git: &GitFacts) -> Option<String> {
    git.head.clone().or_else(|| call.context.commit.clone())
}

fn as_release(versioning: &Versioning) -> Option<&Release> {
    match versioning {
        Versioning::Release(release) => Some(release),
        Versioning::Untagged | Versioning::Unreadable { .. } => None,
    }
}

/// Where the release goes, if the tag names one.
pub(super) fn target(model: &Model, versioning: &Versioning) -> Result<Option<Target>, Failure> {
    let target = as_release(versioning).map(|release| release::target(model, release)).transpose();
    target.map_err(|error| Failure::advised("the release has no place to go", &error))
}

/// The model of a name.
pub(super) fn index_of(policy: &Policy, name: &str) -> Result<usize, Failure> {
    policy.models.iter().position(|model| model.name == name).ok_or_else(|| {
        let known: Vec<_> = policy.models.iter().map(|model| model.name.as_str()).collect();
        Failure::new(format!("the policy has no model `{name}`"))
            .fix(format!("name one of: {}", known.join(", ")))
    })
}

/// The folder of the policy file: every path in it is relative to that.
pub(super) fn base(call: &Call) -> PathBuf {
    let path = call.policy_path();
    path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// The artifact folder as people see it.
pub(super) fn shown_folder(call: &Call, model: &Model) -> String {
    let parts = [call.shown(&base(call)), model.path.clone()];
    let parts = parts.into_iter().filter(|part| !part.is_empty() && part != ".");
    parts.collect::<Vec<_>>().join("/")
}

fn take_inventory(
    call: &Call,
    model: &Model,
    evidence: &Evidence,
    sealed: bool,
) -> Result<Inventory, Failure> {
    let shown = shown_folder(call, model);
    let watch = progress::Weighing::new();
    let pinned = evidence.pipeline.pinned();
    let asked = inventory::Asked { pinned: &|path| pinned.holds(path), sealed };
    inventory::take_asked(
        &base(call).join(&model.path),
        &shown,
        &model.include,
        &model.exclude,
        &asked,
        &|bytes| watch.read(bytes),
    )
    .map_err(|error| Failure::advised(format!("cannot weigh `{shown}`"), &error))
}

/// A text file that the policy's card section names.
fn read_named(base: &Path, path: &str) -> Result<String, Failure> {
    std::fs::read_to_string(base.join(path)).map_err(|error| {
        Failure::new(format!("cannot read `{path}`, which the policy's `card:` names"))
            .because(&error)
            .fix(format!("create `{path}` beside the policy file, or remove it from `card:`"))
    })
}
