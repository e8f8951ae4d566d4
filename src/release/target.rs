//! Where a release goes: stage by channel, repository by template, branch by channel.

use super::{Release, Target};
use crate::failure::Advise;
use crate::hub::{BadRepoId, RepoId};
use crate::policy::{Model, Visibility};

/// A release without a place to go.
#[derive(Debug, thiserror::Error)]
pub enum NoTarget {
    /// Every stage claims other channels.
    #[error("no stage of `{model}` takes the channel `{channel}`")]
    NoStage {
        /// Model name.
        model: String,
        /// The version's channel.
        channel: &'static str,
    },
    /// The template does not yield a repo id.
    #[error(transparent)]
    BadRepo(#[from] BadRepoId),
}

impl Advise for NoTarget {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::NoStage { channel, .. } => {
                format!(
                    "add `{channel}` to the `channels:` of a stage, or leave one stage without `channels:`"
                )
            }
            Self::BadRepo(_) => {
                "change the stage's `repository:` template or the model's name".into()
            }
        })
    }
}

/// The place of a release: the stage that claims its channel, else the first that claims none.
pub fn target(model: &Model, release: &Release) -> Result<Target, NoTarget> {
    let channel = release.channel.as_str();
    let claiming =
        model.stages.iter().find(|stage| stage.channels.iter().any(|claimed| claimed == channel));
    let stage = claiming
        .or_else(|| model.stages.iter().find(|stage| stage.channels.is_empty()))
        .ok_or_else(|| NoTarget::NoStage { model: model.name.clone(), channel })?;
    let name = stage.repo_name(&model.name, &release.version.major.to_string());
    Ok(Target {
        stage: stage.name.clone(),
        repo: RepoId::new(&stage.namespace, &name)?,
        private: stage.visibility == Visibility::Private,
        revision: release.channel.branch().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy;
    use crate::release::{Versioning, read_tag};

    fn place(stages: &str, tag: &str) -> Result<Target, NoTarget> {
        let text = format!("model: {{name: churn, owner: acme}}\n{stages}");
        let policy = policy::parse("p", &text, &[]).expect("valid");
        let Versioning::Release(release) = read_tag(tag, &policy) else { panic!("{tag}") };
        target(&policy.models[0], &release)
    }

    #[test]
    fn one_stage_takes_every_channel_on_its_own_branch() {
        let full = place("", "v1.0.0").expect("a place");
        assert_eq!(
            (full.repo.to_string().as_str(), full.revision.as_str(), full.private),
            ("acme/churn", "main", true)
        );
        assert_eq!(place("", "v1.0.0-rc.1").expect("a place").revision, "staging");
    }

    #[test]
    fn stages_claim_channels_and_templates_expand() {
        let stages = "stages:\n  - {name: lab, namespace: acme-lab, repository: '{name}-{stage}-v{major}', channels: [staging]}\n  - {name: production, channels: [production]}\n";
        assert_eq!(
            place(stages, "v2.0.0-rc.1").expect("a place").repo.to_string(),
            "acme-lab/churn-lab-v2"
        );
        assert_eq!(place(stages, "v2.0.0").expect("a place").stage, "production");
        assert!(place(stages, "v2.0.0-dev").expect_err("nobody takes it").fix().is_some());
    }
}
