"""The official Python client's whole round trip: create, upload, tag, list, download, delete.

usage: round_trip.py FOLDER REPO
Prints a JSON object of what the client saw; exits non-zero at the first thing that is not right.
"""

import json
import sys
import tempfile
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import RepositoryNotFoundError


def contents(folder):
    files = (path for path in Path(folder).rglob("*") if path.is_file() and ".cache" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


folder, repo = sys.argv[1:]
api = HfApi()
url = api.create_repo(repo, private=True)
assert api.create_repo(repo, exist_ok=True) == url
assert api.repo_exists(repo)
token = api.whoami()["auth"]["accessToken"]
assert token["role"] == "fineGrained"
assert [scope["entity"]["name"] for scope in token["fineGrained"]["scoped"]] == [repo], token

commit = api.upload_folder(repo_id=repo, folder_path=folder, commit_message="Upload the model")
api.create_tag(repo, tag="v1.0.0", tag_message="first")
api.create_branch(repo, branch="staging/one", revision="v1.0.0")

sent = contents(folder)
listed = set(api.list_repo_files(repo, revision="v1.0.0"))
assert listed == set(sent) | {".gitattributes"}, listed
refs = api.list_repo_refs(repo)
head = api.model_info(repo).sha
assert [(tag.name, tag.target_commit) for tag in refs.tags] == [("v1.0.0", head)], refs
assert {branch.name for branch in refs.branches} == {"main", "staging/one"}, refs

info = api.model_info(repo, revision="v1.0.0", files_metadata=True, securityStatus=True)
assert info.private and info.card_data.license == "mit", info
sizes = {sibling.rfilename: sibling.size for sibling in info.siblings}
assert all(sizes[path] == len(data) for path, data in sent.items()), sizes
tree = {entry.path: entry for entry in api.list_repo_tree(repo, recursive=True, expand=True)}
assert all(entry.last_commit.oid for entry in tree.values()), tree
[weights] = api.get_paths_info(repo, ["weights.safetensors"], expand=True)
assert weights.lfs.size == len(sent["weights.safetensors"]) and weights.security.safe

with tempfile.TemporaryDirectory() as cache:
    local = snapshot_download(repo, revision="v1.0.0", cache_dir=cache)
    received = contents(local)
    received.pop(".gitattributes")
    assert received == sent, "the bytes differ"
with tempfile.TemporaryDirectory() as cache:
    one = hf_hub_download(repo, "weights.safetensors", revision="staging/one", cache_dir=cache)
    assert Path(one).read_bytes() == sent["weights.safetensors"]

# Nothing has changed: nothing is committed.
again = api.upload_folder(repo_id=repo, folder_path=folder, commit_message="Upload the model again")
assert api.model_info(repo).sha == head, again
commits = [commit.title for commit in api.list_repo_commits(repo)]

api.delete_file("notes/zero.txt", repo)
assert "notes/zero.txt" not in api.list_repo_files(repo)
assert "notes/zero.txt" in api.list_repo_files(repo, revision="v1.0.0")
api.delete_tag(repo, tag="v1.0.0")
api.delete_branch(repo, branch="staging/one")
moved = repo + "-moved"
api.move_repo(repo, moved)
api.update_repo_settings(moved, private=False, gated="auto")
assert not api.model_info(moved).private and moved in [model.id for model in api.list_models(author=moved.split("/")[0])]
api.delete_repo(moved)
try:
    api.model_info(moved)
    raise AssertionError("the repository is still there")
except RepositoryNotFoundError:
    pass

print(json.dumps({"commits": commits, "xet": weights.xet_hash is not None}))
