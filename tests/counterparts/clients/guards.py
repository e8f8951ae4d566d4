"""What the Hub refuses, as the official Python client understands the refusals.

usage: guards.py REPO
"""

import sys

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, HfApi, hf_hub_url
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, get_session


def refused(kind, status, call):
    try:
        call()
    except kind as error:
        assert error.response.status_code == status, (status, error)
        return str(error)
    raise AssertionError(f"not refused: {status}")


[repo] = sys.argv[1:]
api = HfApi()
api.create_repo(repo, private=True)
first = api.model_info(repo).sha


def commit(text, **kwargs):
    add = CommitOperationAdd("a.txt", text.encode())
    return api.create_commit(repo, [add], commit_message=f"add {text}", **kwargs)


second = commit("two", parent_commit=first).oid
stale = refused(HfHubHTTPError, 412, lambda: commit("three", parent_commit=first))
assert "updated since you opened this page" in stale, stale
assert api.model_info(repo).sha == second

proposal = commit("proposed", create_pr=True)
assert proposal.pr_revision == "refs/pr/1" and proposal.pr_num == 1, proposal
assert api.model_info(repo).sha == second
assert api.model_info(repo, revision="refs/pr/1").sha == proposal.oid
refs = api.list_repo_refs(repo, include_pull_requests=True)
assert [(pr.ref, pr.target_commit) for pr in refs.pull_requests] == [("refs/pr/1", proposal.oid)]
assert commit("more", revision="refs/pr/1").oid == api.model_info(repo, revision="refs/pr/1").sha
assert api.get_discussion_details(repo, 1).is_pull_request
assert [discussion.num for discussion in api.get_repo_discussions(repo)] == [1]

url = hf_hub_url(repo, "a.txt")
part = get_session().get(url, headers={**build_hf_headers(), "Range": "bytes=1-2"})
assert (part.status_code, part.content) == (206, b"wo"), (part.status_code, part.content)
assert part.headers["content-range"] == "bytes 1-2/3"

refused(HfHubHTTPError, 409, lambda: api.create_repo(repo))
api.create_tag(repo, tag="v1")
refused(HfHubHTTPError, 409, lambda: api.create_tag(repo, tag="v1"))
refused(HfHubHTTPError, 409, lambda: api.create_branch(repo, branch="main"))
refused(RevisionNotFoundError, 404, lambda: api.model_info(repo, revision="v9"))
refused(RevisionNotFoundError, 404, lambda: commit("x", revision="nowhere"))
refused(EntryNotFoundError, 404, lambda: api.hf_hub_download(repo, "missing.txt"))
refused(RepositoryNotFoundError, 404, lambda: api.model_info("nobody/nothing"))
refused(RepositoryNotFoundError, 401, lambda: HfApi(token=False).model_info(repo))
refused(HfHubHTTPError, 401, lambda: HfApi(token="hf_wrong").whoami())

# A large file can be committed again by its digest alone, and under another name.
copied = api.upload_file(path_or_fileobj=b"x" * 2_000_000, path_in_repo="big.bin", repo_id=repo)
api.create_commit(repo, [CommitOperationCopy("big.bin", "copy.bin")], commit_message="copy")
[copy] = api.get_paths_info(repo, ["copy.bin"])
assert copy.lfs.size == 2_000_000
