//! An emergency: listed people may pass over listed gates, with a reason that stays visible.

/// Gates that an emergency may pass over, where the policy lists them.
pub const PASSED_OVER: [&str; 14] = [
    "review",
    "status-checks",
    "tag-signature",
    "approval",
    "protection",
    "naming",
    "changelog",
    "tests",
    "benchmarks",
    "size",
    "card",
    "license",
    "lineage",
    "audit-log",
];

/// Gates that nothing passes over: what they find harms whoever uses the version, gives a secret
/// away, or destroys what is published.
pub const NEVER_PASSED_OVER: [&str; 4] = ["leaks", "scan", "token", "version"];

/// Fewest characters of a reason: shorter ones say nothing.
const SHORTEST_REASON: usize = 10;
/// Most characters of a reason: it stands in annotations and in the release record.
const LONGEST_REASON: usize = 500;

/// Who may pass over what, as the policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// Logins of people.
    pub who: Vec<String>,
    /// Names of gates, all of [`PASSED_OVER`].
    pub gates: Vec<String>,
}

/// What somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Why.
    pub reason: &'a str,
    /// Who started the run.
    pub actor: Option<&'a str>,
    /// Who started it again, where the CI tells that.
    pub triggering_actor: Option<&'a str>,
    /// The CI tells who started a run again, so that it has to be known.
    pub tells_triggering: bool,
    /// A person started it by hand.
    pub by_hand: bool,
}

/// A claim that was granted. Only [`Emergency::grant`] makes one, and the verdict takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergency {
    reason: String,
    by: Vec<String>,
    gates: Vec<String>,
}

/// Why a claim is not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The policy has none.
    #[error("the policy lists nobody who may pass over gates")]
    NoPermit,
    /// An event, a schedule or a program.
    #[error("only a run that a person started by hand can be an emergency")]
    NotByHand,
    /// The CI does not say who.
    #[error("the CI does not tell {0}")]
    Nobody(&'static str),
    /// Not on the list.
    #[error("`{0}` is not listed in `emergency.who`")]
    NotListed(String),
    /// It says nothing.
    #[error("the reason has {0} characters; {SHORTEST_REASON} to {LONGEST_REASON} are asked for")]
    Reason(usize),
}

impl crate::failure::Advise for Refusal {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::NoPermit => {
                "have `emergency: {who: [a-login], gates: [review]}` reviewed into the policy, or leave the input `emergency` empty".into()
            }
            Self::NotByHand => {
                "start it with \"Run workflow\" (`workflow_dispatch`) or GitLab's \"Run pipeline\", with the tag and the reason as inputs".into()
            }
            Self::Nobody(_) => "start it by hand in the CI's own pages, signed in".into(),
            Self::NotListed(_) => {
                "have somebody start it who is listed, from the beginning: who starts a run again has to be listed too".into()
            }
            Self::Reason(_) => {
                "say what happened and why it cannot wait: `emergency: INC-123, the model in production fails for every customer`".into()
            }
        })
    }
}

impl Emergency {
    /// Grants a claim, if everybody behind it is listed and it says why.
    pub fn grant(permit: Option<&Permit>, claim: &Claim<'_>) -> Result<Self, Refusal> {
        let permit = permit.ok_or(Refusal::NoPermit)?;
        if !claim.by_hand {
            return Err(Refusal::NotByHand);
        }
        let actor = claim.actor.ok_or(Refusal::Nobody("who started the run"))?;
        let mut by = vec![actor.to_owned()];
        match claim.triggering_actor {
            Some(again) if again.eq_ignore_ascii_case(actor) => {}
            Some(again) => by.push(again.to_owned()),
            None if claim.tells_triggering => {
                return Err(Refusal::Nobody("who started the run again"));
            }
            None => {}
        }
        let listed = |login: &str| permit.who.iter().any(|who| who.eq_ignore_ascii_case(login));
        if let Some(stranger) = by.iter().find(|login| !listed(login)) {
            return Err(Refusal::NotListed(stranger.clone()));
        }
        let reason = claim.reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let length = reason.chars().count();
        if !(SHORTEST_REASON..=LONGEST_REASON).contains(&length) {
            return Err(Refusal::Reason(length));
        }
        Ok(Self { reason, by, gates: permit.gates.clone() })
    }

    /// Whether it is for a gate.
    pub(super) fn covers(&self, gate: &str) -> bool {
        self.gates.iter().any(|listed| listed == gate) && !NEVER_PASSED_OVER.contains(&gate)
    }

