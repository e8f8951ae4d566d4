//! What protects a branch and a tag, as far as a token may see that is no administrator's.
//! <https://docs.github.com/rest/repos/rules>

use std::collections::BTreeSet;

use globset::GlobBuilder;
use serde::Deserialize;

use super::branches;
use super::client::{Client, segment};
use super::error::{GitHubError, Permission};

/// Rulesets whose details are read.
const MOST_RULESETS: usize = 30;

/// What protects where a version comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// The branch that was asked for.
    pub branch: Branch,
    /// The tag, where it was asked for.
    pub tag: Option<TagRules>,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// Branch protection of the older kind, or a ruleset, by GitHub's own word.
    pub protected: bool,
    /// Kinds of the active rules for it.
    pub rules: BTreeSet<String>,
    /// The commit that is asked about lies on it.
    pub holds: bool,
}

/// The active rules for a tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagRules {
    /// Kinds of rules: `deletion`, `update`, `creation`, …
    pub rules: BTreeSet<String>,
    /// Names of the rulesets.
    pub rulesets: Vec<String>,
    /// Patterns of rulesets that cannot be read: none of them counts as one that covers the tag.
    pub unread: Vec<String>,
}

#[derive(Deserialize)]
struct WireBranch {
    name: String,
    protected: bool,
    commit: Tip,
}

#[derive(Deserialize)]
struct Tip {
    sha: String,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Listed {
    id: u64,
    target: Option<String>,
    #[serde(default)]
    enforcement: String,
}

#[derive(Deserialize)]
struct Ruleset {
    #[serde(default)]
    name: String,
    conditions: Option<Conditions>,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Conditions {
    ref_name: Option<RefName>,
}

#[derive(Deserialize)]
struct RefName {
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
}

/// What protects a branch (the default one unless it is named) and a tag, and whether a commit lies on it.
pub(super) async fn protection(
    github: &Client,
    commit: &str,
    branch: Option<&str>,
    tag: Option<&str>,
) -> Result<Protection, GitHubError> {
    let name = branches::or_default(github, branch).await?;
    let found: WireBranch = github
        .get(&github.route(&format!("/branches/{}", segment(&name))), Permission::Contents)
        .await?;
    let route = github.route(&format!("/rules/branches/{}", segment(&name)));
    let rules = github.pages(&route, Permission::Metadata, |page: Vec<Rule>| page).await?;
    let rules = rules.into_iter().map(|rule| rule.kind).collect();
    let holds = branches::holds(github, &found.commit.sha, commit).await?;
    let branch = Branch { name: found.name, protected: found.protected, rules, holds };
    let tag = match tag {
        Some(tag) => Some(tag_rules(github, tag).await?),
        None => None,
    };
    Ok(Protection { branch, tag })
}

/// GitHub has no question for the rules of a tag, as it has for those of a branch.
async fn tag_rules(github: &Client, tag: &str) -> Result<TagRules, GitHubError> {
    let route = github.route("/rulesets?targets=tag&includes_parents=true");
    let listed = github.pages(&route, Permission::Metadata, |page: Vec<Listed>| page).await?;
    let active = listed.into_iter().filter(|one| {
        one.enforcement == "active" && one.target.as_deref().is_none_or(|of| of == "tag")
    });
    let mut all = TagRules::default();
    for one in active.take(MOST_RULESETS) {
        let route = github.route(&format!("/rulesets/{}?includes_parents=true", one.id));
        let ruleset: Ruleset = github.get(&route, Permission::Metadata).await?;
        let names = ruleset.conditions.and_then(|conditions| conditions.ref_name);
        if names.is_some_and(|names| names.cover(tag, &mut all.unread)) {
            all.rules.extend(ruleset.rules.into_iter().map(|rule| rule.kind));
            all.rulesets.push(ruleset.name.chars().take(200).collect());
        }
    }
    Ok(all)
}

impl RefName {
    /// Whether the ruleset is for a tag: named by one pattern, and left out by none. A pattern that cannot
    /// be read names nothing, and may leave out everything.
    fn cover(&self, tag: &str, unread: &mut Vec<String>) -> bool {
        let full = format!("refs/tags/{tag}");
        let mut any = |patterns: &[String], otherwise: bool| {
            // None is passed over: all that cannot be read are told.
            let each = patterns.iter().map(|pattern| {
                matches(pattern, &full).unwrap_or_else(|| {
                    unread.push(pattern.chars().take(200).collect());
                    otherwise
                })
            });
            each.fold(false, |any, one| any | one)
        };
        any(&self.include, false) & !any(&self.exclude, true)
    }
}

/// GitHub's patterns are Ruby's `fnmatch` with `FNM_PATHNAME`: `*` stays within one folder, and braces
/// are nothing but braces, as they are not here. `None` where a pattern cannot be read.
fn matches(pattern: &str, name: &str) -> Option<bool> {
    if pattern == "~ALL" {
        return Some(true);
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().ok();
    let glob = glob.filter(|_| !pattern.contains(['{', '}']))?;
    Some(glob.compile_matcher().is_match(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ruleset_is_for_what_it_names_and_does_not_leave_out() {
        for (include, exclude, tag, covers) in [
            (&["~ALL"][..], &[][..], "v1.0.0", true),
            // What cannot be read names nothing, and leaves out what it may mean.
            (&["~ALL"], &["refs/tags/[v"], "v1.0.0", false),
            (&["~ALL"], &["refs/tags/{v"], "v1.0.0", false),
            (&["~ALL"], &["refs/tags/{v,w}*"], "x1.0.0", false),
            (&["refs/tags/{v,w}*"], &[], "v1.0.0", false),
            (&["refs/tags/[v", "refs/tags/v*"], &[], "v1.0.0", true),
            (&["refs/tags/v*"], &[], "v1.0.0", true),
            (&["refs/tags/v*"], &[], "churn/v1.0.0", false),
            (&["refs/tags/**/v*"], &[], "churn/v1.0.0", true),
            (&["refs/tags/v*"], &["refs/tags/v0.*"], "v0.9.0", false),
            (&["~ALL"], &["~ALL"], "v1.0.0", false),
            (&["refs/heads/v*"], &[], "v1.0.0", false),
            (&["refs/tags/[v"], &[], "v1.0.0", false),
            (&[], &[], "v1.0.0", false),
        ] {
            let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            let names = RefName { include: own(include), exclude: own(exclude) };
            let mut unread = Vec::new();
            assert_eq!(names.cover(tag, &mut unread), covers, "{include:?} {exclude:?} {tag}");
            let patterns = include.iter().chain(exclude);
            let odd: Vec<_> = patterns.filter(|one| one.contains(['[', '{'])).copied().collect();
            assert_eq!(unread, odd);
        }
    }
}
