//! Which tensors of a quantised model are parameters, and how many of them a packed one holds: the
//! Hub's own rules (`parse-safetensors-metadata.ts` of `@huggingface/hub`), so that the card has
//! the number that the model's page has.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::whole;
use crate::json::Value;
use crate::scan::{Tensor, Tensors};

/// Scales, zero points and indexes that go with weights, by the last part of their name.
const HELPERS: [&str; 11] = [
    "weight_scale",
    "weight_scale_inv",
    "weight_scale_2",
    "weight_global_scale",
    "weight_zero_point",
    "input_scale",
    "input_global_scale",
    "input_zero_point",
    "zero_point",
    "weight_shape",
    "weight_g_idx",
];
/// The same, of bitsandbytes.
const BITSANDBYTES_HELPERS: [&str; 4] =
    ["absmax", "quant_map", "nested_absmax", "nested_quant_map"];
/// Widths in names of formats.
const FORMATS: [(&str, u64); 7] =
    [("nvfp4", 4), ("mxfp4", 4), ("fp4", 4), ("int4", 4), ("uint4", 4), ("nf4", 4), ("int2", 2)];
/// Patterns of module names that are compared with every tensor.
const MOST_PATTERNS: usize = 2_000;

/// How a model was quantised, from its config.json.
pub(super) struct Quantization<'c> {
    settings: &'c Value,
    method: Method,
    /// The same by key: MLX has settings by module among them.
    by_key: HashMap<&'c str, &'c Value>,
    /// compressed-tensors: modules that are not quantised.
    ignored: Modules<'c>,
    /// The same of others: parts of tensor names, or patterns with `*`.
    not_converted: Vec<&'c str>,
    groups: Vec<Group<'c>>,
    /// Width of the experts of a mixture, where it is another.
    expert_bits: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Mlx,
    Mxfp4,
    /// AWQ too.
    Gptq,
    CompressedTensors,
    Fp8,
    Bitsandbytes,
    Other,
}

/// compressed-tensors: modules that share a width.
struct Group<'c> {
    targets: Modules<'c>,
    format: Option<&'c str>,
    bits: Option<u64>,
}

