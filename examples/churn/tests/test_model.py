"""What must hold before this model is worth releasing."""

import json

import numpy
import pytest

from churn import FEATURES, HERE, customers, left, load, table

LOYAL = {
    "tenure": "70",
    "monthlycharges": "25.0",
    "totalcharges": "1750.0",
    "contract": "Two year",
    "internetservice": "No",
    "paymentmethod": "Bank transfer (automatic)",
    "paperlessbilling": "No",
    "onlinesecurity": "No internet service",
    "techsupport": "No internet service",
    "partner": "Yes",
    "dependents": "Yes",
}
LEAVING = LOYAL | {
    "tenure": "1",
    "monthlycharges": "95.0",
    "totalcharges": "95.0",
    "contract": "Month-to-month",
    "internetservice": "Fiber optic",
    "paymentmethod": "Electronic check",
    "onlinesecurity": "No",
    "techsupport": "No",
}


@pytest.fixture(scope="module")
def model():
    return load()[0]


def chance(model, **customer):
    return float(model.predict(table([customer]))[0])


def test_no_held_out_customer_was_trained_on():
    training, held_out = ({row["customerid"] for row in part} for part in customers())
    assert training and held_out
    assert not training & held_out


def test_the_model_reads_the_features_it_says(model):
    assert model.feature_names == FEATURES


def test_a_loyal_customer_stays_and_a_leaving_one_is_called(model):
    threshold = load()[1]
    assert chance(model, **LOYAL) < threshold < chance(model, **LEAVING)


@pytest.mark.parametrize("contract", ["One year", "Two year"])
def test_a_longer_contract_never_makes_leaving_likelier(model, contract):
    assert chance(model, **LEAVING | {"contract": contract}) < chance(model, **LEAVING)


def test_a_customer_with_nothing_known_gets_a_probability(model):
    assert 0.0 < chance(model) < 1.0


def test_an_unknown_choice_is_missing_not_an_error(model):
    assert 0.0 < chance(model, **LOYAL | {"contract": "Ten years"}) < 1.0


def test_the_reported_numbers_are_this_models(model):
    reported = json.loads((HERE / "metrics.json").read_text(encoding="utf-8"))["test"]
    held_out = customers()[1]
    called = model.predict(table(held_out)) >= load()[1]
    accuracy = float(numpy.mean(called == left(held_out)))
    assert accuracy == pytest.approx(reported["accuracy"], abs=1e-4)
