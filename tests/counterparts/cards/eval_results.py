"""Reads a list of `.eval_results` files (JSON, standard input) as huggingface_hub does.

For each: the data as PyYAML reads it, and as the client writes it again after parsing it to its own
entries. Dates stay what they are in Python, so that one which is no text is seen.
"""

import json
import sys

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml, parse_eval_result_entries


def read(text):
    data = yaml.safe_load(text)
    entries = parse_eval_result_entries(data)
    assert all(isinstance(entry, EvalResultEntry) for entry in entries)
    return {"yaml": data, "again": eval_result_entries_to_yaml(entries)}


json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