impl<'c> Quantization<'c> {
    pub(super) fn of(config: &'c Value) -> Option<Self> {
        let inner = config.get("text_config");
        let (settings, method) = settings(config).or_else(|| settings(inner?))?;
        let expert = |of: Option<&'c Value>| of?.get("expert_dtype").filter(|value| is_set(value));
        let expert = expert(Some(settings))
            .or_else(|| expert(Some(config)))
            .or_else(|| expert(inner))
            .or_else(|| settings.get("store_dtype"));
        let group = |group: &'c Value| Group {
            targets: Modules::of(group.get("targets")),
            format: group.get("format").and_then(Value::text),
            bits: group.get("weights").and_then(|weights| whole(weights.get("num_bits"))),
        };
        let groups = settings.get("config_groups").map(Value::entries).unwrap_or_default();
        let not_converted = settings.get("modules_to_not_convert").map(Value::list);
        Some(Self {
            settings,
            method,
            by_key: settings
                .entries()
                .iter()
                .map(|(key, value)| (key.name.as_str(), value))
                .collect(),
            ignored: Modules::of(settings.get("ignore")),
            not_converted: not_converted
                .unwrap_or_default()
                .iter()
                .filter_map(Value::text)
                .collect(),
            groups: groups.iter().map(|(_, value)| group(value)).collect(),
            expert_bits: expert.and_then(Value::text).and_then(format_bits),
        })
    }

    /// Parameters by data type of all shards together. `None` when a header's names were too many to
    /// keep, or the settings have too many patterns to compare them with.
    pub(super) fn count(&self, shards: &[&Tensors]) -> Option<BTreeMap<String, u64>> {
        let patterns = self.groups.iter().map(|group| group.targets.patterns.len()).sum::<usize>();
        if patterns + self.ignored.patterns.len() + self.not_converted.len() > MOST_PATTERNS {
            return None;
        }
        let unsettled = shards.iter().map(|shard| shard.unsettled.as_deref());
        let unsettled = unsettled.collect::<Option<Vec<_>>>()?;
        let unsettled: Vec<&Tensor> = unsettled.into_iter().flatten().collect();
        let packed = self.packed_by_mlx(&unsettled);
        let mut counts = super::sum(shards);
        for tensor in &unsettled {
            let count = counts.entry(tensor.dtype.clone()).or_default();
            *count = count.saturating_sub(tensor.elements);
        }
        for tensor in unsettled {
            if let Some(count) = counts.get_mut(&tensor.dtype) {
                *count = count.saturating_add(self.parameters(tensor, &packed));
            }
        }
        counts.retain(|_, count| *count > 0);
        Some(counts)
    }

    fn parameters(&self, tensor: &Tensor, packed: &HashSet<&str>) -> u64 {
        let quantised = self.quantises(&tensor.name, packed);
        if self.is_helper(tensor, quantised) {
            return 0;
        }
        let (times, of) = if quantised { self.ratio(tensor) } else { (1, 1) };
        // The last of a row may be padding in part: the ratio is an upper bound, rounded.
        let (elements, times, of) =
            (u128::from(tensor.elements), u128::from(times), u128::from(of));
        let rounded = (2 * elements * times + of) / (2 * of);
        u64::try_from(rounded).unwrap_or(u64::MAX)
    }

    /// Whether the settings hold for a tensor.
    fn quantises(&self, name: &str, packed: &HashSet<&str>) -> bool {
        if self.method == Method::Mlx {
            return self.mlx(name).is_some() && packed.contains(module(name));
        }
        let kept = |pattern: &&str| {
            if pattern.contains('*') { is_glob_of(pattern, name) } else { name.contains(*pattern) }
        };
        !self.ignored.has(weight_module(name)) && !self.not_converted.iter().any(kept)
    }

    /// Whether a tensor only helps to read others.
    fn is_helper(&self, tensor: &Tensor, quantised: bool) -> bool {
        let last = last(&tensor.name);
        if HELPERS.contains(&last) {
            return true;
        }
        match self.method {
            Method::Mlx if quantised => {
                let affine = self.mlx(&tensor.name).is_some_and(|mlx| mlx.affine);
                last == "scales" || (last == "biases" && affine)
            }
            Method::Mxfp4 => tensor.dtype == "U8" && last.ends_with("_scales"),
            Method::Bitsandbytes => {
                BITSANDBYTES_HELPERS.contains(&last) || last.starts_with("bitsandbytes__")
            }
            Method::Gptq => quantised && ["qzeros", "g_idx", "scales"].contains(&last),
            Method::Mlx | Method::CompressedTensors | Method::Fp8 | Method::Other => false,
        }
    }

    /// How many parameters an element stands for, as a fraction.
    fn ratio(&self, tensor: &Tensor) -> (u64, u64) {
        let Tensor { name, dtype, .. } = tensor;
        let bits = whole(self.settings.get("bits"));
        let in_4_bits = self
            .settings
            .get("load_in_4bit")
            .is_some_and(|value| matches!(value, Value::Bool(true)));
        let is_u8 = dtype == "U8";
        match self.method {
            Method::Mlx if dtype == "U32" && last(name) == "weight" => {
                packing(dtype, self.mlx(name).map(|mlx| mlx.bits))
            }
            Method::Mxfp4 if is_u8 && name.contains("_blocks") => (2, 1),
            Method::Gptq if last(name) == "qweight" => {
                let bits = bits.filter(|bits| *bits > 0).unwrap_or(4);
                ((32 / bits).max(1), 1)
            }
            Method::Gptq if is_u8 && bits == Some(4) => (2, 1),
            Method::Gptq if is_u8 && bits == Some(2) => (4, 1),
            Method::CompressedTensors => self.compressed(name, dtype),
            // What is said of experts holds for them alone.
            Method::Fp8 if name.contains(".experts.") && !name.contains("shared_experts") => {
                packing(dtype, self.expert_bits)
            }
            Method::Bitsandbytes if is_u8 && in_4_bits => (2, 1),
            Method::Other if is_u8 && (in_4_bits || bits == Some(4)) => (2, 1),
            _ => (1, 1),
        }
    }

    fn compressed(&self, name: &str, dtype: &str) -> (u64, u64) {
        let group = self.groups.iter().find(|group| group.targets.has(weight_module(name)));
        let format = group.and_then(|group| group.format);
        let format = format.or_else(|| self.settings.get("format")?.text());
        let Some(format) = format.map(str::to_lowercase) else { return (1, 1) };
        if !format.ends_with("pack-quantized") {
            return (1, 1);
        }
        let bits = group.and_then(|group| group.bits);
        let bits = bits.or_else(|| self.groups.iter().find_map(|group| group.bits));
        packing(dtype, bits.or_else(|| format_bits(&format)).or(Some(4)))
    }

    /// MLX's settings for the module of a tensor: its own, or those of all.
    fn mlx(&self, name: &str) -> Option<Mlx> {
        match self.by_key.get(module(name)) {
            Some(Value::Bool(false)) => None,
            Some(own @ (Value::Map(_) | Value::List(_))) => Mlx::of(own),
            _ => Mlx::of(self.settings),
        }
    }

    /// The modules that MLX has really packed: those whose scales lie beside their weights.
    fn packed_by_mlx<'t>(&self, tensors: &[&'t Tensor]) -> HashSet<&'t str> {
        if self.method != Method::Mlx {
            return HashSet::new();
        }
        let modules = |ending: &str| -> HashSet<&'t str> {
            let names = tensors.iter().map(|tensor| tensor.name.as_str());
            names.filter(|name| last(name) == ending).map(module).collect()
        };
        let (scales, biases) = (modules("scales"), modules("biases"));
        let weights = tensors.iter().filter(|tensor| tensor.dtype == "U32");
        let weights = weights.map(|tensor| tensor.name.as_str()).filter(|n| last(n) == "weight");
        let packed = weights.filter(|name| {
            let module = module(name);
            self.mlx(name).is_some_and(|mlx| {
                scales.contains(module) && (!mlx.affine || biases.contains(module))
            })
        });
        packed.map(module).collect()
    }
}

