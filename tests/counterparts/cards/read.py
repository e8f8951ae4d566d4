"""Reads a list of model cards (JSON, standard input) as Python's tools do.

For each card: the front matter as PyYAML reads it, the same data after huggingface_hub has parsed
the card, and after it has printed and parsed it once more. Every scalar carries its kind, so that
`true`, `1` and `"1"` never compare as equal. The Python snippets of each card are compiled.
"""

import json
import re
import sys

import yaml
from huggingface_hub import ModelCard


def kinds(value):
    if isinstance(value, dict):
        return {"map": {str(key): kinds(item) for key, item in value.items()}}
    if isinstance(value, list):
        return {"list": [kinds(item) for item in value]}
    if value is None:
        return {"null": True}
    if isinstance(value, bool):
        return {"bool": value}
    if isinstance(value, (int, float)):
        return {"number": repr(float(value))}
    if isinstance(value, str):
        return {"text": value}
    return {type(value).__name__: str(value)}


def read(card):
    block = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    for code in re.findall(r"^```python\n(.*?)^```$", card, re.DOTALL | re.MULTILINE):
        compile(code, "snippet", "exec")
    parsed = ModelCard(card, ignore_metadata_errors=False)
    again = ModelCard(str(parsed), ignore_metadata_errors=False)
    return {
        "yaml": kinds(yaml.safe_load(block.group(1))),
        "card": kinds(parsed.data.to_dict()),
        "again": kinds(again.data.to_dict()),
        "text": parsed.text,
    }


json.dump([read(card) for card in json.load(sys.stdin)], sys.stdout)