    /// Why, in one line.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Everybody behind it.
    pub fn by(&self) -> &[String] {
        &self.by
    }

    /// The gates that it may pass over.
    pub fn gates(&self) -> &[String] {
        &self.gates
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::digest::Digest;
    use crate::failure::Failure;
    use crate::finding::{Finding, Level, Location, Outcome, Overrides, Rule, Verdict, Weighing};

    const RULE: Rule = Rule {
        id: "a-rule",
        level: Level::Error,
        summary: "s",
        reason: "r",
        fix: "f",
        example: "e",
    };

    fn permit() -> Permit {
        Permit { who: vec!["Ada".into(), "grace".into()], gates: vec!["review".into()] }
    }

    const CLAIM: Claim<'_> = Claim {
        reason: " INC-7: the model\nin production fails ",
        actor: Some("ada"),
        triggering_actor: Some("ada"),
        tells_triggering: true,
        by_hand: true,
    };

    #[test]
    fn everybody_behind_it_is_listed_and_says_why() {
        let long = "x".repeat(501);
        for (claim, expected) in [
            (CLAIM, Ok(vec!["ada"])),
            (Claim { triggering_actor: Some("Grace"), ..CLAIM }, Ok(vec!["ada", "Grace"])),
            (Claim { triggering_actor: None, tells_triggering: false, ..CLAIM }, Ok(vec!["ada"])),
            (Claim { triggering_actor: None, ..CLAIM }, Err("who started the run again")),
            (Claim { actor: None, ..CLAIM }, Err("who started the run")),
            (Claim { actor: Some("eve"), ..CLAIM }, Err("`eve` is not listed")),
            (Claim { triggering_actor: Some("eve"), ..CLAIM }, Err("`eve` is not listed")),
            (Claim { by_hand: false, ..CLAIM }, Err("by hand")),
            (Claim { reason: "  now!   now!", ..CLAIM }, Err("9 characters")),
            (Claim { reason: &long, ..CLAIM }, Err("501 characters")),
        ] {
            let granted = Emergency::grant(Some(&permit()), &claim);
            match (granted, expected) {
                (Ok(granted), Ok(by)) => {
                    assert_eq!(granted.by(), by);
                    assert_eq!(granted.reason(), "INC-7: the model in production fails");
                }
                (Err(refusal), Err(says)) => {
                    assert!(refusal.to_string().contains(says), "{refusal}");
                }
                (granted, expected) => panic!("{claim:?}: {granted:?}, expected {expected:?}"),
            }
        }
        assert_eq!(Emergency::grant(None, &CLAIM), Err(Refusal::NoPermit));
    }

    #[test]
    fn only_listed_gates_are_passed_over_and_it_stays_visible() {
        let weighing = |gate| Weighing {
            gate,
            outcome: Outcome::Judged("no approval".into()),
            findings: vec![Finding::new(&RULE, "no approval", Location::release())],
        };
        let judged = |weighings, gates: &[&str]| {
            let gates = gates.iter().map(|gate| (*gate).to_owned()).collect();
            let granted = Emergency::grant(Some(&Permit { gates, ..permit() }), &CLAIM);
            Verdict::judge(weighings, &Overrides::default(), date(2026, 1, 2))
                .passing_over(granted.expect("granted"))
        };
        let manifest = Digest::of(b"");
        let passed = judged(vec![weighing("review")], &["review"]);
        assert!(passed.clear(manifest).is_some());
        let [finding] = passed.passed_over()[..] else { panic!("one is passed over") };
        assert_eq!((finding.level, finding.passed_over), (Level::Warning, true));
        assert!(finding.message.starts_with("PASSED OVER IN AN EMERGENCY: "));
        assert_eq!(passed.findings().len(), 1, "it is told among the others");
        let Outcome::Judged(note) = &passed.weighings()[0].outcome else { panic!("judged") };
        assert!(note.starts_with("PASSED OVER"));

        let broken = Weighing {
            gate: "review",
            outcome: Outcome::Broken(Failure::new("a fault")),
            findings: Vec::new(),
        };
        for (weighings, gates) in [
            (vec![weighing("tests")], &["review"][..]),
            (vec![weighing("review"), weighing("scan")], &["review", "scan"]),
            (vec![weighing("version")], &["version"]),
            (vec![weighing("policy")], &["review"]),
            (vec![broken], &["review"]),
        ] {
            assert!(judged(weighings, gates).clear(manifest).is_none());
        }
    }
}
