//! What the model was made from, as its card says it. The card, the license gate and the question to
//! the Hub take it from here, so that no base model is published whose licence nobody judged.

use super::{Base, Inventory};
use crate::hub::RepoId;
use crate::hub::front_matter;
use crate::policy::Model;

/// The base models that the card names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bases {
    /// Their ids on the Hub, as they were written.
    pub ids: Vec<String>,
    /// Who names them.
    pub said_by: SaidBy,
    /// How the model came from them: in the README's words, else as the files tell.
    pub relation: Option<String>,
}

/// Who names the base models: the first of these that names any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaidBy {
    /// The policy; nobody, where there are none.
    Policy,
    /// The metadata of the README that people keep, in this line of it.
    Readme(u32),
    /// A file of the model, by its path in the repository.
    File(String),
}

impl Bases {
    /// What the card of a model says. `readme` is the one that people keep, `repo` where the version
    /// goes: no file makes a model its own base.
    pub fn of(
        model: &Model,
        readme: Option<&str>,
        inventory: &Inventory,
        repo: Option<&RepoId>,
    ) -> Self {
        let mut in_files = inventory.known().bases;
        in_files.retain(|base| !is_itself(&base.id.to_string(), model, repo));
        let (ids, said_by) = if model.base_models.is_empty() {
            readme.and_then(in_readme).unwrap_or_else(|| nearest(&in_files))
        } else {
            (model.base_models.clone(), SaidBy::Policy)
        };
        let relation = readme.and_then(|readme| {
            let (relation, _) = front_matter::value(readme, "base_model_relation")?;
            relation.as_text().map(str::to_owned)
        });
        let by_files = || {
            let mut of_these = in_files.iter().filter(|base| contains(&ids, &base.id.to_string()));
            of_these.find_map(|base| base.relation).map(|relation| relation.as_str().to_owned())
        };
        let relation = relation.or_else(by_files);
        Self { ids, said_by, relation }
    }

    /// Whether a base model is among them.
    pub fn has(&self, id: &str) -> bool {
        contains(&self.ids, id)
    }

    /// The file that names them, where nobody else does.
    pub fn file(&self) -> Option<&str> {
        match &self.said_by {
            SaidBy::File(path) => Some(path),
            SaidBy::Policy | SaidBy::Readme(_) => None,
        }
    }
}

fn contains(ids: &[String], id: &str) -> bool {
    ids.iter().any(|listed| listed.eq_ignore_ascii_case(id))
}

fn is_itself(id: &str, model: &Model, repo: Option<&RepoId>) -> bool {
    let stages = model.stages.iter().map(|stage| {
        let name = stage.repo.replace("{name}", &model.name).replace("{stage}", &stage.name);
        format!("{}/{name}", stage.namespace)
    });
    repo.map(RepoId::to_string).into_iter().chain(stages).any(|own| own.eq_ignore_ascii_case(id))
}

/// What the README's metadata names, one or a list; whether they are ids is for the card's rules.
fn in_readme(readme: &str) -> Option<(Vec<String>, SaidBy)> {
    let (value, line) = front_matter::value(readme, "base_model")?;
    let ids: Vec<_> = value.texts().into_iter().map(str::to_owned).collect();
    (!ids.is_empty()).then_some((ids, SaidBy::Readme(line)))
}

/// The files of one folder may name several steps of one way: the first source is the nearest that
/// says it outright.
fn nearest(named: &[Base]) -> (Vec<String>, SaidBy) {
    let Some(first) = named.iter().find(|base| base.is_stated).or(named.first()) else {
        return (Vec::new(), SaidBy::Policy);
    };
    let of_first = named.iter().filter(|base| base.file == first.file);
    (of_first.map(|base| base.id.to_string()).collect(), SaidBy::File(first.file.clone()))
}
