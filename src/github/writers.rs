//! Who wrote what is in a pull request: authors and committers of its commits, and whom their messages
//! name as co-authors.
//! <https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request>

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::client::{Client, segment};
use super::error::{GitHubError, Permission};
use super::reviews::Review;

/// Commits of a pull request that GitHub lists at most.
const MOST_LISTED: usize = 250;
/// Addresses of co-authors that GitHub is asked about.
const MOST_ASKED: usize = 20;
/// Longest name that is kept.
const NAME: usize = 60;
/// The account that commits what is merged or edited on the web, and its address.
const WEB: (&str, &str) = ("web-flow", "noreply@github.com");

/// Who wrote in a pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writers {
    /// Logins of accounts.
    pub logins: BTreeSet<String>,
    /// Numbers of accounts, where an address tells them: they outlive a change of the login.
    pub ids: BTreeSet<u64>,
    /// Those whose account GitHub does not tell.
    pub strangers: Vec<Stranger>,
    /// There may be more commits than GitHub lists.
    pub cut_off: bool,
}

/// Somebody who wrote, and whose account is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Name, as the commit has it.
    pub name: String,
    /// A commit that names them.
    pub commit: String,
}

#[derive(Deserialize)]
struct Listed {
    sha: String,
    commit: Git,
    author: Option<Account>,
    committer: Option<Account>,
}

#[derive(Deserialize)]
struct Git {
    author: Option<Person>,
    committer: Option<Person>,
    #[serde(default)]
    message: String,
}

/// GitHub writes an empty object where the address belongs to no account.
#[derive(Deserialize)]
struct Account {
    login: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Person {
    name: Option<String>,
    email: Option<String>,
}

impl Writers {
    /// Whether a review is by one of them.
    pub(super) fn hold(&self, review: &Review) -> bool {
        let is =
            |login: &String| review.by.as_ref().is_some_and(|by| by.eq_ignore_ascii_case(login));
        self.logins.iter().any(is) || review.by_id.is_some_and(|id| self.ids.contains(&id))
    }

    /// How many writers are not known; `None` where there is no saying.
    pub fn unknown(&self) -> Option<usize> {
        (!self.cut_off).then_some(self.strangers.len())
    }
}

/// Everybody who wrote in a pull request. Co-authors with one of the `machines`' addresses are no strangers.
pub(super) async fn of(
    github: &Client,
    number: u64,
    machines: &[String],
) -> Result<Writers, GitHubError> {
    let route = github.route(&format!("/pulls/{number}/commits"));
    let commits: Vec<Listed> =
        github.pages(&route, Permission::PullRequests, |page: Vec<Listed>| page).await?;
    let mut found = Found::default();
    commits.iter().for_each(|commit| found.signatures(commit));
    // Only now is it known which addresses belong to whom.
    commits.iter().for_each(|commit| found.co_authors(commit));
    let asked = found.unknown.iter().filter(|(_, (_, ask))| *ask).map(|(email, _)| email.clone());
    let asked: Vec<_> = asked.take(MOST_ASKED).collect();
    for email in asked {
        if let Some(login) = account_of(github, &email).await? {
            found.unknown.remove(&email);
            found.writers.logins.insert(login);
        }
    }
    // What is left may be a machine, whose account would be known by now. Only in the lines of co-authors is
    // it taken at its word: a commit of one's own that has its address hides who wrote it.
    found.unknown.retain(|address, (_, co_author)| !(*co_author && machines.contains(address)));
    let strangers = found.unknown.into_values().map(|(stranger, _)| stranger).collect();
    Ok(Writers { strangers, cut_off: commits.len() >= MOST_LISTED, ..found.writers })
}

/// The account that an address belongs to, as a commit in the repository by it tells.
async fn account_of(github: &Client, email: &str) -> Result<Option<String>, GitHubError> {
    let route = github.route(&format!("/commits?author={}&per_page=1", segment(email)));
    let commits: Vec<Listed> = github.get(&route, Permission::Contents).await?;
    let theirs = commits.into_iter().find(|commit| {
        let author = commit.commit.author.as_ref();
        author.and_then(Person::address).is_some_and(|address| address == email)
    });
    Ok(theirs.and_then(|commit| commit.author?.login))
}

/// What was read so far.
#[derive(Default)]
struct Found {
    writers: Writers,
    /// Addresses of accounts.
    addresses: BTreeSet<String>,
    /// By address, else by name; and whether it helps to ask whose it is, as for co-authors with an address.
    unknown: BTreeMap<String, (Stranger, bool)>,
}

impl Found {
    fn signatures(&mut self, commit: &Listed) {
        let Git { author, committer, .. } = &commit.commit;
        let signed = [(&commit.author, author, false), (&commit.committer, committer, true)];
        for (account, person, commits) in signed {
            let person = person.clone().unwrap_or_default();
            match account.as_ref().and_then(|account| account.login.as_deref()) {
                // It commits what people write on the web, and is the author of nothing.
                Some(login) if login == WEB.0 && commits => {}
                Some(login) if login == WEB.0 => self.add(person, &commit.sha, false),
                Some(login) => {
                    self.writers.logins.insert(login.to_owned());
                    self.addresses.extend(person.address());
                }
                None if person.address().as_deref() == Some(WEB.1) && commits => {}
                // GitHub has just said that it knows no account of this address.
                None => self.add(person, &commit.sha, false),
            }
        }
    }

