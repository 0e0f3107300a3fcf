"""Who asks: access keys, and signatures computed anew by botocore."""

import calendar
import hashlib
import re
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from refusal import Refused

SKEW_SECONDS = 300
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)


class Keys:
    """The access keys that are known: those that never end, and those that STS gave."""

    def __init__(self, constant):
        self.known = {name: (secret, None, None) for name, secret in constant.items()}

    def grant(self, name, secret, token, until):
        self.known[name] = (secret, token, until)

    def end_granted(self):
        """As if all of them had come to their end."""
        self.known = {
            name: (secret, token, until and 0)
            for name, (secret, token, until) in self.known.items()
        }

    def find(self, name, token):
        if name not in self.known:
            raise Refused("InvalidClientTokenId", "The security token is invalid", 403)
        secret, expected, until = self.known[name]
        if expected and token != expected:
            raise Refused("InvalidClientTokenId", "The session token is another one", 403)
        if until is not None and time.time() >= until:
            raise Refused("ExpiredToken", "The security token included in the request is expired")
        return botocore.credentials.Credentials(name, secret, expected)


def check_content(request, service):
    """The body's own checksum, which S3 wants and others may have; a signature covers only that."""
    told = request.headers.get("x-amz-content-sha256")
    if told is None and service == "s3":
        words = "Missing required header for this request: x-amz-content-sha256"
        raise Refused("InvalidRequest", words)
    if told in (None, hashlib.sha256(request.body).hexdigest()):
        return
    if service != "s3" or told != "UNSIGNED-PAYLOAD":
        words = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise Refused("XAmzContentSHA256Mismatch", words)


def signer(request, keys):
    """The service and the region that the request was signed for."""
    match = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not match:
        raise Refused("MissingAuthenticationToken", "Request is missing its signature", 403)
    access, day, region, service, signed, signature = match.groups()
    names, moment = signed.split(";"), request.headers.get("x-amz-date", "")
    must = {"host"} | {name for name in request.headers if name.startswith("x-amz-")}
    if names != sorted(set(names)) or not must <= set(names):
        words = f"not signed, or out of order: {must - set(names)}"
        raise Refused("IncompleteSignature", words, 403)
    if not re.fullmatch(r"\d{8}T\d{6}Z", moment) or moment[:8] != day:
        raise Refused("IncompleteSignature", f"the date {moment!r}", 403)
    if abs(calendar.timegm(time.strptime(moment, "%Y%m%dT%H%M%SZ")) - time.time()) > SKEW_SECONDS:
        raise Refused("SignatureDoesNotMatch", f"Signature expired: {moment}", 403)
    check_content(request, service)
    credentials = keys.find(access, request.headers.get("x-amz-security-token"))
    again = botocore.awsrequest.AWSRequest(
        method=request.method,
        url=f"http://{request.headers['host']}{request.target}",
        data=request.body,
        headers={name: request.headers.get(name, "") for name in names},
    )
    again.context["timestamp"] = moment
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    auth = kind(credentials, service, region)
    text = auth.string_to_sign(again, auth.canonical_request(again))
    if auth.signature(text, again) != signature:
        raise Refused("SignatureDoesNotMatch", "The signature is another one", 403)
    return service, region
