//! What stands in the samples of tests/samples/evidence, read off them by eye.

/// Path, format, how many numbers, and some of them in the form of `shown`.
type Expected = (&'static str, &'static str, usize, &'static [&'static str]);

pub(super) const EXPECTED: &[Expected] = &[
    (
        "dvc/dvc-metrics-show.json",
        "dvc-metrics",
        10,
        &[
            "train/accuracy task=metrics.json = 0.991 :1",
            "train/loss task=metrics.json = 0.031 :1",
            "auc task=eval/scores.yaml = 0.993 :1",
            "latency/p50 task=eval/scores.yaml = 4.1 :1",
            "brier task=extra_metrics.toml = 0.031 :1",
        ],
    ),
    (
        "dvc/eval/live/metrics.json",
        "plain",
        3,
        &["accuracy = 0.951 :1", "f1/macro = 0.949 :1", "f1/weighted = 0.958 :1"],
    ),
    ("dvc/eval/roc.csv", "table", 2, &["fpr = 1 :4", "tpr = 1 :4"]),
    (
        "dvc/eval/scores.yaml",
        "plain",
        3,
        &["auc = 0.993 :1", "latency/p50 = 4.1 :3", "latency/p95 = 12.4 :4"],
    ),
    ("dvc/extra_metrics.toml", "plain", 1, &["brier = 0.031 :1"]),
    (
        "dvc/metrics.json",
        "plain",
        3,
        &["train/accuracy = 0.991 :1", "train/loss = 0.031 :1", "n = 426 :1"],
    ),
    (
        "dvclive/metrics.json",
        "dvclive",
        2,
        &["train/loss = 0.3333333333333333 :3", "eval/acc = 0.9 :6"],
    ),
    ("dvclive/plots/metrics/eval/acc.tsv", "table", 1, &["acc = 0.9 :4"]),
    ("evaluate/result.json", "evaluate", 2, &["accuracy = 0.91 :2", "f1 = 0.88 :3"]),
    (
        "github-action-benchmark/bigger_is_better.json",
        "github-action-benchmark",
        1,
        &["throughput = 984.453 samples/s :5"],
    ),
    (
        "github-action-benchmark/smaller_is_better.json",
        "github-action-benchmark",
        2,
        &["p95 latency = 12.4 ms :5", "peak memory = 512 Megabytes :12"],
    ),
    (
        "inspect-ai/log-header-only.json",
        "inspect-ai",
        2,
        &[
            "accuracy task=toy filter=match = 0.25 ± 0.25 n=4 :103",
            "accuracy task=toy filter=includes = 0.25 ± 0.25 n=4 :122",
        ],
    ),
    (
        "lightgbm/evals_result.json",
        "evals-result",
        6,
        &[
            "binary_logloss split=valid = 0.2930909375116393 :13",
            "binary_logloss filter=min split=valid = 0.2930909375116393 :13",
            "binary_logloss filter=max split=valid = 0.5880966383721256 :4",
            "auc split=valid = 0.9722222222222222 :25",
            "auc filter=min split=valid = 0.9559748427672956 :16",
            "auc filter=max split=valid = 0.9726415094339622 :24",
        ],
    ),
    (
        "lm-eval/results_2026-11-23T07-04-37.791062.json",
        "lm-eval",
        4,
        &[
            "acc task=toy_arith split=test = 0.3 ± 0.10513149660756933 ↑ n=20 :7",
            "acc_norm task=toy_arith split=test = 0.3 ± 0.10513149660756933 ↑ n=20 :9",
            "exact_match task=toy_gen filter=strict split=test = 0 ± 0 ↑ n=20 :16",
            "exact_match task=toy_gen filter=flexible split=test = 0 ± 0 ↑ n=20 :18",
        ],
    ),
    (
        "mlflow/file-store/108678704430194621/fd7fb3934ed142968fa54ff834803657/metrics/accuracy",
        "mlflow-metric",
        1,
        &["accuracy = 0.958 :2"],
    ),
    (
        "mlflow/file-store/108678704430194621/fd7fb3934ed142968fa54ff834803657/metrics/val/loss",
        "mlflow-metric",
        1,
        &["val/loss = 0.3333333333333333 :3"],
    ),
    (
        "mlflow/file-store/108678704430194621/models/m-bee2294bff5f4cabbd2fc30356eb6dff/artifacts/MLmodel",
        "mlmodel",
        1,
        &["model_size_bytes = 10747 bytes :20"],
    ),
    (
        "mlflow/file-store/108678704430194621/models/m-bee2294bff5f4cabbd2fc30356eb6dff/metrics/accuracy",
        "mlflow-metric",
        1,
        &["accuracy = 0.958 :1"],
    ),
    (
        "mlflow/file-store/108678704430194621/models/m-bee2294bff5f4cabbd2fc30356eb6dff/metrics/val/loss",
        "mlflow-metric",
        1,
        &["val/loss = 1 :1"],
    ),
    (
        "mlflow/run.json",
        "mlflow-run",
        2,
        &["accuracy = 0.958 :15", "val/loss = 0.3333333333333333 :16"],
    ),
    (
        "pytest-benchmark/benchmark.json",
        "pytest-benchmark",
        13,
        &[
            "mean task=tests/test_bench.py::test_infer_small = 0.000007885868000585106 ± 0.000001087995060029247 s n=20 :196",
            "median task=tests/test_bench.py::test_infer_small = 0.000005241989999831275 s n=20 :199",
            "mean task=tests/test_bench.py::test_infer_large = 0.00022589789999983624 ± 0.00005698561450937804 s n=20 :257",
            "median task=tests/test_bench.py::test_infer_large = 0.00010793905000809899 s n=20 :260",
            "batch_size task=tests/test_bench.py::test_infer_large = 32 :242",
        ],
    ),
    (
        "sklearn/classification_report.json",
        "sklearn-report",
        13,
        &[
            "precision label=malignant = 0.9433962264150944 n=53 :3",
            "recall label=malignant = 0.9433962264150944 n=53 :4",
            "accuracy = 0.958041958041958 n=143 :14",
            "precision filter=macro avg = 0.9550314465408805 n=143 :16",
            "f1-score filter=weighted avg = 0.958041958041958 n=143 :24",
        ],
    ),
    (
        "sklearn/metrics.json",
        "plain",
        2,
        &["accuracy = 0.958041958041958 :2", "roc_auc = 0.9951781970649896 :3"],
    ),
    (
        "transformers-trainer/all_results.json",
        "transformers",
        11,
        &[
            "epoch = 2 :2",
            "eval_accuracy = 1 :3",
            "total_flos = 8854272 :8",
            "train_loss = 0.5652561850017972 :9",
            "train_steps_per_second = 2.318 1/s :12",
        ],
    ),
    (
        "transformers-trainer/eval_results.json",
        "transformers",
        6,
        &[
            "epoch = 2 :2",
            "eval_accuracy = 1 :3",
            "eval_loss = 0.550136387348175 :4",
            "eval_runtime = 0.0244 s :5",
            "eval_samples_per_second = 984.453 1/s :6",
            "eval_steps_per_second = 123.057 1/s :7",
        ],
    ),
    (
        "transformers-trainer/train_results.json",
        "transformers",
        6,
        &[
            "epoch = 2 :2",
            "total_flos = 8854272 :3",
            "train_loss = 0.5652561850017972 :4",
            "train_runtime = 7.7663 s :5",
            "train_samples_per_second = 18.542 1/s :6",
            "train_steps_per_second = 2.318 1/s :7",
        ],
    ),
    (
        "transformers-trainer/trainer_state.json",
        "trainer-state",
        14,
        &[
            "best_metric = 1 :3",
            "grad_norm = 1.0967179536819458 :58",
            "eval_runtime = 0.0263 s :67",
            "eval_samples_per_second = 912.169 1/s :68",
            "train_steps_per_second = 2.318 1/s :79",
        ],
    ),
    (
        "wandb-run/run.wandb",
        "wandb-run",
        5,
        &[
            "best_acc = 0.9",
            "eval/acc = 0.8300000000000001",
            "loss filter=min = 0.25",
            "nan = NotFinite(\"NaN\")",
            "nested.f1 = 0.8",
        ],
    ),
    (
        "wandb/wandb-summary.json",
        "wandb-summary",
        3,
        &["eval/acc = 0.9 :1", "train/loss = 0.3333333333333333 :1", "best_acc = 0.9 :1"],
    ),
    (
        "xgboost/evals_result.json",
        "evals-result",
        12,
        &[
            "logloss split=train = 0.05329518802813801 :13",
            "logloss filter=min split=train = 0.05329518802813801 :13",
            "logloss split=valid = 0.16738131750453186 :39",
            "logloss filter=min split=valid = 0.16738131750453186 :39",
            "auc filter=max split=valid = 0.9756813417190776 :49",
        ],
    ),
];

