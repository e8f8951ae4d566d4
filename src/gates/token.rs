//! The Hub token: fine-grained, no more powerful than its work, not too old, of a machine.

mod reach;
mod rules;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Gate, Judgement, Load};
use crate::failure::Failure;
use crate::finding::{Finding, Rule};
use crate::hub::wire::{AccessToken, Kind, Role, WhoAmI};
use crate::policy::{Policy, TokenGate};
use crate::release::{Channel, Target};
use rules::{AGES, NOT_FINE_GRAINED, NOT_TOLD, OVER_POWERFUL, PERSONAL, READ_ONLY, TOO_OLD};

/// The kind of token that somebody made and stored.
const STORED: &str = "access_token";
/// The stage that answers to the public.
const PRODUCTION: &str = "production";
/// Longest name of a server's that is shown.
const SHOWN: usize = 60;

/// The token gate.
pub struct Token;

impl Gate for Token {
    fn name(&self) -> &'static str {
        "token"
    }

    fn rules(&self) -> Vec<&'static Rule> {
        vec![&READ_ONLY, &NOT_FINE_GRAINED, &OVER_POWERFUL, &TOO_OLD, &AGES, &PERSONAL, &NOT_TOLD]
    }

    fn weigh(&self, load: &Load<'_>) -> Result<Judgement, Failure> {
        if load.rehearsal {
            return Ok(Judgement::skipped("a rehearsal uses the embedded Hub's own token"));
        }
        let Some(holder) = load.holder else {
            return Ok(Judgement::skipped("no stored token was used"));
        };
        let exists = load.published.is_some_and(|published| published.exists);
        Ok(judge(
            holder,
            &Work {
                policy: load.policy,
                settings: &load.model.gates.token,
                target: load.target,
                exists,
                today: load.today,
            },
        ))
    }
}

/// What a token is for.
pub struct Work<'a> {
    /// The policy, all of whose repositories a token may write.
    pub policy: &'a Policy,
    /// The model's own settings.
    pub settings: &'a TokenGate,
    /// Where the release goes.
    pub target: Option<&'a Target>,
    /// Whether the repository is known to be there.
    pub exists: bool,
    /// The day of the run.
    pub today: Date,
}

impl Work<'_> {
    fn finding(&self, rule: &'static Rule, message: String) -> Finding {
        Finding::new(rule, message, self.settings.at.clone())
    }
}

/// What there is to say of a token.
pub fn judge(holder: &WhoAmI, work: &Work<'_>) -> Judgement {
    let Some(token) = holder.token() else { return issued(holder, work) };
    let name = token.display_name.as_deref().map(|name| format!(" `{}`", shown(name)));
    let whose = format!("the token{} of {}", name.unwrap_or_default(), shown(&holder.name));
    let mut findings = of_role(token, &whose, work);
    findings.extend(of_org(holder, work));
    let (age, finding) = of_age(token, &whose, work);
    findings.extend(finding);
    findings.extend(of_person(holder, &whose, work));
    let kind = match token.role {
        Role::Read => "a token that reads",
        Role::Write | Role::God => "a token that writes everywhere",
        Role::FineGrained => "a fine-grained token",
        Role::Unknown => "a token of an unknown role",
    };
    Judgement::new(format!("{kind} of {}, {age}", shown(&holder.name)), findings)
}

/// A token that the Hub issued for one thing, which has to be a repository of the policy.
fn issued(holder: &WhoAmI, work: &Work<'_>) -> Judgement {
    let name = shown(&holder.name);
    let of = holder.auth.resource.as_ref().and_then(|resource| resource.sub.as_deref());
    let kind = holder.auth.kind.as_deref().filter(|kind| *kind != STORED);
    let (Some(kind), Some(of)) = (kind, of) else {
        let message = format!("the Hub does not tell what the token of {name} may do");
        return Judgement::new("not told by the Hub", vec![work.finding(&NOT_TOLD, message)]);
    };
    let until = holder.auth.expires_at.as_deref().map(|end| format!(", until {}", shown(end)));
    let until = until.unwrap_or_default();
    let note = format!("issued for this run to {name} ({}){until}", shown(kind));
    let is_meant = reach::is_its_work(work.policy, of) || work.settings.named(of);
    let beyond = (!is_meant).then(|| {
        let message = format!("the token of {name} was issued for {}", shown(of));
        let fix = "have it issued for a repository of the policy; what it may write beside them by intent is \
                   named in `gates.token.may-write`";
        work.finding(&OVER_POWERFUL, message).with_fix(fix)
    });
    Judgement::new(note, beyond.into_iter().collect())
}

