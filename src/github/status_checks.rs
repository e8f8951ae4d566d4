//! Check runs and commit statuses: what other checks said of a commit.
//! <https://docs.github.com/rest/checks/runs#list-check-runs-for-a-git-reference>

use std::collections::BTreeSet;

use serde::Deserialize;

use super::client::Client;
use super::error::{GitHubError, Permission};
use super::pulls::Origin;

/// Longest name that is kept.
const NAME: usize = 200;

/// What ran on the tagged commit, and on the head of the pull request that it came by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checks {
    /// On the tagged commit.
    pub tagged: Vec<Check>,
    /// On the head of the pull request, where that is another commit.
    pub head: Vec<Check>,
}

/// One check run or commit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// The commit it ran on.
    pub commit: String,
    /// How it ended.
    pub outcome: Outcome,
    /// It is a job of the run that asks.
    pub of_run: bool,
    /// It stands for the run that asks, or has not ended in it: nothing to wait for, nothing to judge by.
    pub own: bool,
}

/// The run that asks.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Its number.
    pub run: Option<u64>,
    /// The name of the check run that it makes.
    pub check: &'a str,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Success, or neutral.
    Green,
    /// It was skipped: nothing was looked at.
    Skipped,
    /// Not ended yet.
    Running,
    /// Anything else, in GitHub's word.
    Red(String),
}

#[derive(Deserialize)]
struct Runs {
    check_runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    name: String,
    #[serde(default)]
    status: String,
    conclusion: Option<String>,
    details_url: Option<String>,
}

#[derive(Deserialize)]
struct Statuses {
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Status {
    context: String,
    state: String,
}

/// What ran on a commit and on the head of the pull request that it came by.
pub(super) async fn checks(
    github: &Client,
    commit: &str,
    origin: &Origin,
    asking: Asking<'_>,
) -> Result<Checks, GitHubError> {
    let mut checks = Checks { tagged: on(github, commit, asking.run).await?, head: Vec::new() };
    disown(&mut checks.tagged, asking.check);
    if let Some(pull) = origin.pulls.first().filter(|pull| pull.head != commit) {
        checks.head = on(github, &pull.head, None).await?;
    }
    Ok(checks)
}

/// Marks what stands for the run that asks: its own check run of an earlier try, and what an earlier
/// run of the same jobs left.
fn disown(checks: &mut [Check], own: &str) {
    let jobs: BTreeSet<_> =
        checks.iter().filter(|check| check.of_run).map(|check| check.name.clone()).collect();
    let several = format!("{own} (");
    for check in checks {
        let is_ours = check.name == own || check.name.starts_with(&several);
        check.own = is_ours
            || if check.of_run {
                check.outcome == Outcome::Running
            } else {
                jobs.contains(&check.name)
            };
    }
}

async fn on(github: &Client, commit: &str, run: Option<u64>) -> Result<Vec<Check>, GitHubError> {
    let route = github.route(&format!("/commits/{commit}/check-runs?filter=latest"));
    let runs = github.pages(&route, Permission::Checks, |page: Runs| page.check_runs).await?;
    let route = github.route(&format!("/commits/{commit}/status"));
    let statuses =
        github.pages(&route, Permission::Statuses, |page: Statuses| page.statuses).await?;
    let own = run.map(|run| format!("/actions/runs/{run}/"));
    let runs = runs.into_iter().map(|run| {
        let url = run.details_url.unwrap_or_default();
        let of_run = own.as_ref().is_some_and(|own| url.contains(own.as_str()));
        let outcome = ended(&run.status, run.conclusion.as_deref());
        Check { name: cut(&run.name), commit: commit.to_owned(), outcome, of_run, own: false }
    });
    let statuses = statuses.into_iter().map(|status| {
        let outcome = match status.state.as_str() {
            "success" => Outcome::Green,
            "pending" => Outcome::Running,
            other => Outcome::Red(cut(other)),
        };
        let name = cut(&status.context);
        Check { name, commit: commit.to_owned(), outcome, of_run: false, own: false }
    });
    let mut checks: Vec<_> = runs.chain(statuses).collect();
    checks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(checks)
}

fn ended(status: &str, conclusion: Option<&str>) -> Outcome {
    match (status, conclusion) {
        ("completed", Some("success" | "neutral")) => Outcome::Green,
        ("completed", Some("skipped")) => Outcome::Skipped,
        ("completed", other) => Outcome::Red(cut(other.unwrap_or("no conclusion"))),
        _ => Outcome::Running,
    }
}

fn cut(text: &str) -> String {
    text.chars().take(NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_that_asks_is_not_waited_for_nor_judged() {
        let check = |name: &str, of_run, outcome| Check {
            name: name.into(),
            commit: "c".into(),
            outcome,
            of_run,
            own: false,
        };
        let red = || Outcome::Red("failure".into());
        let cases = [
            (check("release", true, Outcome::Running), true),
            (check("release", false, red()), true),
            (check("tests", true, red()), false),
            (check("tests", false, Outcome::Green), true),
            (check("lint", false, Outcome::Running), false),
            (check("weighbridge", false, red()), true),
            (check("weighbridge (churn)", false, red()), true),
            (check("weighbridge-lint", false, red()), false),
        ];
        let mut checks: Vec<_> = cases.iter().map(|(check, _)| check.clone()).collect();
        disown(&mut checks, "weighbridge");
        for (check, (_, own)) in checks.iter().zip(&cases) {
            assert_eq!(check.own, *own, "{check:?}");
        }
    }
}