    fn co_authors(&mut self, commit: &Listed) {
        for person in co_authors(&commit.commit.message) {
            self.add(person, &commit.sha, true);
        }
    }

    fn add(&mut self, person: Person, commit: &str, ask: bool) {
        let address = person.address();
        if let Some(address) = &address {
            if self.addresses.contains(address) {
                return;
            }
            if let Some((id, login)) = of_noreply(address) {
                self.writers.ids.extend(id);
                self.writers.logins.insert(login.to_owned());
                return;
            }
        }
        let name: String = person.name.unwrap_or_default().trim().chars().take(NAME).collect();
        let (key, ask) = address.map_or_else(|| (name.to_lowercase(), false), |own| (own, ask));
        let name = if name.is_empty() { "somebody".to_owned() } else { name };
        self.unknown.entry(key).or_insert((Stranger { name, commit: commit.to_owned() }, ask));
    }
}

impl Person {
    fn address(&self) -> Option<String> {
        let address = self.email.as_ref()?.trim().to_lowercase();
        (!address.is_empty()).then_some(address)
    }
}

/// Whom a message names as co-authors, wherever in it: `Co-authored-by: Ada <ada@example.org>`.
fn co_authors(message: &str) -> impl Iterator<Item = Person> {
    const KEY: &str = "co-authored-by:";
    message.lines().filter_map(|line| {
        let line = line.trim_start();
        let (key, rest) = line.split_at_checked(KEY.len())?;
        if !key.eq_ignore_ascii_case(KEY) {
            return None;
        }
        let (name, email) = rest.split_once('<').unwrap_or((rest, ""));
        let email = email.split('>').next().unwrap_or_default();
        Some(Person { name: Some(name.to_owned()), email: Some(email.to_owned()) })
    })
}

/// The account in an address that GitHub gives instead of a person's own: `7+ada@users.noreply.github.com`,
/// once without the number.
/// <https://docs.github.com/account-and-profile/reference/email-addresses-reference#your-noreply-email-address>
fn of_noreply(address: &str) -> Option<(Option<u64>, &str)> {
    let (local, host) = address.split_once('@')?;
    if host != "users.noreply.github.com" || local.is_empty() {
        return None;
    }
    match local.split_once('+') {
        Some((id, login)) => Some((Some(id.parse().ok()?), login)),
        None => Some((None, local)),
    }
}

#[cfg(test)]
mod tests;
