"""Identity tokens of workflows (OpenID Connect), as a cloud checks them.

GET /_oidc/token?audience=A with the request token "bench-oidc" answers {"value": JWT};
GET /_oidc/.well-known/openid-configuration and /_oidc/jwks are what a cloud reads.
"""

import secrets
from urllib.parse import parse_qs

from refusal import Refused, absent
from tokens import coded, number_of, private_key, sign

REQUEST_TOKEN = "bench-oidc"
LIFE = 300
CLAIMS = {
    "repository": "bench/app", "repository_owner": "bench", "ref": "refs/heads/main",
    "ref_type": "branch", "event_name": "push", "runner_environment": "github-hosted",
    "run_id": "1", "run_attempt": "1", "actor": "ada", "environment": None, "workflow": "release",
}


class Identity:
    def __init__(self, bench):
        self.bench, self.claims = bench, {}

    def set(self, claims):
        self.claims = dict(claims)

    def answer(self, request):
        issuer = f"{self.bench.url}/_oidc"
        if request.path == "/_oidc/.well-known/openid-configuration":
            return 200, {
                "issuer": issuer, "jwks_uri": f"{issuer}/jwks",
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            }
        if request.path == "/_oidc/jwks":
            modulus = number_of(private_key("oidc"), "modulus")
            return 200, {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "bench",
                                   "n": coded(modulus), "e": "AQAB"}]}
        if request.path != "/_oidc/token":
            raise absent()
        if request.headers.get("authorization", "").lower() != f"bearer {REQUEST_TOKEN}":
            raise Refused(401, "the token to ask for an identity token is not right")
        audience = parse_qs(request.query).get("audience", [f"{self.bench.url}/bench"])[0]
        return 200, {"value": self.token(issuer, audience)}

    def token(self, issuer, audience):
        claims = {**CLAIMS, **self.claims}
        place = claims["environment"]
        now = int(self.bench.world.seconds())
        subject = f"environment:{place}" if place else f"ref:{claims['ref']}"
        claims = {name: value for name, value in claims.items() if value is not None}
        return sign(private_key("oidc"), {"typ": "JWT", "alg": "RS256", "kid": "bench"}, {
            "iss": issuer, "aud": audience, "sub": f"repo:{claims['repository']}:{subject}",
            "jti": secrets.token_hex(16), "iat": now, "nbf": now - 600, "exp": now + LIFE,
            **claims,
        })
