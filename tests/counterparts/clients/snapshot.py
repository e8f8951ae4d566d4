"""What the official Python client downloads of one revision.

usage: snapshot.py REPO REVISION
Prints {path: {"sha256": hex, "lfs": bool}}; `.gitattributes` is the Hub's own and left out.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download

repo, revision = sys.argv[1:]
lfs = {entry.path: getattr(entry, "lfs", None) is not None
       for entry in HfApi().list_repo_tree(repo, recursive=True, revision=revision)}
with tempfile.TemporaryDirectory() as cache:
    local = Path(snapshot_download(repo, revision=revision, cache_dir=cache))
    seen = {}
    for path in local.rglob("*"):
        name = str(path.relative_to(local))
        if path.is_file() and name != ".gitattributes":
            seen[name] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "lfs": lfs[name]}
print(json.dumps(seen))
