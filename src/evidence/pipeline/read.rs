//! Reads `dvc.yaml`, `dvc.lock` and `.dvc` files.

use std::collections::{BTreeMap, BTreeSet};

use super::{Base, Pin, Pipeline, Reach, Stage, below};
use crate::digest::Md5;
use crate::evidence::files::normalise;
use crate::evidence::results::{Document, Spot, count};
use crate::evidence::{EvidenceFile, Unreadable};
use crate::finding::Location;
use crate::json::Value;
use crate::machine_path;
use crate::publishable;
use crate::source::SourceFile;

/// Most stages and pins of a pipeline.
const MOST: usize = 100_000;
/// Longest path that is taken for one, in bytes.
const LONGEST_PATH: usize = 4096;

/// A pipeline that is being read.
pub(super) struct Reading<'b> {
    base: &'b Base,
    artifact: &'b str,
    /// Working folders of stages, by folder and name; `None` where they are made up at run time.
    wdirs: BTreeMap<(String, String), Option<String>>,
    /// The files of metrics that were named so far.
    metrics: BTreeSet<String>,
    /// How many stages and pins there are.
    count: usize,
    pipeline: Pipeline,
}

/// The file that is being read.
struct At<'f> {
    source: &'f SourceFile,
    /// What its paths are relative to, as seen from the policy's folder.
    folder: String,
}

impl<'b> Reading<'b> {
    pub(super) fn new(base: &'b Base, artifact: &'b str) -> Self {
        Self {
            base,
            artifact,
            wdirs: BTreeMap::new(),
            metrics: BTreeSet::new(),
            count: 0,
            pipeline: Pipeline::default(),
        }
    }

    pub(super) fn finish(self) -> Pipeline {
        self.pipeline
    }

