//! GitHub as a runner sees it: the environment of a job, and a fake of the API with a memory. Its answers
//! are the official description's own examples with the fields that a test is about; prism, between it and
//! us, refuses what does not fit.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Json;
use serde_json::{Value, json};

use super::counterpart;
use super::workspace::Workspace;

/// The job's own token.
pub(crate) const TOKEN: &str = "ghs_notarealtokenbutlongenoughtobeone";

/// A workspace as GitHub's runner has it, on a push of the tag.
pub(crate) fn on_runner(workspace: &mut Workspace, api: &str) {
    let file = |name: &str| workspace.home().join(name).to_str().expect("UTF-8").to_owned();
    let (summary, output, temp) = (file("summary.md"), file("output.txt"), file("temp"));
    let place = workspace.path().to_str().expect("UTF-8").to_owned();
    let head = workspace.head();
    workspace
        .set("GITHUB_ACTIONS", "true")
        .set("GITHUB_WORKSPACE", place)
        .set("GITHUB_REPOSITORY", "acme/churn")
        .set("GITHUB_EVENT_NAME", "push")
        .set("GITHUB_REF", "refs/tags/v1.0.0")
        .set("GITHUB_SHA", head)
        .set("GITHUB_API_URL", api)
        .set("GITHUB_STEP_SUMMARY", summary)
        .set("GITHUB_OUTPUT", output)
        .set("RUNNER_TEMP", temp)
        .set("INPUT_GITHUB-TOKEN", TOKEN);
}

/// The branch's last commit, forty times.
const TIP: &str = "b";

/// What GitHub knows of `acme/churn`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) pulls: Vec<Pull>,
    /// Check runs by commit: name, status, conclusion, address.
    pub(crate) checks: BTreeMap<String, Vec<[&'static str; 4]>>,
    /// Commit statuses by commit: name, state.
    pub(crate) statuses: BTreeMap<String, Vec<[&'static str; 2]>>,
    pub(crate) tag: Option<Tag>,
    /// Answers of reviewers of environments: who, state, environment.
    pub(crate) approvals: Vec<[&'static str; 3]>,
    pub(crate) protected: bool,
    pub(crate) branch_rules: Vec<&'static str>,
    /// How the tagged commit stands to the branch; nothing where they have no history in common.
    pub(crate) compared: Option<&'static str>,
    /// Rules of the tag's ruleset, and the patterns it is for and not for.
    pub(crate) tag_rules: Vec<&'static str>,
    pub(crate) tag_pattern: &'static str,
    pub(crate) tag_exclude: Vec<&'static str>,
    /// What people may do here who may not write.
    pub(crate) access: BTreeMap<&'static str, &'static str>,
    /// Addresses of people who have a commit in the repository, with their accounts.
    pub(crate) addresses: BTreeMap<&'static str, &'static str>,
    /// Members of the team `ml`; `None` where the token may see no team.
    pub(crate) team: Option<Vec<&'static str>>,
}

/// A pull request.
#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) head: String,
    /// The commit that it was merged as; nothing while it is open.
    pub(crate) merged: Option<String>,
    /// Commits that it brought beside the head.
    pub(crate) brought: Vec<String>,
    pub(crate) author: &'static str,
    /// The branch that it goes into.
    pub(crate) base: &'static str,
    pub(crate) commits: Vec<Commit>,
    pub(crate) reviews: Vec<Review>,
}

/// A commit of a pull request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commit {
    /// The author's account, if the address belongs to one.
    pub(crate) account: Option<&'static str>,
    pub(crate) email: &'static str,
    pub(crate) message: &'static str,
}

/// A review.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub(crate) by: &'static str,
    pub(crate) state: &'static str,
    pub(crate) commit: String,
}

/// A tag.
#[derive(Debug, Clone)]
pub(crate) struct Tag {
    pub(crate) commit: String,
    pub(crate) annotated: bool,
    /// The name it was made with.
    pub(crate) made_as: &'static str,
    pub(crate) reason: &'static str,
}

impl Pull {
    /// Somebody with write access says something of the head as it is.
    pub(crate) fn say(&mut self, by: &'static str, state: &'static str) -> &mut Review {
        let commit = self.head.clone();
        self.reviews.push(Review { by, state, commit });
        self.reviews.last_mut().expect("just pushed")
    }

    /// Somebody dismisses what a reviewer said: GitHub changes the review itself.
    pub(crate) fn dismiss(&mut self, by: &str) {
        let theirs = self.reviews.iter_mut().filter(|review| review.by == by);
        theirs.for_each(|review| review.state = "DISMISSED");
    }
}

/// The fake. It stops with the runtime of its test.
pub(crate) struct FakeGitHub {
    pub(crate) url: String,
    memory: Arc<Mutex<Memory>>,
}

