//! `card`: the model card alone, of a folder with a policy or of any existing card.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::card;
use crate::context::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::finding::{Finding, Tally};
use crate::gates;
use crate::gates::card_completeness::{Item, completeness, points};
use crate::generated::is_whole;
use crate::inputs::{Card, Settings};
use crate::inventory::Inventory;
use crate::own_files::CARD;
use crate::policy::CardSource;
use crate::rehearsal;
use crate::release::{self, Versioning};
use crate::report;

use super::call::Call;
use super::weigh;

/// A card, what made it, and where it lies.
struct Subject {
    /// The README.md, whether it is there or not.
    readme: PathBuf,
    /// The card as it would be published, or as it is where nothing generates it.
    card: String,
    /// Whether all of it is generated, so that a README.md of a person would be lost under it.
    generated: bool,
    /// `namespace/name`, as far as it is known.
    id: String,
    files: Vec<(String, u64)>,
    findings: Vec<Finding>,
}

pub(super) fn run(env: &Environment, arguments: &Card) -> Result<Exit, Failure> {
    let subject = subject(env, arguments)?;
    if subject.generated && arguments.write && !arguments.force {
        refuse_to_replace(&subject.readme)?;
    }
    if let Some(page) = &arguments.preview {
        let files: Vec<_> =
            subject.files.iter().map(|(path, size)| (path.as_str(), *size)).collect();
        let html = rehearsal::preview(&subject.id, &subject.card, &files)
            .map_err(|error| Failure::new("cannot make the preview").because(&error))?;
        write(page, &html)?;
        report::aside(&format!("Preview: {}", page.display()));
    }
    if arguments.write {
        let old = std::fs::read_to_string(&subject.readme).unwrap_or_default();
        let what = if old == subject.card { "stays as it is" } else { "written" };
        if old != subject.card {
            write(&subject.readme, &subject.card)?;
        }
        report::aside(&format!("{} {what}", subject.readme.display()));
    }
    let items = completeness(&subject.card);
    let shown = subject.readme.display().to_string();
    let rows: Vec<_> = items.iter().map(row).collect();
    report::print(&report::card::text(&shown, &rows, &subject.findings, super::color(env)))?;
    let points = points(&items);
    let blocked = Tally::of(&subject.findings).errors > 0 || points < arguments.least;
    if points < arguments.least {
        report::aside(&format!(
            "{points} points are fewer than the {} that are asked for",
            arguments.least
        ));
    }
    Ok(if blocked { Exit::Blocked } else { Exit::Pass })
}

fn row(item: &Item) -> report::card::Row {
    let Item { what, points, there, hint } = *item;
    report::card::Row { what, points, there, hint }
}

fn subject(env: &Environment, arguments: &Card) -> Result<Subject, Failure> {
    let path = &arguments.path;
    let named = arguments.settings.policy.clone();
    let in_folder =
        path.is_dir().then(|| path.join("weighbridge.yml")).filter(|file| file.is_file());
    match named.or(in_folder) {
        Some(policy) => by_policy(env, &arguments.settings, policy),
        None if path == Path::new(".") => alone(Path::new("README.md"), arguments.write),
        None if path.is_dir() => alone(&path.join("README.md"), arguments.write),
        None => alone(path, arguments.write),
    }
}

/// The card that the policy's model would be published with.
fn by_policy(env: &Environment, settings: &Settings, file: PathBuf) -> Result<Subject, Failure> {
    let settings = Settings { policy: Some(file), ..settings.clone() };
    let call = Call::new(env, settings)?;
    let policy = weigh::policy(&call)?;
    let tag = call.settings.tag.as_deref();
    let versioning = tag.map_or(Versioning::Untagged, |tag| release::read_tag(tag, &policy));
    let model = match call.settings.model.as_deref() {
        Some(name) => weigh::index_of(&policy, name)?,
        None => 0,
    };
    let gathered = weigh::gather(&call, policy, model, versioning, None, false)?;
    let card = gathered.card(&call, None)?;
    let model = gathered.model();
    let base = weigh::base(&call);
    let readme = match &model.card.source {
        CardSource::Generated => base.join(&model.path).join(CARD),
        CardSource::File(path) => base.join(path),
    };
    let generated = matches!(model.card.source, CardSource::Generated);
    let stage = model.stages.first();
    let id = stage.map_or_else(
        || model.name.clone(),
        |stage| {
            let name = stage.repo.replace("{name}", &model.name).replace("{stage}", &stage.name);
            format!("{}/{name}", stage.namespace)
        },
    );
    let files = files(&gathered.inventory);
    let findings = gathered.findings_on(&card)?;
    Ok(Subject { readme, card, generated, id, files, findings })
}

/// A card that no policy speaks of. Nothing is generated into it, for nobody said whose it is and
/// where it goes; what tools left broken in it can be mended.
fn alone(readme: &Path, mend: bool) -> Result<Subject, Failure> {
    let text = std::fs::read_to_string(readme).map_err(|error| {
        let shown = readme.display();
        let failure = Failure::new(format!("cannot read the card {shown}")).because(&error);
        match error.kind() {
            std::io::ErrorKind::NotFound => failure.fix(
                "name a card or its folder; to generate one, write a weighbridge.yml that names the \
                 model (see the README, “The policy”), and run `weighbridge card --write` again",
            ),
            _ => failure.fix("name a card that is UTF-8 text and may be read"),
        }
    })?;
    let card = if mend { card::repaired(&text) } else { text };
    let findings = gates::card::of_readme(&readme.display().to_string(), &card);
    let folder = readme.canonicalize().ok();
    let name = folder.as_deref().and_then(Path::parent).and_then(Path::file_name);
    let id = name.and_then(|name| name.to_str()).unwrap_or("model").to_owned();
    Ok(Subject {
        readme: readme.to_owned(),
        card,
        generated: false,
        id,
        files: Vec::new(),
        findings,
    })
}

fn files(inventory: &Inventory) -> Vec<(String, u64)> {
    inventory.files.iter().map(|file| (file.path.to_string(), file.size)).collect()
}

/// What weighbridge did not generate was written by a person or another tool, and is not made again.
fn refuse_to_replace(readme: &Path) -> Result<(), Failure> {
    let shown = readme.display();
    let old = match std::fs::read(readme) {
        Ok(old) => old,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::new(format!("cannot read {shown}")).because(&error)),
    };
    if is_whole(&String::from_utf8_lossy(&old)) {
        return Ok(());
    }
    Err(Failure::new(format!("{shown} was not generated by weighbridge, and would be lost")).fix(
        "keep it as the card's text: `card: {source: …}` in weighbridge.yml with its path from there; \
         or replace it: `weighbridge card --write --force`",
    ))
}

/// Replaces a file as a whole, or not at all.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let replaced = || -> std::io::Result<()> {
        // Through a link, to the file it leads to.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o644))
            .tempfile_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(text.as_bytes())?;
        if let Ok(old) = path.metadata() {
            file.as_file().set_permissions(old.permissions())?;
        }
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    replaced().map_err(|error| {
        Failure::new(format!("cannot write {}", path.display()))
            .because(&error)
            .fix("name a file in a folder that exists and that you may write to")
    })
}
