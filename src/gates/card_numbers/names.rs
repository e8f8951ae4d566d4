//! The names of measures, as evidence and people write them.

/// Measures by the id that the Hub has for them, with the words that people use. Only such as mean
/// nothing else beside a number.
const MEASURES: [(&str, &[&str]); 29] = [
    ("accuracy", &["accuracy", "acc"]),
    ("f1", &["f1 score", "f1", "f score", "f measure"]),
    ("precision", &["precision"]),
    ("recall", &["recall"]),
    ("specificity", &["specificity"]),
    ("roc_auc", &["roc auc", "auc roc", "auroc", "auc"]),
    ("average_precision", &["average precision", "auprc", "pr auc", "auc pr"]),
    ("mean_average_precision", &["mean average precision"]),
    ("brier_score", &["brier score", "brier score loss", "brier"]),
    ("log_loss", &["log loss", "logloss"]),
    ("matthews_correlation", &["matthews correlation coefficient", "matthews correlation", "mcc"]),
    ("cohen_kappa", &["cohen kappa", "cohen s kappa"]),
    ("bleu", &["bleu score", "sacrebleu", "bleu"]),
    ("rouge1", &["rouge 1", "rouge1"]),
    ("rouge2", &["rouge 2", "rouge2"]),
    ("rougel", &["rouge l", "rougel"]),
    ("rougelsum", &["rouge lsum", "rougelsum"]),
    ("meteor", &["meteor"]),
    ("chrf", &["chrf"]),
    ("bertscore", &["bertscore", "bert score"]),
    ("wer", &["word error rate", "wer"]),
    ("cer", &["character error rate", "cer"]),
    ("perplexity", &["perplexity", "ppl"]),
    ("exact_match", &["exact match"]),
    ("mae", &["mean absolute error", "mae"]),
    ("mse", &["mean squared error", "mse"]),
    ("rmse", &["root mean squared error", "rmse"]),
    ("r2", &["r squared", "r2 score", "r2"]),
    ("ndcg", &["ndcg"]),
];

/// Words that say on which data, not what.
const SPLITS: [&str; 7] = ["eval", "test", "val", "valid", "validation", "predict", "dev"];

/// The measures that can stand on one card: those that everybody knows, and those of its evidence.
pub(super) struct Names {
    /// Words of a name and the measure they mean; longer names first.
    spelled: Vec<(Vec<String>, String)>,
}

impl Names {
    /// Knows the common measures, and `evidence`'s names beside them.
    pub(super) fn new<'a>(evidence: impl Iterator<Item = &'a str>) -> Self {
        let common = MEASURES.iter().flat_map(|(id, spellings)| {
            spellings.iter().map(|spelling| (words(spelling), (*id).to_owned()))
        });
        let mut names = Self { spelled: common.collect() };
        for name in evidence {
            let (words, measure) = (of_evidence(name), names.measure(name));
            if !words.is_empty() && !names.spelled.iter().any(|(known, _)| *known == words) {
                names.spelled.push((words, measure));
            }
        }
        names.spelled.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        names
    }

    /// What evidence measures: `eval_accuracy`, `acc` and `Accuracy (senior)` are all `accuracy`.
    pub(super) fn measure(&self, name: &str) -> String {
        let words = of_evidence(name);
        let known = self.spelled.iter().find(|(spelled, _)| *spelled == words);
        known.map_or_else(|| words.join("_"), |(_, measure)| measure.clone())
    }

    /// The measure whose name stands at the start of `words`, and of how many words it is.
    pub(super) fn at_start<W: AsRef<str>>(&self, words: &[W]) -> Option<(&str, usize)> {
        let stands = |name: &[String]| {
            name.len() <= words.len() && name.iter().zip(words).all(|(a, b)| a == b.as_ref())
        };
        let found = self.spelled.iter().find(|(name, _)| stands(name))?;
        Some((&found.1, found.0.len()))
    }

    /// The measure that a table's cell names, if it names one and says little else.
    pub(super) fn in_cell(&self, cell: &str) -> Option<&str> {
        let words = words(cell);
        if words.len() > 6 {
            return None;
        }
        (0..words.len()).find_map(|at| self.at_start(&words[at..])).map(|(measure, _)| measure)
    }
}

/// Lower-case words of letters and digits.
pub(super) fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The words of a name in evidence, without group and split: `test_f1 (macro)` → `f1`.
fn of_evidence(name: &str) -> Vec<String> {
    let measure = name.split('(').next().unwrap_or(name);
    let mut words = words(measure);
    while words.len() > 1 && SPLITS.contains(&words[0].as_str()) {
        words.remove(0);
    }
    words
}
