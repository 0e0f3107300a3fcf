"""AWS Signature Version 4 against the public vectors and against another signer.

The vectors are those of the crate aws-sigv4, which is fetched by name and version where cargo is;
the other signer is botocore's.
"""

import datetime
import json
import os
import random
import shutil
import string
import subprocess
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = Path(os.environ.get("SLUICE", ROOT / "build/asan/sluice")).parent
CRATE, VERSION = "aws-sigv4", "1.6.4"
WITH_CONTEXT = 38  # of the vectors; the other two have no expected signature


class Signer:
    def __init__(self):
        self.program = subprocess.Popen(
            [BUILT / "tests/e2e/aws_signer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def sign(self, **request):
        self.program.stdin.write(json.dumps(request) + "\n")
        self.program.stdin.flush()
        return json.loads(self.program.stdout.readline())

    def close(self):
        self.program.stdin.close()
        assert self.program.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def signer():
    made = Signer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """The folder of the public vectors, out of the crate as cargo unpacks it."""
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not installed on this machine")
    place = tmp_path_factory.mktemp("crate")
    (place / "src").mkdir()
    (place / "src/lib.rs").write_text("")
    (place / "Cargo.toml").write_text(
        '[package]\nname = "vectors"\nversion = "0.0.0"\nedition = "2021"\n'
        f'[dependencies]\n{CRATE} = "={VERSION}"\n'
    )
    fetched = subprocess.run(
        ["cargo", "metadata", "--format-version", "1"], cwd=place, capture_output=True, text=True,
        check=False, timeout=300,
    )
    if fetched.returncode != 0:
        pytest.skip(f"the crate {CRATE} cannot be fetched: {fetched.stderr.strip()[-160:]}")
    package = next(p for p in json.loads(fetched.stdout)["packages"] if p["name"] == CRATE)
    return Path(package["manifest_path"]).parent / "aws-signing-test-suite" / "v4"


def read_request(path):
    head, _, body = path.read_bytes().decode().partition("\n\n")
    first, *lines = head.split("\n")
    method, rest = first.split(" ", 1)
    target = rest.rsplit(" ", 1)[0]
    headers = []
    for line in filter(None, lines):
        if line[:1] in (" ", "\t"):  # the value of the header before goes on
            headers[-1][1] += "\n" + line
        else:
            name, _, value = line.partition(":")
            headers.append([name, value])
    return method, target, headers, body


def vector_request(folder):
    context = json.loads((folder / "context.json").read_text())
    method, _, headers, body = read_request(folder / "request.txt")
    # One vector's request.txt is encoded once more than what was signed.
    _, target, _, _ = read_request(folder / "header-signed-request.txt")
    host = next(value for name, value in headers if name.lower() == "host").strip()
    added = {"host", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}
    moment = datetime.datetime.fromisoformat(context["timestamp"].replace("Z", "+00:00"))
    keys = context["credentials"]
    return {
        "method": method,
        "url": f"https://{host}{target}",
        "headers": [pair for pair in headers if pair[0].lower() not in added],
        "body": body,
        "path": "normalized" if context["normalize"] else "encoded",
        "signs_payload_hash": context["sign_body"],
        "token_not_signed": context.get("omit_session_token", False),
        "access_key": keys["access_key_id"],
        "secret_key": keys["secret_access_key"],
        "session_token": keys.get("token", ""),
        "region": context["region"],
        "service": context["service"],
        "now_ms": int(moment.timestamp() * 1000),
    }


def test_public_vectors(signer, vectors):
    folders = sorted(path.parent for path in vectors.glob("*/context.json"))
    assert len(folders) == WITH_CONTEXT
    wrong = []
    for folder in folders:
        signed = signer.sign(**vector_request(folder))
        _, _, headers, _ = read_request(folder / "header-signed-request.txt")
        want = next(value for name, value in headers if name.lower() == "authorization").strip()
        if signed.get("authorization") != want:
            wrong.append(f"{folder.name}: {signed}\n  wanted {want}")
    assert not wrong, "\n".join(wrong)


ODD = ["a", "Z", "0", "-", "_", ".", "~", "%20", "%2F", "%25", "%C3%A9", "%3D", "%26", "!", "*", "'",
       "(", ")", ":", "@", ",", ";", "$"]


def odd_text(rng, most, also=()):
    return "".join(rng.choice(ODD + list(also)) for _ in range(rng.randrange(most)))


def odd_word(rng, most):
    """Of a query, which botocore signs as it stands: so it stands there as the rules want it."""
    return quote(unquote(odd_text(rng, most, "é+&=#?/")), safe="-_.~")


def odd_request(rng):
    segments = [rng.choice(["", ".", "..", odd_text(rng, 6)]) for _ in range(rng.randrange(6))]
    if segments and segments[-1] in (".", ".."):
        segments.append("")  # botocore forgets the `/` that RFC 3986 leaves there
    query = "&".join(
        rng.choice([name, f"{name}={value}"])
        for name, value in ((odd_word(rng, 4) or "k", odd_word(rng, 6)) for _ in range(rng.randrange(6)))
    )
    spaces = ["", " ", "  ", "\t"]
    names = {odd_name(rng): None for _ in range(rng.randrange(4))}
    headers = [
        [name, rng.choice(spaces) + odd_text(rng, 8, spaces) + rng.choice(spaces)] for name in names
    ]
    letters = string.ascii_letters + "+/="
    return {
        "method": rng.choice(["GET", "POST", "PUT", "DELETE", "HEAD"]),
        "url": rng.choice(["https://ecs.eu-west-1.amazonaws.com", "http://127.0.0.1:4566"])
        + "/" + "/".join(segments) + (f"?{query}" if query else ""),
        "headers": headers,
        "body": rng.choice(["", "{}", "é" * rng.randrange(200), odd_text(rng, 200)]),
        "access_key": "AKIAIOSFODNN7EXAMPLE",
        "secret_key": "".join(rng.choice(letters) for _ in range(rng.choice([1, 40, 60, 61, 200]))),
        "session_token": rng.choice(["", "".join(rng.choice(letters) for _ in range(300))]),
        "region": rng.choice(["eu-west-1", "us-gov-east-1"]),
        "now_ms": rng.randrange(0, 4102444800) * 1000 + rng.randrange(1000),
    }


def odd_name(rng):
    return "X-" + "".join(rng.choice(string.ascii_letters + "-") for _ in range(1 + rng.randrange(8)))


def botocore_signs(request, service, monkeypatch):
    """The Authorization header that botocore makes for this request."""
    auth = pytest.importorskip("botocore.auth")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    moment = datetime.datetime.fromtimestamp(request["now_ms"] // 1000, datetime.timezone.utc)

    class Fixed(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return moment.replace(tzinfo=None)

        @classmethod
        def now(cls, tz=None):
            return moment if tz else moment.replace(tzinfo=None)

    clock = SimpleNamespace(datetime=Fixed, timezone=datetime.timezone)
    monkeypatch.setattr(auth, "datetime", clock, raising=False)
    if hasattr(auth, "get_current_datetime"):  # newer ones
        monkeypatch.setattr(
            auth, "get_current_datetime", lambda remove_tzinfo=True: moment.replace(tzinfo=None)
        )
    keys = Credentials(request["access_key"], request["secret_key"], request["session_token"] or None)
    kind = auth.S3SigV4Auth if service == "s3" else auth.SigV4Auth
    wire = AWSRequest(
        method=request["method"], url=request["url"], data=request["body"].encode(),
        headers=dict(request["headers"]),
    )
    if service == "s3":  # over plain http as well as over https, the body is signed
        wire.context["client_config"] = None
    maker = kind(keys, service, request["region"])
    if service == "s3":
        maker._should_sha256_sign_payload = lambda _: True  # pylint: disable=protected-access
    maker.add_auth(wire)
    return wire.headers["Authorization"]


@pytest.mark.parametrize("service", ["ecs", "s3"])
def test_as_botocore_signs(signer, monkeypatch, service):
    rng = random.Random(f"sluice {service}")
    compared = 0
    for _ in range(400):
        request = odd_request(rng)
        want = botocore_signs(request, service, monkeypatch)
        signed = signer.sign(
            **request, service=service, path="as-is" if service == "s3" else "normalized",
            signs_payload_hash=service == "s3",
        )
        assert signed.get("authorization") == want, json.dumps(request)
        compared += 1
    assert compared == 400


def test_what_cannot_be_signed_is_refused(signer):
    good = {"method": "GET", "url": "https://h/", "access_key": "A", "secret_key": "B",
            "region": "r", "service": "s", "now_ms": 0}
    assert "authorization" in signer.sign(**good)
    for change in (
        {"url": "ftp://h/"}, {"url": "https:///"}, {"url": "https://a@h/"}, {"url": "https://h h/"},
        {"url": "https://h/#f"}, {"now_ms": -1}, {"now_ms": 10**15},
        {"url": "https://h/?" + "&".join(["a"] * 257)}, {"url": "https://h" + "/a" * 1100},
        {"headers": [[f"x-{i}", "v"] for i in range(65)]},
    ):
        assert "error" in signer.sign(**{**good, **change}), change