/// What stands in the other files, by how their paths end; a file in neither table fails the test.
pub(super) const NO_RESULTS: &[(&str, &str)] = &[
    ("README.md", "tells which tool wrote the samples"),
    ("dvc/dvc-metrics-diff.json", "differences between two revisions"),
    ("dvc/dvc-metrics-diff.md", "differences between two revisions"),
    ("dvc/dvc.lock", "the pipeline, read by `evidence::pipeline`"),
    ("dvc/dvc.yaml", "the pipeline, read by `evidence::pipeline`"),
    ("params.yaml", "parameters"),
    ("samples_toy_gen_2026-11-23T07-04-37.791062.jsonl", "answers one by one"),
    ("meta.yaml", "what MLflow keeps of a run beside its metrics"),
    ("params/C", "a parameter"),
    ("params/seed", "a parameter"),
    ("tags/mlflow.runName", "a tag"),
    ("tags/mlflow.source.name", "a tag"),
    ("tags/mlflow.source.type", "a tag"),
    ("tags/mlflow.user", "a tag"),
    ("tags/team", "a tag"),
    ("artifacts/conda.yaml", "an environment"),
    ("artifacts/python_env.yaml", "an environment"),
    ("artifacts/requirements.txt", "an environment"),
    ("artifacts/input_example.json", "data"),
    ("artifacts/serving_input_example.json", "data"),
    ("artifacts/model.skops", "a model"),
    ("pytest-json-report/report.json", "tests, read by `json_report`"),
    ("sklearn/classification_report.txt", "for people; the JSON beside it has its numbers"),
    ("transformers-trainer/config.json", "settings"),
    ("transformers-trainer/tokenizer_config.json", "settings"),
];