fn of_role(token: &AccessToken, whose: &str, work: &Work<'_>) -> Vec<Finding> {
    let one = |rule, message: String| vec![work.finding(rule, message)];
    match (token.role, &token.fine_grained) {
        (Role::Read, _) => one(&READ_ONLY, format!("{whose} may only read")),
        (Role::Write | Role::God | Role::Unknown, _) if !work.settings.fine_grained => Vec::new(),
        (Role::Write | Role::God, _) => {
            one(&NOT_FINE_GRAINED, format!("{whose} writes wherever its user can write"))
        }
        (Role::Unknown, _) => {
            one(&NOT_FINE_GRAINED, format!("{whose} has a role that is not known"))
        }
        (Role::FineGrained, None) => {
            one(&NOT_TOLD, format!("the Hub does not tell the scopes of {whose}"))
        }
        (Role::FineGrained, Some(fine)) => {
            let mut findings = Vec::new();
            let reach = reach::of(fine, work);
            if !reach.beyond.is_empty() {
                let message =
                    format!("{whose} can do more than release: {}", reach.beyond.join("; "));
                let fix = rules::narrow(work);
                findings.push(work.finding(&OVER_POWERFUL, message).with_fix(fix));
            }
            if !reach.unnamed.is_empty() {
                let things = reach.unnamed.join("; ");
                let message = format!("the Hub does not tell all that {whose} can write: {things}");
                findings.push(work.finding(&NOT_TOLD, message));
            }
            // What is not there yet cannot be in a scope.
            if let Some(target) = work.target.filter(|_| work.exists && !reach.target) {
                let message = format!("the scopes of {whose} do not let it write {}", target.repo);
                findings.push(work.finding(&READ_ONLY, message));
            }
            findings
        }
    }
}

/// What the target's organisation says of the token and its holder.
fn of_org(holder: &WhoAmI, work: &Work<'_>) -> Option<Finding> {
    let target = work.target?;
    let org = holder.org(target.repo.namespace())?;
    let name = target.repo.namespace();
    if !org.security_restrictions.is_empty() {
        let why: Vec<_> = org.security_restrictions.iter().take(5).map(|why| shown(why)).collect();
        let message = format!("{name} does not take this token: {}", why.join(", "));
        return Some(work.finding(&READ_ONLY, message));
    }
    let role = org.role_in_org.as_deref().filter(|role| matches!(*role, "read" | "no_access"))?;
    // A role in a group of repositories may go further.
    org.resource_groups.is_empty().then(|| {
        let message = format!("{} has the role `{role}` in {name}", shown(&holder.name));
        work.finding(&READ_ONLY, message)
    })
}

/// How old a token is, for the note, and what there is to say of that.
fn of_age(token: &AccessToken, whose: &str, work: &Work<'_>) -> (String, Option<Finding>) {
    let made = token.created_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let age = made.and_then(|made| {
        let made = made.to_zoned(TimeZone::UTC).date();
        Some((made, i64::from(made.until(work.today).ok()?.get_days())))
    });
    // Days begin at different times in different places.
    let Some((made, age)) = age.filter(|(_, age)| *age >= -1) else {
        let message = format!("the Hub does not tell when {whose} was made");
        return ("of unknown age".into(), Some(work.finding(&NOT_TOLD, message)));
    };
    let (most, ahead) = (i64::from(work.settings.max_age), i64::from(work.settings.warn_before));
    let old = format!("{} days old", age.max(0));
    let rule = if age > most {
        &TOO_OLD
    } else if age > most - ahead {
        &AGES
    } else {
        return (old, None);
    };
    let left = if age > most { String::new() } else { format!(", {} days left", most - age) };
    let message = format!("{whose} was made on {made}, {age} days ago; {most} pass{left}");
    (old, Some(work.finding(rule, message)))
}

fn of_person(holder: &WhoAmI, whose: &str, work: &Work<'_>) -> Option<Finding> {
    let target = work.target?;
    let is_person = holder.kind == Kind::User && !work.settings.is_machine(&holder.name);
    let is_production = target.stage.eq_ignore_ascii_case(PRODUCTION)
        || target.revision == Channel::Production.branch();
    (is_person && is_production).then(|| {
        let message = format!(
            "{whose}, who is no machine account of the policy, releases to `{}` ({})",
            target.stage, target.repo
        );
        work.finding(&PERSONAL, message)
    })
}

/// A name that a server gave, as far as it is shown.
fn shown(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    name.replace('`', "'")
}
