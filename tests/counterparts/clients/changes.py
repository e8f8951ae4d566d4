"""What the official Python client tells of a repository's versions.

usage: changes.py REPO
Prints {"commits": [[title, message], ...], "tags": {name: index of its commit}}, the newest first.
"""

import json
import sys

from huggingface_hub import HfApi

[repo] = sys.argv[1:]
commits = HfApi().list_repo_commits(repo)
ids = [commit.commit_id for commit in commits]
tags = {tag.name: ids.index(tag.target_commit) for tag in HfApi().list_repo_refs(repo).tags}
print(json.dumps({"commits": [[commit.title, commit.message] for commit in commits], "tags": tags}))
