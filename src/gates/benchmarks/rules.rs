//! The rules of the benchmarks gate.

use crate::finding::{Level, Rule};

/// Every rule.
pub(super) const ALL: [&Rule; 21] = [
    &MISSING,
    &NOT_FINITE,
    &NOT_A_NUMBER,
    &PARTIAL,
    &OTHER_COMMIT,
    &BELOW_MIN,
    &ABOVE_MAX,
    &OFF_TARGET,
    &WORSE,
    &GAP,
    &NO_LABELS,
    &NO_DIRECTION,
    &CONTRADICTION,
    &OTHER_UNIT,
    &DROPPED,
    &DOUBTFUL,
    &NOT_COMPARED,
    &NOT_TESTED,
    &OTHER_EXAMPLES,
    &NOT_ASKED,
    &UNBOUNDED,
];

pub(super) const MISSING: Rule = Rule {
    id: "metric-missing",
    level: Level::Error,
    summary: "a metric that the policy names was not found",
    reason: "A bound that is never compared with a number guards nothing.",
    fix: "write the metrics file before this step, or correct `file`, `key`, `task` and `filter` \
          (or `pointer`) in `gates.benchmarks`",
    example: "metric: f1 with {\"accuracy\": 0.9}",
};

pub(super) const NOT_FINITE: Rule = Rule {
    id: "metric-not-finite",
    level: Level::Error,
    summary: "a metric is NaN or infinite",
    reason: "No bound holds for NaN; training that diverged, or a division by an empty class, writes it.",
    fix: "find out where the evaluation divides by zero or overflows, and evaluate again",
    example: "{\"f1\": NaN}",
};

pub(super) const NOT_A_NUMBER: Rule = Rule {
    id: "metric-not-a-number",
    level: Level::Error,
    summary: "what stands at a metric's pointer is not a number",
    reason: "A number in quotes may be a name or a rounded text; only numbers are compared.",
    fix: "write the number without quotes, or let `pointer` lead to the number itself",
    example: "{\"f1\": \"0.93\"}",
};

pub(super) const BELOW_MIN: Rule = Rule {
    id: "metric-below-min",
    level: Level::Error,
    summary: "a metric is below its lowest allowed value",
    reason: "The policy says that a model this weak is not released.",
    fix: "improve the model; or, if the bound is wrong, change `min` in a reviewed commit",
    example: "f1 of 0.81 with `min: 0.9`",
};

pub(super) const ABOVE_MAX: Rule = Rule {
    id: "metric-above-max",
    level: Level::Error,
    summary: "a metric is above its highest allowed value",
    reason: "The policy says that a model with this much loss, error or latency is not released.",
    fix: "improve the model; or, if the bound is wrong, change `max` in a reviewed commit",
    example: "loss of 0.7 with `max: 0.5`",
};

pub(super) const UNBOUNDED: Rule = Rule {
    id: "metric-unbounded",
    level: Level::Note,
    summary: "nothing is asked of a metric",
    reason: "It is shown on the card, but no value of it would ever stop a release.",
    fix: "add `min:`, `max:`, `target:` or `no-worse-than:` beside the metric in `gates.benchmarks`",
    example: "benchmarks: [{metric: f1, file: metrics.json, pointer: /f1}]",
};

pub(super) const PARTIAL: Rule = Rule {
    id: "metric-partial-run",
    level: Level::Error,
    summary: "a metric comes from a run that was cut short",
    reason: "A limit that made an evaluation fast while it was written measures a part of the task, \
             and the number looks like any other.",
    fix: "run the evaluation in full; where a part is what is meant, set `allow-partial: true` \
          beside the metric",
    example: "results of `lm_eval run --limit 10`",
};

pub(super) const OTHER_COMMIT: Rule = Rule {
    id: "metric-other-commit",
    level: Level::Error,
    summary: "a metric names another commit than the one that is released",
    reason: "The number was measured with other code than what would be released.",
    fix: "measure at this commit, and write the results anew",
    example: "commit_info.id of pytest-benchmark, mlflow.source.git.commit, run.git.commit of W&B",
};

pub(super) const OFF_TARGET: Rule = Rule {
    id: "metric-off-target",
    level: Level::Error,
    summary: "a metric is further from its target than the tolerance",
    reason: "The policy names the value that is wanted: a share of positives that moves is drift, \
             whichever way it goes.",
    fix: "find out what moved it; if the target is wrong, change it in a reviewed commit",
    example: "positive_rate of 0.31 with `target: 0.25` and `tolerance: 0.02`",
};

pub(super) const WORSE: Rule = Rule {
    id: "metric-worse",
    level: Level::Error,
    summary: "a metric is worse than it was, by more than the tolerance",
    reason: "Whoever follows this model's versions gets something worse by updating.",
    fix: "improve the model; where the loss is accepted, set `no-worse-than.tolerance` or allow the \
          finding with a reason",
    example: "f1 of 0.91 after 0.94 in version 1.2.0",
};