/// What the samples tell of their runs: tool, run, commit, model, datasets. Those that are not here
/// tell nothing.
pub(super) const LINEAGE: &[(&str, &str)] = &[
    ("evaluate/result.json", "tool=evaluate 0.4.6"),
    (
        "inspect-ai/log-header-only.json",
        "tool=inspect_ai 0.3.285 run=MYHDNSBsjnxeqDWyLhP9cx model=mockllm/model",
    ),
    ("lm-eval/results_2026-11-23T07-04-37.791062.json", "tool=lm_eval 0.4.13 model=i82qcls7"),
    (
        "mlflow/file-store/108678704430194621/fd7fb3934ed142968fa54ff834803657/metrics/accuracy",
        "tool=mlflow run=fd7fb3934ed142968fa54ff834803657",
    ),
    (
        "mlflow/file-store/108678704430194621/fd7fb3934ed142968fa54ff834803657/metrics/val/loss",
        "tool=mlflow run=fd7fb3934ed142968fa54ff834803657",
    ),
    (
        "mlflow/file-store/108678704430194621/models/m-bee2294bff5f4cabbd2fc30356eb6dff/artifacts/MLmodel",
        "tool=mlflow 3.17.2 run=fd7fb3934ed142968fa54ff834803657 model=m-bee2294bff5f4cabbd2fc30356eb6dff",
    ),
    (
        "mlflow/file-store/108678704430194621/models/m-bee2294bff5f4cabbd2fc30356eb6dff/metrics/accuracy",
        "tool=mlflow run=fd7fb3934ed142968fa54ff834803657 model=m-bee2294bff5f4cabbd2fc30356eb6dff",
    ),
    (
        "mlflow/file-store/108678704430194621/models/m-bee2294bff5f4cabbd2fc30356eb6dff/metrics/val/loss",
        "tool=mlflow run=fd7fb3934ed142968fa54ff834803657 model=m-bee2294bff5f4cabbd2fc30356eb6dff",
    ),
    ("mlflow/run.json", "tool=mlflow run=fd7fb3934ed142968fa54ff834803657"),
    ("pytest-benchmark/benchmark.json", "tool=pytest-benchmark 5.3.1"),
    ("wandb-run/run.wandb", "tool=wandb 0.31.0 run=fcf4ayql"),
    ("wandb/wandb-summary.json", "tool=wandb"),
];
