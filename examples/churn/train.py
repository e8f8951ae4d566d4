"""Trains the churn model, and writes model/ and metrics.json.

    pip install --no-deps -r requirements.txt
    python train.py && python -m pytest
"""

import json

import xgboost
from scipy.stats import rankdata

from churn import CHOICES, FEATURES, HERE, MODEL, NUMBERS, customers, left, table

# Above this the customer is called: a call to someone who would have stayed costs less than a
# customer lost, so the threshold is below one half.
THRESHOLD = 0.35

PARAMETERS = {
    "objective": "binary:logistic",
    "eta": 0.1,
    "max_depth": 3,
    "min_child_weight": 10,
    "subsample": 0.8,
    "seed": 7,
    "nthread": 1,  # so that everyone gets the same trees
}


def main():
    training, held_out = customers()
    booster = xgboost.train(PARAMETERS, label(training), num_boost_round=80)
    booster.save_model(MODEL / "model.json")
    write(
        MODEL / "config.json",
        {
            "model_type": "xgboost",
            "objective": PARAMETERS["objective"],
            "threshold": THRESHOLD,
            "features": FEATURES,
            "numbers": NUMBERS,
            "choices": CHOICES,
        },
    )
    write(HERE / "metrics.json", measure(booster, training, held_out))


def label(rows):
    matrix = table(rows)
    matrix.set_label(left(rows))
    return matrix


def measure(booster, training, held_out):
    """The numbers of the card, all on the held-out customers."""
    seniors = [row for row in held_out if row["seniorcitizen"] == "1"]
    others = [row for row in held_out if row["seniorcitizen"] == "0"]
    return {
        "training_customers": len(training),
        "held_out_customers": len(held_out),
        "test": scores(booster, held_out),
        "groups": {
            "senior": scores(booster, seniors),
            "not_senior": scores(booster, others),
        },
    }


def scores(booster, rows):
    truth, probability = left(rows), booster.predict(table(rows))
    called = probability >= THRESHOLD
    found = int((called & (truth == 1)).sum())
    precision, recall = found / int(called.sum()), found / int(truth.sum())
    leavers = int(truth.sum())
    ranks = rankdata(probability)[truth == 1].sum()
    return {
        "accuracy": rounded((called == truth).mean()),
        "precision": rounded(precision),
        "recall": rounded(recall),
        "f1": rounded(2 * precision * recall / (precision + recall)),
        # The Mann-Whitney statistic: how often a leaver is ranked above one who stayed.
        "roc_auc": rounded(
            (ranks - leavers * (leavers + 1) / 2) / (leavers * (len(rows) - leavers))
        ),
        "brier": rounded(((probability - truth) ** 2).mean()),
    }


def rounded(number):
    return round(float(number), 4)


def write(file, value):
    file.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
