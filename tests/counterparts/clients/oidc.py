"""Trusted publishing as the official Python client does it: no stored token at all.

usage: oidc.py REPO OTHER DATASET    (HF_OIDC_RESOURCE names REPO; all three are there)
"""

import json
import sys

from huggingface_hub import HfApi, constants, get_token
from huggingface_hub._oidc import exchange_oidc_token, get_oidc_token
from huggingface_hub.errors import HfHubHTTPError


def refused(statuses, call):
    try:
        call()
    except HfHubHTTPError as error:
        assert error.response.status_code in statuses, error
        return error.response
    raise AssertionError(f"not refused: {statuses}")


own, other, dataset = sys.argv[1:]
api = HfApi()
token = get_token()
assert token.startswith("hf_jwt_"), "the client took no exchanged token"
assert get_token() == token, "the client keeps it"

api.upload_file(path_or_fileobj=b"hello", path_in_repo="note.txt", repo_id=own)
assert api.file_exists(own, "note.txt")
api.create_tag(own, tag="v1.0.0")

refused({403, 404}, lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=other))
refused({403}, lambda: api.create_repo("acme/new", private=True))
refused({403}, lambda: api.delete_repo(own))


def error(subject, resource):
    call = lambda: exchange_oidc_token(subject_token=subject, resource=resource)
    return refused({400}, call).json()["error"]


identity = get_oidc_token()
of_dataset = HfApi(token=exchange_oidc_token(subject_token=identity, resource=f"datasets/{dataset}")["access_token"])
of_dataset.upload_file(path_or_fileobj=b"1", path_in_repo="1.txt", repo_id=dataset, repo_type="dataset")
assert of_dataset.file_exists(dataset, "1.txt", repo_type="dataset")
refused({403, 404}, lambda: of_dataset.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=own))
refused(
    {403, 404},
    lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=dataset, repo_type="dataset"),
)
elsewhere = get_oidc_token(audience="https://huggingface.co")
granted = exchange_oidc_token(subject_token=identity, resource=own)
print(
    json.dumps(
        {
            "endpoint": constants.ENDPOINT,
            "expires_in": granted["expires_in"],
            "token_type": granted["token_type"],
            "other repository": error(identity, other),
            "other audience": error(elsewhere, own),
            "no token": error("a.b.c", own),
            "no resource": error(identity, "not/a/repo"),
            "a dataset as a model": error(identity, dataset),
            "a space": error(identity, "spaces/acme/demo"),
            "a user": error(identity, "ada"),
        }
    )
)
