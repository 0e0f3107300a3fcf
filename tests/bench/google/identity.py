"""Who asks: access tokens that are known, and the places that give them.

The ways to a token are Google's: a service account's signed JWT or a user's refresh token at the
OAuth endpoint; a token of the runner's at the Security Token Service; a service account that is
impersonated; the metadata server. Signatures, audiences and times are checked.
"""

import base64
import json
import secrets
import time
from urllib.parse import parse_qsl

from clock import stamp
from contract import FORM, Refused
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CONSTANT = "ya29.bench"
LIFE_SECONDS = 3599
EMAIL = "deploy@bench.iam.gserviceaccount.com"
PROVIDER = (
    "projects/123456789012/locations/global/workloadIdentityPools/github/providers/actions"
)
PUBLIC = "https://oauth2.googleapis.com/token"  # what google-auth signs for, wherever it asks
RUNNER_BEARER = "runner-bearer"
CLIENT = {"client_id": "bench.apps.googleusercontent.com", "client_secret": "client-secret"}
REFRESH_TOKEN = "1//refresh"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
SUBJECT_TYPES = (
    "urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token",
)
EXPECTED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
    "or other valid authentication credential."
)


def packed(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def unpacked(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Signer:
    """A key pair, and the JWTs that it signs and knows."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def pem(self):
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def sign(self, claims):
        head = packed(json.dumps({"alg": "RS256", "typ": "JWT"}).encode())
        text = head + b"." + packed(json.dumps(claims).encode())
        signature = self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return (text + b"." + packed(signature)).decode()

    def read(self, token):
        """The claims; raises ValueError."""
        try:
            head, claims, signature = token.split(".")
            self.key.public_key().verify(
                unpacked(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(),
                hashes.SHA256(),
            )
            if json.loads(unpacked(head))["alg"] != "RS256":
                raise ValueError("the algorithm is not RS256")
            claims = json.loads(unpacked(claims))
        except (InvalidSignature, KeyError) as error:
            raise ValueError("Invalid JWT Signature.") from error
        if not claims.get("iat", 0) - 300 <= time.time() < claims.get("exp", 0):
            raise ValueError(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
                "timeframe. Check your iat and exp values in the JWT claim."
            )
        return claims


class Identity:
    def __init__(self, url):
        self.url = url
        self.tokens = {CONSTANT: None}
        self.account, self.runner = Signer(), Signer()

    # ---- tokens ----------------------------------------------------------------------------------

    def grant(self):
        token = "ya29.c." + secrets.token_urlsafe(24)
        self.tokens[token] = time.time() + LIFE_SECONDS
        return token

    def end_granted(self):
        """As if all of them had come to their end."""
        self.tokens = {token: until and 0 for token, until in self.tokens.items()}

    def check(self, request):
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        until = self.tokens.get(token, 0)
        if kind != "Bearer" or (until is not None and time.time() >= until):
            raise Refused("UNAUTHENTICATED", EXPECTED, 401)

    def told(self, **more):
        return {
            "access_token": self.grant(), "expires_in": LIFE_SECONDS, "token_type": "Bearer", **more
        }

    # ---- where they are given --------------------------------------------------------------------

    def oauth(self, request):
        """POST /oauth2/token; no discovery document has it (RFC 6749, RFC 7523)."""
        form = dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
        if request.type() != FORM:
            raise Refused("invalid_request", "the Content-Type is not that of a form")
        if form.get("grant_type") == "refresh_token":
            right = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN, **CLIENT}
            if {name: form.get(name) for name in right} != right:
                raise Refused("invalid_grant", "Bad Request")
            return self.told()
        if form.get("grant_type") != JWT_GRANT:
            raise Refused("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}")
        try:
            claims = self.account.read(form.get("assertion", ""))
        except ValueError as error:
            raise Refused("invalid_grant", str(error)) from error
        if claims.get("iss") != EMAIL or claims["exp"] - claims["iat"] > 3600:
            raise Refused("invalid_grant", "Invalid grant: account not found")
        here = f"{self.url}/oauth2/token"
        if claims.get("aud") not in (PUBLIC, here) or not claims.get("scope"):
            raise Refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return self.told()

    def exchange(self, call):
        body = call.body
        for name in ("audience", "subjectToken", "subjectTokenType", "requestedTokenType"):
            if not body.get(name):
                raise Refused("invalid_request", f"Invalid value for {name}")
        if body.get("grantType") != EXCHANGE_GRANT or body["requestedTokenType"] != ACCESS_TOKEN:
            raise Refused("invalid_request", "Invalid value for grantType or requestedTokenType")
        if body["audience"] != f"//iam.googleapis.com/{PROVIDER}":
            raise Refused("invalid_target", "The target service of the audience is unknown")
        if body["subjectTokenType"] not in SUBJECT_TYPES:
            raise Refused("invalid_request", "Invalid value for subjectTokenType")
        try:
            claims = self.runner.read(body["subjectToken"])
        except ValueError as error:
            raise Refused("invalid_grant", f"Error in the credential: {error}") from error
        if claims.get("aud") != f"https://iam.googleapis.com/{PROVIDER}":
            raise Refused("invalid_grant", "The audience in ID Token is not the expected one")
        return self.told(issued_token_type=ACCESS_TOKEN)

    def impersonate(self, call):
        email = call["name"].rpartition("/")[2]
        if email != EMAIL:
            raise Refused("NOT_FOUND", "Not found; Gaia id not found for email " + email, 404)
        lifetime = float(call.body.get("lifetime", "3600s")[:-1])
        if not call.body.get("scope") or not 0 < lifetime <= 3600:
            raise Refused("INVALID_ARGUMENT", "scope or lifetime")
        return {"accessToken": self.grant(), "expireTime": stamp(int(time.time()) + LIFE_SECONDS)}

    def metadata(self, request):
        """GET /computeMetadata/v1/instance/service-accounts/default/token"""
        if request.headers.get("metadata-flavor") != "Google":
            raise Refused("PERMISSION_DENIED", "Missing Metadata-Flavor:Google header.", 403)
        headers = {"Content-Type": "application/json", "Metadata-Flavor": "Google"}
        return json.dumps(self.told()).encode(), 200, headers

    def runner_token(self, request):
        """GET /runner?audience=…, as ACTIONS_ID_TOKEN_REQUEST_URL gives it to a job."""
        if request.headers.get("authorization") != f"Bearer {RUNNER_BEARER}":
            raise Refused("UNAUTHENTICATED", "not the job's bearer", 401)
        asked = dict(parse_qsl(request.query))
        return {"value": self.subject(asked.get("audience", ""))}

    def subject(self, audience=f"https://iam.googleapis.com/{PROVIDER}"):
        now = int(time.time())
        return self.runner.sign({
            "iss": "https://token.actions.githubusercontent.com", "aud": audience, "iat": now,
            "exp": now + 900, "sub": "repo:learn/learn:environment:production",
        })

    # ---- what somebody has who may ask -----------------------------------------------------------

    def credentials(self):
        """The files that Google's libraries read, and the runner's variables."""
        impersonation = f"{self.url}/iamcredentials/v1/projects/-/serviceAccounts/{EMAIL}"
        external = {
            "type": "external_account", "audience": f"//iam.googleapis.com/{PROVIDER}",
            "subject_token_type": SUBJECT_TYPES[0], "token_url": f"{self.url}/sts/v1/token",
            "credential_source": {
                "url": f"{self.url}/runner?audience=https://iam.googleapis.com/{PROVIDER}",
                "headers": {"Authorization": f"Bearer {RUNNER_BEARER}"},
                "format": {"type": "json", "subject_token_field_name": "value"},
            },
        }
        return {
            "service_account": {
                "type": "service_account", "project_id": "bench", "private_key_id": "bench",
                "private_key": self.account.pem(), "client_email": EMAIL, "client_id": "1",
                "token_uri": f"{self.url}/oauth2/token",
            },
            "authorized_user": {
                "type": "authorized_user", **CLIENT, "refresh_token": REFRESH_TOKEN,
                "token_uri": f"{self.url}/oauth2/token",
            },
            "external_account": external,
            "impersonated": {
                **external,
                "service_account_impersonation_url": f"{impersonation}:generateAccessToken",
            },
            "runner": {
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/runner?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": RUNNER_BEARER,
            },
            "provider": PROVIDER, "email": EMAIL, "token": CONSTANT,
            "subject": self.subject(),
        }
