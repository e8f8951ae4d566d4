"""moto's AWS, which checks no signature, with botocore's before it: a request whose signature is not
what botocore makes of it is refused as AWS does. Prints its address, then one line of JSON a request.

    aws_server.py '{"secrets": {NAME: STRING | {"binary": BASE64}}, "keys": {ID: SECRET}}'
"""

import json
import os
import sys
import threading
from io import BytesIO
from urllib.parse import parse_qs

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from moto.sts.models import sts_backends
from werkzeug.serving import WSGIRequestHandler, make_server

ASKED = json.loads(sys.argv[1])
# Of moto's instance metadata.
KEYS = {"test-key": "test-secret-key", **ASKED["keys"]}


def secret_of(key):
    for role in sts_backends[DEFAULT_ACCOUNT_ID]["aws"].assumed_roles:
        if role.access_key_id == key:
            return role.secret_access_key, role.session_token
    return KEYS.get(key), None


def refusal(environ, body):
    """What AWS would say of the signature, or nothing."""
    scheme, _, rest = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        return "MissingAuthenticationTokenException"
    fields = dict(field.strip().split("=", 1) for field in rest.split(","))
    key, _, region, service, _ = fields["Credential"].split("/")
    secret, session = secret_of(key)
    if secret is None:
        return "UnrecognizedClientException"
    if session is not None and environ.get("HTTP_X_AMZ_SECURITY_TOKEN") != session:
        return "UnrecognizedClientException"
    request = AWSRequest(
        method=environ["REQUEST_METHOD"],
        url=f"http://{environ['HTTP_HOST']}{environ['PATH_INFO']}",
        params=parse_qs(environ["QUERY_STRING"]),
        data=body,
    )
    for name in fields["SignedHeaders"].split(";"):
        variable = name.upper().replace("-", "_")
        value = environ.get(f"HTTP_{variable}", environ.get(variable))
        request.headers[name] = value
    request.context["timestamp"] = environ["HTTP_X_AMZ_DATE"]
    auth = SigV4Auth(Credentials(key, secret), service, region)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    # A session's token has to be signed, and so does what is asked for.
    signed = set(fields["SignedHeaders"].split(";"))
    needed = {"host", "x-amz-date", "x-amz-target", "content-type"}
    needed |= {"x-amz-security-token"} if "HTTP_X_AMZ_SECURITY_TOKEN" in environ else set()
    if expected != fields["Signature"] or not needed <= signed:
        return "InvalidSignatureException"
    return None


class Strict:
    def __init__(self):
        self.moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        path, target = environ["PATH_INFO"], environ.get("HTTP_X_AMZ_TARGET", "")
        form = parse_qs(body.decode()) if not target else {}
        note = {"path": path, "query": environ["QUERY_STRING"], "target": target}
        note["action"] = form.get("Action", [""])[0]
        note["length"] = len(body)
        print(json.dumps(note), flush=True)
        if path.startswith("/latest/"):
            # Version 1 of the service asks for no token: it is not to be used.
            if environ["REQUEST_METHOD"] == "GET" and "HTTP_X_AWS_EC2_METADATA_TOKEN" not in environ:
                start_response("401 Unauthorized", [])
                return [b""]
            environ["HTTP_HOST"] = "169.254.169.254"
        elif path == "/container":
            if environ.get("HTTP_AUTHORIZATION") != "of the pod":
                start_response("401 Unauthorized", [])
                return [b""]
            answer = {"AccessKeyId": "test-key", "SecretAccessKey": "test-secret-key", "Token": "session"}
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(answer).encode()]
        elif target and (code := refusal(environ, body)):
            start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
            return [json.dumps({"__type": code, "message": "as AWS says it"}).encode()]
        return self.moto(environ, start_response)


class Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass


def main():
    backend = secretsmanager_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"]
    for name, value in ASKED["secrets"].items():
        is_binary = isinstance(value, dict)
        backend.create_secret(
            name=name,
            secret_string=None if is_binary else value,
            secret_binary=value["binary"] if is_binary else None,
            description=None,
            tags=[],
            kms_key_id=None,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
    server = make_server("127.0.0.1", 0, Strict(), threaded=True, request_handler=Quiet)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    # Whoever started this is gone when its end of the pipe is.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


main()
