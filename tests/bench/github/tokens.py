"""Who asks: workflow tokens, applications and their installations, people's own tokens.

A workflow token has what its `permissions:` say and nothing else; an application proves itself by a
signed JWT and gets a token for an hour; a person's token has permissions, or all of them.
"""

import base64
import functools
import json
import secrets
import subprocess
import tempfile

from refusal import Refused

LEVELS = {"none": 0, "read": 1, "write": 2, "admin": 3}
OF_WORKFLOWS = {
    "actions", "attestations", "checks", "contents", "deployments", "discussions", "id_token",
    "issues", "models", "packages", "pages", "pull_requests", "repository_projects",
    "security_events", "statuses", "metadata",
}
JWT_LIFE = 600
HOUR = 3600


class App:
    def __init__(self, number, slug, owner, permissions, created_at):
        self.id, self.slug, self.owner = number, slug, owner
        self.name, self.permissions, self.created_at = slug.title(), permissions, created_at
        self.installation = number + 500_000
        self.key = None

    @property
    def login(self):
        return f"{self.slug}[bot]"


class Token:
    """`permissions` None is everything; `kind` is workflow, installation, user or app."""

    def __init__(self, kind, login, permissions=None, expires=None, app=None, repositories=None):
        self.kind, self.login, self.permissions = kind, login, permissions
        self.expires, self.app, self.repositories = expires, app, repositories
        self.account = login  # whose limits it uses: each token that was given has its own

    def has(self, name, level):
        if self.permissions is None:
            return True
        own = "read" if name == "metadata" else self.permissions.get(name, "none")
        return LEVELS[own] >= LEVELS[level]


@functools.cache
def private_key(name):
    """A key is made once in the life of the bench, when it is first needed."""
    del name
    return openssl("genpkey", "-quiet", "-algorithm", "RSA",
                   "-pkeyopt", "rsa_keygen_bits:2048").decode()


def openssl(*words, feed=None):
    done = subprocess.run(["openssl", *words], input=feed, capture_output=True, check=True)
    return done.stdout


