//! A release in which every gate finds nothing; tests break one thing at a time.

use jiff::civil::date;

use super::{Gate, Judgement, Load};
use crate::audit::Reach;
use crate::digest::Digest;
use crate::evidence::{Earlier, Evidence, Lineage, Metric, MetricValue, Pipeline, TestReport};
use crate::finding::{Finding, Location, Overrides};
use crate::github::SourceFacts;
use crate::hub::RepoId;
use crate::inventory::Inventory;
use crate::leaks::Leaks;
use crate::policy::{
    Benchmark, Card, Gates, License, Model, Place, Policy, Publish, Section, Statement, TagGrammar,
    TestsGate,
};
use crate::release::{GitFacts, Target, Versioning};
use crate::source::{Position, SourceFile};
use crate::test_run::TestRun;

/// Owns what a [`Load`] borrows.
pub(super) struct Sample {
    pub(super) policy: Policy,
    pub(super) git: GitFacts,
    pub(super) evidence: Evidence,
    pub(super) test_run: Option<TestRun>,
    pub(super) card: String,
    pub(super) readme: Option<SourceFile>,
    pub(super) checkout: Option<std::time::SystemTime>,
    pub(super) inventory: Inventory,
    pub(super) leaks: Option<Leaks>,
    /// With it there is a version, which goes to `production`.
    pub(super) source: Option<SourceFacts>,
    pub(super) audit_log: Option<Reach>,
}

impl Sample {
    pub(super) fn new() -> Self {
        let policy = Policy {
            file: "weighbridge.yml".into(),
            models: vec![model()],
            tags: TagGrammar::Auto,
            audit_log: None,
            hub: None,
            overrides: Overrides::default(),
            emergency: None,
            credentials: Vec::new(),
            explained: Vec::new(),
        };
        let git = GitFacts {
            head: Some("0123456789abcdef0123456789abcdef01234567".into()),
            head_time: Some(1_700_000_000),
            ..GitFacts::default()
        };
        let evidence = Evidence {
            tests: vec![report()],
            metrics: vec![metric(MetricValue::Number(0.93))],
            beside: Vec::new(),
            unreadable: Vec::new(),
            pipeline: Pipeline::default(),
            last: None,
            history: crate::evidence::History::default(),
        };
        Self {
            policy,
            git,
            evidence,
            test_run: None,
            card: CARD.into(),
            readme: None,
            checkout: None,
            inventory: Inventory::default(),
            leaks: None,
            source: None,
            audit_log: None,
        }
    }

    pub(super) fn model(&mut self) -> &mut Model {
        &mut self.policy.models[0]
    }

    /// What a gate says: its findings as `rule at: message`, and its line for the table.
    pub(super) fn weigh(&self, gate: &dyn Gate) -> (Vec<String>, String) {
        let judgement = self.judge(gate);
        let declared = gate.rules();
        let show = |finding: &Finding| {
            assert!(declared.contains(&finding.rule), "{} is declared", finding.rule.id);
            format!("{} at {}: {}", finding.rule.id, finding.at, finding.message)
        };
        (judgement.findings.iter().map(show).collect(), judgement.note)
    }

    /// What a gate says.
    pub(super) fn judge(&self, gate: &dyn Gate) -> Judgement {
        let target = Target {
            stage: "production".into(),
            repo: RepoId::new("acme", "churn").expect("a name"),
            private: true,
            revision: "main".into(),
        };
        let load = Load {
            policy: &self.policy,
            model: &self.policy.models[0],
            versioning: &Versioning::Untagged,
            target: self.source.is_some().then_some(&target),
            git: &self.git,
            changes: &crate::release::Changes::default(),
            inventory: &self.inventory,
            evidence: &self.evidence,
            test_run: self.test_run.as_ref(),
            published: None,
            source: self.source.as_ref(),
            card: &self.card,
            readme: self.readme.as_ref(),
            leaks: self.leaks.as_ref(),
            holder: None,
            audit_log: self.audit_log.as_ref(),
            rehearsal: false,
            today: date(2026, 1, 2),
            checkout: self.checkout,
        };
        gate.weigh(&load).expect("pure gates do not fail")
    }

    /// Asserts that exactly one finding is made, by `rule`, and returns it.
    #[track_caller]
    pub(super) fn one(&self, gate: &dyn Gate, rule: &str) -> String {
        let (findings, _) = self.weigh(gate);
        assert!(
            findings.len() == 1 && findings[0].starts_with(&format!("{rule} at ")),
            "{findings:?}"
        );
        findings[0].clone()
    }
}

/// A card with everything in it.
const CARD: &str = "---\nlicense: mit\nlibrary_name: sklearn\npipeline_tag: tabular-classification\n---\n\
                    # Churn\n\n## Intended use\n\nScores.\n\n## Training data\n\nContracts.\n\n\
                    ## Limitations\n\nOne country.\n\n## Bias and risks\n\nAge is a proxy.\n";

fn place(line: u32, column: u32) -> Location {
    Location::at("weighbridge.yml", Position { line, column })
}

fn model() -> Model {
    let statement = Statement {
        text: "One country.".into(),
        by: "A. Person".into(),
        date: date(2026, 1, 1),
        at: place(30, 5),
    };
    let benchmark = Benchmark {
        metric: "f1".into(),
        file: "metrics.json".into(),
        file_is_default: false,
        place: Place::Pointer("/f1".into()),
        min: Some(0.9),
        max: None,
        warn_min: None,
        warn_max: None,
        target: None,
        direction: None,
        no_worse_than: None,
        max_gap: None,
        allow_partial: false,
        dataset: None,
        split: None,
        config: None,
        revision: None,
        hub_benchmark: None,
        at: place(19, 7),
        at_min: place(20, 12),
        at_max: place(19, 7),
    };
    Model {
        name: "churn".into(),
        at: place(2, 1),
        path: "model".into(),
        description: None,
        library: Some("sklearn".into()),
        task: Some("tabular-classification".into()),
        license: Some(License { id: "mit".into(), name: None, link: None, at: place(5, 1) }),
        language: Vec::new(),
        base_models: Vec::new(),
        datasets: Vec::new(),
        base_models_at: place(2, 1),
        datasets_at: place(2, 1),
        sensitive: false,
        tags: Vec::new(),
        include: Vec::new(),
        exclude: Vec::new(),
        stages: Vec::new(),
        gates: Gates {
            tests: TestsGate { at: place(10, 3), ..TestsGate::default() },
            benchmarks: vec![benchmark],
            ..Gates::default()
        },
        card: Card {
            required: vec![Section::Limitations],
            statements: [(Section::Limitations, statement)].into(),
            ..Card::default()
        },
        publish: Publish::default(),
    }
}

fn report() -> TestReport {
    TestReport {
        path: "junit.xml".into(),
        sha256: Digest::of(b""),
        modified: None,
        commit: None,
        passed: 3,
        skipped: 1,
        failures: Vec::new(),
        failures_beyond: 0,
    }
}

fn metric(value: MetricValue) -> Metric {
    Metric {
        name: "f1".into(),
        file: "metrics.json".into(),
        sha256: Some(Digest::of(b"")),
        modified: None,
        pointer: "/f1".into(),
        at: Location::at("metrics.json", Position { line: 4, column: 9 }),
        value,
        number: None,
        slices: Ok(Vec::new()),
        partial: None,
        lineage: Lineage::default(),
        earlier: Earlier::NotCompared,
    }
}