/// The settings of a config and their method. MLX names none, but has modes of its own.
fn settings(config: &Value) -> Option<(&Value, Method)> {
    let is_map = |value: &&Value| matches!(value, Value::Map(_));
    let may_be_mlx = |settings: &&Value| match settings.get("quant_method") {
        None => Mlx::is_in(settings),
        Some(method) => {
            method.text().is_some_and(|name| name.eq_ignore_ascii_case("mlx"))
                && Mlx::is_in(settings)
        }
    };
    if let Some(settings) = config.get("quantization").filter(is_map).filter(may_be_mlx) {
        return Some((settings, Method::Mlx));
    }
    let settings = config.get("quantization_config").filter(is_map)?;
    if may_be_mlx(&settings) {
        return Some((settings, Method::Mlx));
    }
    let name = settings.get("quant_method").and_then(Value::text).unwrap_or_default();
    let method = match name.to_lowercase().as_str() {
        "mlx" => Method::Mlx,
        "mxfp4" => Method::Mxfp4,
        "gptq" | "awq" => Method::Gptq,
        "compressed-tensors" => Method::CompressedTensors,
        "fp8" => Method::Fp8,
        "bitsandbytes" => Method::Bitsandbytes,
        _ => Method::Other,
    };
    Some((settings, method))
}

/// How MLX packs a module.
struct Mlx {
    bits: u64,
    /// With a zero point beside the scale.
    affine: bool,
}