def number_of(key, part):
    """The modulus of a private key, as bytes."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(key)
        file.flush()
        text = openssl("rsa", "-in", file.name, "-noout", "-" + part).decode()
    return bytes.fromhex(text.strip().partition("=")[2])


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign(key, head, claims):
    words = ".".join(coded(json.dumps(tree).encode()) for tree in (head, claims))
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(key)
        file.flush()
        signature = openssl("dgst", "-sha256", "-sign", file.name, feed=words.encode())
    return f"{words}.{coded(signature)}"


def is_signed(key, text):
    """Whether a JWT is signed by that RS256 key: RSASSA-PKCS1-v1_5 of RFC 8017, 8.2."""
    words, _, signature = text.rpartition(".")
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem, \
            tempfile.NamedTemporaryFile("wb") as given:
        pem.write(key)
        pem.flush()
        given.write(decoded(signature))
        given.flush()
        done = subprocess.run(
            ["openssl", "dgst", "-sha256", "-prverify", pem.name, "-signature", given.name],
            input=words.encode(), capture_output=True, check=False,
        )
    return done.returncode == 0


class Tokens:
    def __init__(self, world):
        self.world = world
        self.forget()

    def forget(self):
        self.known, self.apps, self.life = {}, {}, HOUR
        self.of_workflows = App(15368, "github-actions", "github", {}, self.world.stamp())

    # ---- giving ----------------------------------------------------------------------------------

    def add(self, text, kind="workflow", login=None, permissions=None, expires_in=None,
            repositories=None):
        """A token as a test wants it."""
        if permissions is not None:
            permissions = {name.replace("-", "_"): level for name, level in permissions.items()}
            wrong = {level for level in permissions.values()} - LEVELS.keys()
            if kind == "workflow":
                wrong |= permissions.keys() - OF_WORKFLOWS
            if wrong:
                raise Refused(422, f"a {kind} token has no {sorted(wrong)}")
        app = None
        if kind == "workflow":
            app, login = self.of_workflows, "github-actions[bot]"
            permissions = permissions or {}
        elif kind == "installation":  # of an application that the test has named: its "[bot]"
            app = next((one for one in self.apps.values() if one.login == login), None)
            if app is None:
                raise Refused(422, f"the bench has no application {login!r}")
        expires = None if expires_in is None else self.world.seconds() + expires_in
        self.world.user(login)
        token = Token(kind, login, permissions, expires, app, repositories)
        token.account = f"{login} {text}"
        self.known[text] = token

    def add_app(self, slug, owner, permissions):
        app = App(self.world.id(), slug, owner, permissions, self.world.stamp())
        app.key = private_key(slug)
        self.apps[app.id] = app
        self.world.user(app.login)
        return app

    def install(self, app, permissions, repositories):
        """A token of an installation, with at most what the application has."""
        for name, level in permissions.items():
            if LEVELS[app.permissions.get(name, "none")] < LEVELS[level]:
                raise Refused(422, "The permissions requested are not granted to this "
                              "installation.")
        text = f"ghs_{secrets.token_hex(18)}"
        expires = self.world.seconds() + self.life
        self.known[text] = Token("installation", app.login, permissions or dict(app.permissions),
                                 expires, app, repositories)
        return text, expires

    # ---- asking ----------------------------------------------------------------------------------

    def of(self, headers):
        """Whose request this is; raises Refused."""
        kind, _, text = headers.get("authorization", "").partition(" ")
        if not text:
            raise Refused(401, "Requires authentication")
        if kind.lower() not in ("bearer", "token"):
            raise Refused(401, "Bad credentials", violation=True)
        if text.count(".") == 2:
            return self.application(text, kind)
        token = self.known.get(text)
        if token is None or (token.expires and token.expires <= self.world.seconds()):
            raise Refused(401, "Bad credentials")
        return token

    def application(self, text, kind):
        try:
            head, claims = (json.loads(decoded(part)) for part in text.split(".")[:2])
            app = self.apps.get(int(claims["iss"]))
            issued, expires = int(claims["iat"]), int(claims["exp"])
        except (ValueError, KeyError, TypeError):
            raise Refused(401, "A JSON web token could not be decoded", violation=True) from None
        if kind.lower() != "bearer" or head.get("alg") != "RS256":
            raise Refused(401, "A JSON web token could not be decoded", violation=True)
        now = self.world.seconds()
        if app is None:
            raise Refused(401, "Integration not found")
        if issued > now + 5:
            raise Refused(401, "'Issued at' claim ('iat') must be an Integer representing the "
                          "time that the assertion was issued", violation=True)
        if expires > issued + JWT_LIFE + 60 or expires > now + JWT_LIFE:
            raise Refused(401, "'Expiration time' claim ('exp') is too far in the future",
                          violation=True)
        if expires <= now:
            raise Refused(401, "'Expiration time' claim ('exp') must be a numeric value "
                          "representing the future time at which the assertion expires")
        if not is_signed(app.key, text):
            raise Refused(401, "A JSON web token could not be decoded", violation=True)
        return Token("app", app.login, {}, app=app)


# ---- permissions ---------------------------------------------------------------------------------


def check(token, method, call):
    """Whether the token may do that at all. GitHub says which permissions it would have taken."""
    needs = method.needs
    only = needs.get("only")  # kinds of tokens
    wanted = {name: level for name, level in needs.items() if name != "only"}
    if token.kind == "app" and only != "app":
        raise Refused(401, "A JSON web token could not be decoded", violation=True)
    if only == "app" and token.kind != "app":
        raise Refused(401, "A JSON web token could not be decoded")
    if only == "apps" and token.app is None:
        raise Refused(403, "You must authenticate via a GitHub App.")
    if token.kind == "installation" and not call.operation.for_apps:
        raise Refused(403, "Resource not accessible by integration")
    if wanted and not any(token.has(name, level) for name, level in wanted.items()):
        accepted = "; ".join(f"{name}={level}" for name, level in wanted.items())
        whom = "integration" if token.app else "personal access token"
        raise Refused(403, f"Resource not accessible by {whom}",
                      headers={"X-Accepted-GitHub-Permissions": accepted})
    repository = call.repository
    if repository and token.repositories is not None:
        if repository.full_name.lower() not in [name.lower() for name in token.repositories]:
            raise Refused(404, "Not Found")


