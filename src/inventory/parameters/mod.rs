//! How many parameters the weights have, counted as the Hub counts them, from headers that the one
//! pass has read.

mod quantization;

use std::collections::{BTreeMap, BTreeSet};

use super::Inventory;
use crate::json::Value;
use crate::scan::{Format, Tensors};
use quantization::Quantization;

/// The parameters of one set of weights: a file, or all its shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    /// The file, without the number of a shard.
    pub path: String,
    /// How many shards it has; 0 for a whole file.
    pub shards: usize,
    /// Parameters by data type as stored.
    pub by_type: BTreeMap<String, u64>,
    /// All of them, or as many as the file says where that is less.
    pub total: u64,
    /// Whether the Hub takes these for the model's.
    pub is_the_model: bool,
}

/// Where the Hub looks, in order: at the top, and for diffusers at the part that is named after.
const PLACES: [&str; 4] = [
    "model.safetensors",
    "transformer/diffusion_pytorch_model.safetensors",
    "unet/diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.safetensors",
];

impl Inventory {
    /// The parameters of every set of weights whose header says them. `library` decides where the
    /// model's own lie.
    pub fn weights(&self, library: Option<&str>) -> Vec<Weights> {
        let model = self.model_files(library);
        let mut sets: BTreeMap<(String, usize), Vec<&Tensors>> = BTreeMap::new();
        let mut own = Vec::new();
        for file in &self.files {
            let Some(tensors) = &file.tensors else { continue };
            if model.as_ref().is_some_and(|model| model.files.contains(file.path.as_str())) {
                own.push(tensors);
            } else {
                sets.entry(set_of(file.path.as_str())).or_default().push(tensors);
            }
        }
        let own = model.and_then(|model| {
            let by_type = self.counted(&own)?;
            let total = model.stated.unwrap_or(u64::MAX).min(all(&by_type));
            let ModelFiles { path, shards, .. } = model;
            Some(Weights { path, shards, by_type, total, is_the_model: true })
        });
        let others = sets.into_iter().map(|((path, shards), tensors)| {
            let by_type = sum(&tensors);
            let total = all(&by_type);
            Weights { path, shards, by_type, total, is_the_model: false }
        });
        own.into_iter().chain(others).collect()
    }

    /// The count under the quantisation that config.json describes; `None` where it cannot be told.
    fn counted(&self, tensors: &[&Tensors]) -> Option<BTreeMap<String, u64>> {
        let config = self.get("config.json").and_then(|file| file.text.as_deref());
        let config = config.and_then(|text| Value::parse(text).ok());
        match config.as_ref().and_then(Quantization::of) {
            Some(quantization) => quantization.count(tensors),
            None => Some(sum(tensors)),
        }
    }

    /// The files that the Hub takes for the model's weights, all of them there.
    fn model_files(&self, library: Option<&str>) -> Option<ModelFiles> {
        let places = if library == Some("diffusers") { &PLACES[..] } else { &PLACES[..1] };
        for place in places {
            if let Some(file) = self.get(place) {
                let stated = file.tensors.as_ref()?.metadata.get("total_parameters");
                let stated = stated.and_then(|total| whole_start(total));
                let files = [(*place).to_owned()].into();
                return Some(ModelFiles { path: (*place).to_owned(), shards: 0, files, stated });
            }
            if let Some(index) = self.get(&format!("{place}.index.json")) {
                let model = self.of_index(place, index.text.as_deref())?;
                let is_there = |path: &String| {
                    self.get(path).is_some_and(|file| {
                        file.tensors.is_some() && file.format == Format::SAFETENSORS
                    })
                };
                return Some(model).filter(|model| model.files.iter().all(is_there));
            }
        }
        None
    }

    /// The shards that an index names, and the total that it states. An index that is too large to
    /// be kept has the shards that are named after it.
    fn of_index(&self, place: &str, index: Option<&str>) -> Option<ModelFiles> {
        let of = |files: BTreeSet<String>, stated| ModelFiles {
            path: place.to_owned(),
            shards: files.len(),
            files,
            stated,
        };
        let Some(text) = index else {
            let shards = self.files.iter().map(|file| file.path.as_str());
            let shards = shards.filter(|path| set_of(path).0 == *place && *path != place);
            return Some(of(shards.map(str::to_owned).collect(), None));
        };
        let index = Value::parse(text).ok()?;
        let folder = place.rsplit_once('/').map_or("", |(folder, _)| folder);
        let names = index.get("weight_map")?.entries().iter().filter_map(|(_, file)| file.text());
        let files = names.map(|name| format!("{folder}/{name}").trim_start_matches('/').to_owned());
        let stated = match index.get("metadata").and_then(|data| data.get("total_parameters")) {
            Some(Value::Text(total)) => whole_start(total),
            total => whole(total),
        };
        Some(of(files.collect(), stated))
    }
}

/// The model's weights.
struct ModelFiles {
    path: String,
    shards: usize,
    files: BTreeSet<String>,
    /// How many parameters they say that they have.
    stated: Option<u64>,
}

fn all(by_type: &BTreeMap<String, u64>) -> u64 {
    by_type.values().fold(0, |sum, count| sum.saturating_add(*count))
}

/// Elements by data type, as they are stored.
fn sum(tensors: &[&Tensors]) -> BTreeMap<String, u64> {
    let mut sum: BTreeMap<String, u64> = BTreeMap::new();
    for (dtype, count) in tensors.iter().flat_map(|tensors| &tensors.parameters) {
        let entry = sum.entry(dtype.clone()).or_default();
        *entry = entry.saturating_add(*count);
    }
    sum
}

/// The set a file belongs to: its path without the number of the shard, and how many shards there
/// are. `model-00001-of-00003.safetensors` is one of three of `model.safetensors`.
fn set_of(path: &str) -> (String, usize) {
    let shard = || {
        let (stem, ending) = path.rsplit_once('.')?;
        let (stem, of) = stem.rsplit_once("-of-")?;
        let (stem, number) = stem.rsplit_once(['-', '_'])?;
        let is_number =
            |text: &str| (5..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let of = Some(of).filter(|of| is_number(of) && is_number(number))?.parse().ok()?;
        Some((format!("{stem}.{ending}"), of))
    };
    shard().unwrap_or_else(|| (path.to_owned(), 0))
}

/// A whole number; nothing else.
fn whole(value: Option<&Value>) -> Option<u64> {
    value?.number()?.to_string().parse().ok()
}

/// The number that a text begins with, as the Hub reads it.
fn whole_start(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}