pub(super) const GAP: Rule = Rule {
    id: "metric-gap",
    level: Level::Error,
    summary: "a metric differs between labels by more than `max-gap`",
    reason: "An average hides the group for which the model does not work.",
    fix: "improve the model for the weaker group; if the bound is wrong, change `max-gap` in a \
          reviewed commit",
    example: "recall of 0.94 for one group and 0.71 for another, with `max-gap: 0.1`",
};

pub(super) const NO_LABELS: Rule = Rule {
    id: "metric-without-labels",
    level: Level::Error,
    summary: "`max-gap` is asked of a metric that has fewer than two labels, or one without a number",
    reason: "A gap that is never computed guards nothing.",
    fix: "let the evaluation write the metric by label (`classification_report(…, \
          output_dict=True)`, or a CSV with the columns metric, label and value)",
    example: "max-gap: 0.1 with {\"recall\": 0.9}",
};

pub(super) const NO_DIRECTION: Rule = Rule {
    id: "metric-direction-unknown",
    level: Level::Error,
    summary: "a metric is to be compared, and nothing says whether more is better",
    reason: "A guess that is wrong lets every loss pass and blocks every gain.",
    fix: "add `direction: higher` or `direction: lower` beside the metric",
    example: "no-worse-than: {release: last} of a latency",
};

pub(super) const CONTRADICTION: Rule = Rule {
    id: "metric-direction-disputed",
    level: Level::Error,
    summary: "the evaluation says the opposite of the policy on whether more is better",
    reason: "One of the two is wrong, and the comparison would be too.",
    fix: "remove `direction` from the policy, or correct it",
    example: "direction: lower with `higher_is_better: true` in the results",
};

pub(super) const OTHER_UNIT: Rule = Rule {
    id: "metric-other-unit",
    level: Level::Error,
    summary: "a metric has another unit than the one that it is compared with",
    reason: "12 seconds after 900 milliseconds would pass for a gain.",
    fix: "write the metric in the unit that it had, or compare it again from the next version on",
    example: "p95 latency in s, and in ms in version 1.2.0",
};

pub(super) const DROPPED: Rule = Rule {
    id: "metric-dropped",
    level: Level::Error,
    summary: "the last release had a metric that this one lacks",
    reason: "A number that fell is easily left out; whoever compares versions misses it.",
    fix: "name the metric in `gates.benchmarks` again, or allow this with a reason (`allow: [{rule: \
          metric-dropped, reason: …, expires: …}]`)",
    example: "f1 in the record of version 1.2.0, and only accuracy now",
};

pub(super) const DOUBTFUL: Rule = Rule {
    id: "metric-doubtful",
    level: Level::Warning,
    summary: "a metric is beyond its warning threshold",
    reason: "It passes, and is close to what does not.",
    fix: "look at the trend before the next release; the threshold is `warn-min` or `warn-max`",
    example: "f1 of 0.91 with `min: 0.9` and `warn-min: 0.92`",
};

pub(super) const NOT_COMPARED: Rule = Rule {
    id: "metric-not-compared",
    level: Level::Warning,
    summary: "a metric is to be compared with one that is not there",
    reason: "A comparison that never takes place guards nothing.",
    fix: "correct `no-worse-than`; for a metric that is new in this version, nothing: the next \
          version is compared with it",
    example: "no-worse-than: {file: baseline.json} without that file",
};

pub(super) const NOT_TESTED: Rule = Rule {
    id: "metric-not-tested",
    level: Level::Warning,
    summary: "a confidence is asked for, and there is too little for a test",
    reason: "Without standard errors on both sides, or with a handful of examples that changed, there is no \
             test; the values alone were compared.",
    fix: "use results with standard errors (lm-evaluation-harness, Inspect AI, a CSV with a column \
          `stderr` or with a row for each example), or remove `confidence`",
    example: "confidence: 0.95 with {\"f1\": 0.91}",
};

pub(super) const OTHER_EXAMPLES: Rule = Rule {
    id: "metric-other-examples",
    level: Level::Warning,
    summary: "the scores on both sides are not of the same examples",
    reason: "A metric that moves with its test data says less of the model, and the test that sees \
             small losses needs the same examples.",
    fix: "evaluate on the examples of the baseline, or commit a baseline of the new ones",
    example: "380 shared examples of 400 now and 390 before",
};

pub(super) const NOT_ASKED: Rule = Rule {
    id: "metric-compared-later",
    level: Level::Note,
    summary: "a metric is compared with a published version when a release is weighed",
    reason: "`check` asks no Hub, so that it needs no token; `release` compares before it publishes.",
    fix: "nothing; to compare on pull requests too, commit a baseline: `no-worse-than: {file: …}`",
    example: "no-worse-than: {release: last} under `weighbridge check`",
};