    pub(super) fn take(&mut self, path: &str) {
        let read = match self.base.read(path) {
            Ok(file) => self.document(path, &file),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = read {
            let at = Location::file(self.base.shown(path));
            self.pipeline.unreadable.push(Unreadable { at, why });
        }
    }

    fn document(&mut self, path: &str, file: &EvidenceFile) -> Result<(), String> {
        let text = file.text().map_err(|error| error.to_string())?;
        let document = Document::new(file)?;
        let Some(root) = document.map() else { return Err("it holds no map".into()) };
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let source = SourceFile::new(&file.shown, text);
        let at = At { source: &source, folder: folder.to_owned() };
        match name {
            "dvc.yaml" => {
                self.plan(&root, &at);
                Ok(())
            }
            "dvc.lock" => self.lock(&root, &at),
            _ => self.tracked(&root, &at),
        }
    }

    /// `dvc.yaml`: where stages run, and which files hold metrics.
    fn plan(&mut self, root: &Spot<'_>, at: &At<'_>) {
        for (name, stage) in root.get("stages").iter().flat_map(Spot::entries) {
            // A stage that is made for each item of a list is told by `do`.
            let stage = stage.get("do").unwrap_or(stage);
            let wdir = stage.text_at(&["wdir"]);
            let wdir =
                wdir.map_or(Some(String::new()), |wdir| (!wdir.contains("${")).then_some(wdir));
            if let Some(wdir) = &wdir {
                self.metrics(&stage, &format!("{}/{wdir}", at.folder));
            }
            self.wdirs.insert((at.folder.clone(), name.to_owned()), wdir);
        }
        self.metrics(root, &at.folder);
    }

    fn metrics(&mut self, holder: &Spot<'_>, folder: &str) {
        for item in holder.get("metrics").iter().flat_map(Spot::items) {
            // Either a path, or a map from it to settings.
            let named = item.entries().next().map(|(path, _)| path);
            let Some(path) = named.or_else(|| item.value.text()) else { continue };
            let path = normalise(&format!("{folder}/{path}"));
            if !path.contains("${") && self.metrics.insert(path.clone()) {
                self.pipeline.metrics.push(path);
            }
        }
    }

    /// `dvc.lock`: what every stage read and wrote when it last ran.
    fn lock(&mut self, root: &Spot<'_>, at: &At<'_>) -> Result<(), String> {
        // Before schema 2.0 the stages stood at the top.
        let stages = root.get("stages").unwrap_or_else(|| root.clone());
        for (name, stage) in stages.entries().filter(|(_, stage)| stage.is_map()) {
            let plain = name.split('@').next().unwrap_or(name);
            let wdir = self.wdirs.get(&(at.folder.clone(), plain.to_owned()));
            let Some(wdir) = wdir.cloned().unwrap_or(Some(String::new())) else { continue };
            let inside = At { source: at.source, folder: format!("{}/{wdir}", at.folder) };
            let pins = |key: &str| -> Vec<Pin> {
                let items = stage.get(key);
                items
                    .iter()
                    .flat_map(Spot::items)
                    .filter_map(|item| self.pin(&item, &inside))
                    .collect()
            };
            let (deps, outs) = (pins("deps"), pins("outs"));
            self.add(1 + deps.len() + outs.len())?;
            let params = params(&stage);
            let (name, at) = (name.to_owned(), at.location(&stage));
            self.pipeline.stages.push(Stage { name, at, deps, outs, params });
        }
        Ok(())
    }

    /// Counts what is about to be taken in.
    fn add(&mut self, count: usize) -> Result<(), String> {
        self.count += count;
        if self.count <= MOST {
            return Ok(());
        }
        Err(format!("the pipeline has more than {MOST} stages and pins: the rest is not read"))
    }

    /// A `.dvc` file: data that is tracked without a stage, and where it was imported from.
    fn tracked(&mut self, root: &Spot<'_>, at: &At<'_>) -> Result<(), String> {
        let wdir = root.text_at(&["wdir"]).unwrap_or_default();
        let inside = At { source: at.source, folder: format!("{}/{wdir}", at.folder) };
        let dep = root.get("deps").and_then(|deps| deps.items().next());
        let from = dep.and_then(|dep| {
            let path = dep.text_at(&["path"])?;
            Some(match dep.text_at(&["repo", "url"]) {
                Some(url) => format!("{}: {path}", without_access(&url)),
                None => without_access(&path),
            })
        });
        for item in root.get("outs").iter().flat_map(Spot::items) {
            self.add(1)?;
            let pin = self.pin(&item, &inside).map(|pin| Pin { from: from.clone(), ..pin });
            self.pipeline.pins.extend(pin);
        }
        Ok(())
    }

    fn pin(&self, item: &Spot<'_>, at: &At<'_>) -> Option<Pin> {
        let named = item.text_at(&["path"]).filter(|path| path.len() <= LONGEST_PATH)?;
        let outside = named.contains("://") || machine_path::is_one(&named);
        let path = if outside {
            without_access(&named)
        } else {
            self.base.shown(&format!("{}/{named}", at.folder))
        };
        let text = item.text_at(&["md5"]);
        let folder = text.as_deref().and_then(|text| text.strip_suffix(".dir"));
        let hex = folder.or(text.as_deref());
        let reach = if outside {
            Reach::Elsewhere
        } else if let Some(inside) = below(&path, self.artifact) {
            Reach::Inside(inside.to_owned())
        } else if below(self.artifact, &path).is_some() {
            Reach::Around
        } else {
            Reach::Elsewhere
        };
        Some(Pin {
            path,
            md5: hex.and_then(Md5::parse),
            is_folder: folder.is_some(),
            is_legacy: item.text_at(&["hash"]).is_none(),
            size: count(item.get("size")),
            from: None,
            at: at.location(&item.get("md5").unwrap_or_else(|| item.clone())),
            reach,
        })
    }
}

impl At<'_> {
    fn location(&self, spot: &Spot<'_>) -> Location {
        Location::at(&self.source.path, self.source.position(spot.at()))
    }
}

/// An address without who may read it: no user, no signature.
fn without_access(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// Parameters as `file:name` and shown value: numbers, switches and words that cannot be secrets.
fn params(stage: &Spot<'_>) -> Vec<(String, String)> {
    let files = stage.get("params");
    let all = files.iter().flat_map(Spot::entries);
    let all = all.flat_map(|(file, params)| {
        let named: Vec<_> = params.entries().map(|(name, spot)| (name, spot.value)).collect();
        named.into_iter().map(move |(name, value)| (file, name, value))
    });
    let shown = all.filter_map(|(file, name, value)| {
        let value = match value {
            Value::Number(number, _) => crate::evidence::show(*number),
            Value::Bool(yes) => yes.to_string(),
            Value::Text(text) => publishable::word(text)?.to_owned(),
            _ => return None,
        };
        let name = format!("{}:{name}", machine_path::scrub(file));
        (!publishable::is_secret(&name, &value)).then_some((name, value))
    });
    shown.collect()
}