impl FakeGitHub {
    pub(crate) async fn start() -> Self {
        let memory = Arc::new(Mutex::new(Memory::default()));
        let app = Router::new().fallback(answer).with_state(memory.clone());
        let listener =
            tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, memory }
    }

    /// What it is to know from now on.
    pub(crate) fn know(&self, memory: Memory) {
        *self.memory() = memory;
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Answer = (StatusCode, Json<Value>);

async fn answer(State(memory): State<Arc<Mutex<Memory>>>, uri: Uri) -> Answer {
    let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    let found = memory.answer(uri.path(), uri.query().unwrap_or_default());
    match found {
        Some(found) => (StatusCode::OK, Json(found)),
        None => (
            StatusCode::NOT_FOUND,
            Json(
                json!({"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}),
            ),
        ),
    }
}

impl Memory {
    fn answer(&self, path: &str, query: &str) -> Option<Value> {
        let path = path.replace("%2F", "/");
        let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["repos", "acme", "churn"] => {
                let mut found = example("full-repository-default-response");
                // What the description requires and its example leaves out, here and below.
                found["language"] = "Python".into();
                found["source"]["language"] = "Python".into();
                found["default_branch"] = "main".into();
                Some(found)
            }
            ["repos", "acme", "churn", rest @ ..] => self.of_repository(rest, query),
            ["orgs", "acme", "teams", "ml"] => {
                self.team.as_ref()?;
                let mut found = example("team-full");
                found["type"] = "organization".into();
                found["organization"]["archived_at"] = Value::Null;
                Some(found)
            }
            ["orgs", "acme", "teams", "ml", "memberships", who] => {
                let member = self.team.as_ref()?.contains(who);
                member.then(|| json!({"url": "https://api.github.com/x", "role": "member", "state": "active"}))
            }
            _ => None,
        }
    }

    fn of_repository(&self, rest: &[&str], query: &str) -> Option<Value> {
        let list = |items: Vec<Value>| Some(page(&items, query).into());
        let pull = |number: &str| self.pulls.iter().find(|pull| pull.number.to_string() == number);
        match rest {
            ["commits", commit, "pulls"] => list(
                self.pulls
                    .iter()
                    .filter(|pull| {
                        let has = |sha: &String| sha == commit;
                        has(&pull.head) || pull.merged.iter().chain(&pull.brought).any(has)
                    })
                    .map(wire_pull)
                    .collect(),
            ),
            ["pulls", number, "reviews"] => {
                let reviews = pull(number)?.reviews.iter().enumerate();
                list(reviews.map(|(index, review)| wire_review(index, review)).collect())
            }
            ["pulls", number, "commits"] => {
                list(pull(number)?.commits.iter().map(wire_commit).collect())
            }
            ["commits"] => {
                let (_, email) = query.split('&').find_map(|pair| pair.split_once("author="))?;
                let of = self.addresses.get_key_value(email.replace("%40", "@").as_str());
                let commits =
                    of.map(|(email, login)| Commit { account: Some(login), email, message: "" });
                list(commits.iter().map(wire_commit).collect())
            }
            ["collaborators", who, "permission"] => {
                let permission = self.access.get(who).copied().unwrap_or("write");
                let role = if permission == "write" { "maintain" } else { permission };
                let mut found = example(
                    "repository-collaborator-permission-response-if-user-has-admin-permissions",
                );
                found["permission"] = permission.into();
                found["role_name"] = role.into();
                found["user"] = with(&user(who), &[("role_name", json!(role))]);
                Some(found)
            }
            ["commits", commit, "check-runs"] => {
                let runs = self.checks.get(*commit).into_iter().flatten();
                let runs: Vec<_> = runs.map(wire_check).collect();
                Some(json!({"total_count": runs.len(), "check_runs": page(&runs, query)}))
            }
            ["commits", commit, "status"] => {
                let mut found = example("combined-commit-status");
                let status = found["statuses"][0].clone();
                let statuses = self.statuses.get(*commit).into_iter().flatten();
                let statuses: Vec<_> = statuses
                    .map(|[name, state]| {
                        with(&status, &[("context", json!(name)), ("state", json!(state))])
                    })
                    .collect();
                found["statuses"] = page(&statuses, query).into();
                found["total_count"] = statuses.len().into();
                Some(found)
            }
            ["actions", "runs", "7", "approvals"] => {
                let one = example("environment-approvals-items")[0].clone();
                let approvals = self.approvals.iter().map(|[who, state, environment]| {
                    let mut found = with(&one, &[("state", json!(state)), ("user", user(who))]);
                    found["environments"][0]["name"] = (*environment).into();
                    found
                });
                Some(approvals.collect::<Vec<_>>().into())
            }
            _ => self.of_refs(rest, query),
        }
    }

    /// Branches, tags, and what protects them.
    fn of_refs(&self, rest: &[&str], query: &str) -> Option<Value> {
        let list = |items: Vec<Value>| Some(page(&items, query).into());
        match rest {
            ["git", "ref", "tags", name @ ..] => {
                let tag = self.tag.as_ref().filter(|_| name.join("/") == "v1.0.0")?;
                let mut found = example("git-ref");
                found["ref"] = "refs/tags/v1.0.0".into();
                found["object"]["type"] = if tag.annotated { "tag" } else { "commit" }.into();
                found["object"]["sha"] =
                    if tag.annotated { "a".repeat(40) } else { tag.commit.clone() }.into();
                Some(found)
            }
            ["git", "tags", _] => {
                let tag = self.tag.as_ref()?;
                let mut found = example("git-tag");
                found["tag"] = tag.made_as.into();
                found["object"]["sha"] = tag.commit.clone().into();
                found["verification"]["verified"] = (tag.reason == "valid").into();
                found["verification"]["reason"] = tag.reason.into();
                Some(found)
            }
            ["compare", both] if both.starts_with(&TIP.repeat(40)) => {
                let mut found = example("commit-comparison");
                found["status"] = self.compared?.into();
                Some(found)
            }
            ["branches", name @ ..] => {
                let mut found = example("branch-get");
                found["name"] = name.join("/").into();
                found["protected"] = self.protected.into();
                found["commit"]["sha"] = TIP.repeat(40).into();
                Some(found)
            }
            ["rules", "branches", ..] => list(
                self.branch_rules
                    .iter()
                    .map(|kind| json!({"type": kind, "ruleset_source_type": "Repository", "ruleset_source": "acme/churn", "ruleset_id": 1}))
                    .collect(),
            ),
            ["rulesets"] => {
                let one = example("repository-ruleset-items")[0].clone();
                let changed = [("id", json!(3)), ("target", json!("tag")), ("enforcement", json!("active"))];
                list(if self.tag_rules.is_empty() { Vec::new() } else { vec![with(&one, &changed)] })
            }
            ["rulesets", "3"] => {
                let mut found = example("repository-ruleset");
                let rules = self.tag_rules.iter().map(|kind| json!({"type": kind}));
                found["target"] = "tag".into();
                found["rules"] = rules.collect::<Vec<_>>().into();
                found["conditions"]["ref_name"] =
                    json!({"include": [self.tag_pattern], "exclude": self.tag_exclude});
                Some(found)
            }
            _ => None,
        }
    }
}

/// The page of a list that a query asks for.
fn page(items: &[Value], query: &str) -> Vec<Value> {
    let number = |name: &str, otherwise: usize| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse().ok());
        value.unwrap_or(otherwise)
    };
    let (size, at) = (number("per_page", 30), number("page", 1));
    items.iter().skip((at - 1) * size).take(size).cloned().collect()
}

