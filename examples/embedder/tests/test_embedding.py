"""What must hold before this model is worth releasing; also measures metrics.json."""

import json
import pathlib

import pytest
from sentence_transformers import SentenceTransformer

HERE = pathlib.Path(__file__).parent.parent

# A query, what means the same, and a decoy that only shares its words. Decoys are meant to be hard:
# how many are seen through is a metric with a bound in weighbridge.yml, not a test.
TRIPLETS = [
    ("How do I reset my password?", "Steps to recover account access", "Reset the office printer"),
    ("The cat sleeps on the sofa", "A kitten is napping on the couch", "The sofa is on sale"),
    ("Stock prices fell sharply", "Shares dropped a lot today", "The stock of the soup was sharp"),
    ("He plays the guitar", "A man is making music on a string instrument", "He plays football"),
    ("Cheap flights to Rome", "Low-cost air travel to Italy's capital", "Rome has cheap pizza"),
    ("The bridge is closed", "You cannot cross the river there today", "She played bridge all day"),
    ("My phone will not charge", "The battery does not fill up", "They charge for phone calls"),
    ("It rained all week", "Seven days of wet weather", "All week she trained hard"),
]


@pytest.fixture(scope="module")
def model():
    return SentenceTransformer(str(HERE / "model"), device="cpu")


@pytest.fixture(scope="module")
def margins(model):
    """For each triplet, how much nearer the answer is than the decoy (cosine)."""
    vectors = [model.encode(texts, normalize_embeddings=True) for texts in TRIPLETS]
    return [float(query @ answer - query @ decoy) for query, answer, decoy in vectors]


def test_an_embedding_has_384_numbers_and_length_one(model):
    vector = model.encode("a sentence")
    assert vector.shape == (384,)
    assert float(vector @ vector) == pytest.approx(1.0, abs=1e-5)


def test_the_same_sentence_embeds_the_same_in_any_batch(model):
    alone = model.encode("a sentence")
    among = model.encode(["another, rather longer sentence", "a sentence"])[1]
    assert float(alone @ among) == pytest.approx(1.0, abs=1e-5)


def test_an_empty_text_is_no_error(model):
    assert model.encode("").shape == (384,)


@pytest.mark.parametrize("triplet", range(len(TRIPLETS)))
def test_the_answer_is_nearer_than_another_questions_answer(model, triplet):
    query, answer, _ = TRIPLETS[triplet]
    stranger = TRIPLETS[(triplet + 1) % len(TRIPLETS)][1]
    query, answer, stranger = model.encode([query, answer, stranger], normalize_embeddings=True)
    assert query @ answer > query @ stranger


def test_write_the_metrics(margins):
    metrics = {
        "triplets": len(margins),
        "triplet_accuracy": sum(margin > 0 for margin in margins) / len(margins),
        "mean_margin": round(sum(margins) / len(margins), 4),
    }
    text = json.dumps(metrics, indent=2) + "\n"
    (HERE / "metrics.json").write_text(text, encoding="utf-8")