impl Mlx {
    /// `None` for anything that MLX has no kernel for: a config could claim what it likes.
    fn of(settings: &Value) -> Option<Self> {
        let given = |key: &str| settings.get(key).filter(|value| is_set(value));
        let mode = match given("mode") {
            None => "affine".to_owned(),
            Some(mode) => mode.text()?.to_lowercase(),
        };
        let number = |key: &str, default: u64| match given(key) {
            None => Some(default),
            value => whole(value),
        };
        let (usual_bits, usual_size) = match mode.as_str() {
            "affine" => (4, 64),
            "mxfp4" => (4, 32),
            "nvfp4" => (4, 16),
            "mxfp8" => (8, 32),
            _ => return None,
        };
        let (bits, size) = (number("bits", usual_bits)?, number("group_size", usual_size)?);
        let affine = mode == "affine";
        let known = if affine {
            matches!(bits, 2..=6 | 8) && matches!(size, 32 | 64 | 128)
        } else {
            (bits, size) == (usual_bits, usual_size)
        };
        known.then_some(Self { bits, affine })
    }

    /// Whether settings are MLX's: as a whole, or for one of their modules.
    fn is_in(settings: &Value) -> bool {
        let valid = |value: &Value| {
            let said = ["bits", "group_size", "mode"].iter().any(|key| value.get(key).is_some());
            said && Self::of(value).is_some()
        };
        valid(settings) || settings.entries().iter().any(|(_, value)| valid(value))
    }
}

/// Modules by name, and by the part of Python's patterns that is read: `re:.*mlp$`.
#[derive(Default)]
struct Modules<'c> {
    names: HashSet<&'c str>,
    patterns: Vec<String>,
}

impl<'c> Modules<'c> {
    fn of(targets: Option<&'c Value>) -> Self {
        let mut modules = Self::default();
        for target in targets.map(Value::list).unwrap_or_default().iter().filter_map(Value::text) {
            match target.strip_prefix("re:") {
                None => drop(modules.names.insert(target)),
                Some(pattern) => modules.patterns.extend(glob(pattern)),
            }
        }
        modules
    }

    fn has(&self, module: &str) -> bool {
        self.names.contains(module) || self.patterns.iter().any(|glob| is_glob_of(glob, module))
    }
}

/// A regular expression of `.*`, `\.` and anchors as a pattern with `*`; `None` for any other.
fn glob(expression: &str) -> Option<String> {
    let expression = expression.strip_prefix('^').unwrap_or(expression);
    // Python's `match` is anchored at the start alone.
    let expression = match expression.strip_suffix('$') {
        Some(whole) => whole.to_owned(),
        None => format!("{expression}.*"),
    };
    let glob = expression.replace(".*", "*").replace("\\.", ".");
    let is_other =
        |c| matches!(c, '\\' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$');
    (!glob.contains(is_other)).then_some(glob)
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn is_glob_of(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').map_or(("", rest), |(middle, last)| (middle, last));
    let Some(mut text) = text.strip_suffix(last) else { return false };
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    true
}

/// Parameters that a container of so many bits holds: 32 / 3 of three bits, not 10.
fn packing(dtype: &str, bits: Option<u64>) -> (u64, u64) {
    let container = match dtype {
        "U8" | "I8" => 8,
        "U16" | "I16" => 16,
        "U32" | "I32" => 32,
        _ => return (1, 1),
    };
    match bits {
        Some(bits) if bits > 0 && bits < container => (container, bits),
        _ => (1, 1),
    }
}

fn format_bits(format: &str) -> Option<u64> {
    let format = format.to_lowercase();
    FORMATS.iter().find(|(name, _)| format.contains(name)).map(|(_, bits)| *bits)
}

fn is_set(value: &Value) -> bool {
    !matches!(value, Value::Null)
}

/// The last part of a tensor's name.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// All but the last part.
fn module(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(module, _)| module)
}

/// The module whose weight a tensor is, packed or not.
fn weight_module(name: &str) -> &str {
    name.rfind(".weight").map_or(name, |at| &name[..at])
}