/// An example of the official description.
fn example(name: &str) -> Value {
    static EXAMPLES: OnceLock<Value> = OnceLock::new();
    let examples = EXAMPLES.get_or_init(|| {
        let file = "node/node_modules/@octokit/openapi/generated/api.github.com.json";
        let text = std::fs::read(counterpart::folder().join(file)).expect("prism was there");
        let mut description: Value = serde_json::from_slice(&text).expect("JSON");
        description["components"]["examples"].take()
    });
    let found = examples[name]["value"].clone();
    assert!(!found.is_null(), "the description has an example {name}");
    found
}

fn with(value: &Value, fields: &[(&str, Value)]) -> Value {
    let mut value = value.clone();
    for (name, field) in fields {
        value[*name] = field.clone();
    }
    value
}

fn user(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    let user = example("pull-request-review-items")[0]["user"].clone();
    // A number of each one's own.
    let id: u32 = login.bytes().map(u32::from).sum();
    with(&user, &[("login", json!(login)), ("id", json!(id)), ("type", json!(kind))])
}

fn wire_pull(pull: &Pull) -> Value {
    let mut found = example("pull-request-simple-items")[0].clone();
    found["requested_teams"] = json!([]);
    found["number"] = pull.number.into();
    found["user"] = user(pull.author);
    found["head"]["sha"] = pull.head.clone().into();
    found["base"]["ref"] = pull.base.into();
    found["base"]["repo"]["full_name"] = "acme/churn".into();
    found["merge_commit_sha"] = json!(pull.merged);
    found["merged_at"] = json!(pull.merged.as_ref().map(|_| "2026-01-02T03:04:05Z"));
    found
}

fn wire_review(index: usize, review: &Review) -> Value {
    let at = format!("2026-01-01T{:02}:{:02}:00Z", index / 60, index % 60);
    let fields = [
        ("id", json!(index + 100)),
        ("user", user(review.by)),
        ("state", json!(review.state)),
        ("commit_id", json!(review.commit)),
        ("submitted_at", json!(at)),
    ];
    with(&example("pull-request-review-items")[0], &fields)
}

fn wire_commit(commit: &Commit) -> Value {
    let author = commit.account.map(user).unwrap_or_default();
    let fields = [("author", author), ("committer", user("web-flow"))];
    let mut found = with(&example("commit-items")[0], &fields);
    found["commit"]["author"]["email"] = commit.email.into();
    found["commit"]["message"] = commit.message.into();
    found
}

fn wire_check([name, status, conclusion, url]: &[&str; 4]) -> Value {
    let conclusion = Some(conclusion).filter(|conclusion| !conclusion.is_empty());
    let fields = [
        ("name", json!(name)),
        ("status", json!(status)),
        ("conclusion", json!(conclusion)),
        ("details_url", json!(url)),
    ];
    with(&example("check-run-paginated")["check_runs"][0], &fields)
}
