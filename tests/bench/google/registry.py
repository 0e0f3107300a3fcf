"""A registry of images: Docker's protocol (version 2) as Artifact Registry speaks it, and what
Artifact Registry's API (v1) tells of the same images.

    /v2/PROJECT/REPOSITORY/IMAGE/manifests/TAG-OR-DIGEST, also behind /registry

Who asks shows an access token, as "Basic oauth2accesstoken:TOKEN" or as a bearer; or exchanges it
at /v2/token, where the answer to an anonymous request points to. Manifests are PUT as `docker push`
does; that their layers are there is not looked at.

Settings (POST /control {"settings": …}):
    public_images   [NAME, …]: what anybody may read
"""

import base64
import binascii
import hashlib
import json
import re
import secrets
import time
from urllib.parse import parse_qs

from clock import stamp
from contract import Refused, Request

NAME = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+"
REFERENCE = r"sha256:[0-9a-f]{64}|[\w][\w.-]{0,127}"
MANIFEST = re.compile(rf"/v2/({NAME})/manifests/({REFERENCE})")
BLOB = re.compile(rf"/v2/({NAME})/blobs/(sha256:[0-9a-f]{{64}})")
TYPES = (
    "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
TOKEN_SECONDS = 300
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


class Registry:
    def __init__(self, bench):
        self.bench, self.clock = bench, bench.clock
        self.manifests, self.tags, self.tokens = {}, {}, {}

    def answers(self):
        kind = "artifactregistry.projects.locations.repositories."
        return {
            kind + "packages.tags.get": self.get_tag,
            kind + "dockerImages.get": self.get_image,
            kind + "dockerImages.list": self.list_images,
        }

    def forget(self):
        pass

    # ---- Docker's protocol -----------------------------------------------------------------------

    def route(self, request):
        path = request.path
        if path == "/v2/token":
            return "registry.token", lambda: self.token(request)
        if path == "/v2/":
            return "registry.base", lambda: self.base(request)
        match = MANIFEST.fullmatch(path) or BLOB.fullmatch(path)
        if not match:
            raise Refused("NAME_INVALID", f"invalid repository name or reference: {path}", 400)
        name, reference = match.groups()
        if "/blobs/" in path:
            raise Refused("UNSUPPORTED", "the bench keeps no layers", 405)
        if request.method == "PUT":
            return "registry.push", lambda: self.put(request, name, reference)
        if request.method not in ("GET", "HEAD"):
            raise Refused("UNSUPPORTED", f"{request.method} of a manifest", 405)
        return "registry.manifests", lambda: self.get(request, name, reference)

    def user(self, request):
        """None for nobody; raises Refused for somebody who is not known."""
        kind, _, word = request.headers.get("authorization", "").partition(" ")
        if not kind:
            return None
        if kind == "Basic":
            try:
                name, _, word = base64.b64decode(word, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                name = None
            if name != "oauth2accesstoken":
                raise Refused("UNAUTHORIZED", "not a user of this registry", 401)
        if kind == "Bearer" and self.tokens.get(word, (0, ""))[0] > time.time():
            return self.tokens[word][1]
        bearer = Request("GET", "/", {"authorization": f"Bearer {word}"}, b"")
        try:
            self.bench.identity.check(bearer)
        except Refused as why:
            raise Refused("UNAUTHORIZED", str(why), 401) from why
        return "*"

    def base(self, request):
        if self.user(request) is None:
            raise self.challenge(None)
        return b"{}", 200, {"Content-Type": "application/json", **VERSION}

    def challenge(self, name):
        host, url = self.bench.url.partition("//")[2], self.bench.url
        words = f'Bearer realm="{url}/v2/token",service="{host}"'
        if name:
            words += f',scope="repository:{name}:pull"'
        return Refused("UNAUTHORIZED", "authentication failed", 401,
                       headers={"WWW-Authenticate": words, **VERSION})

    def token(self, request):
        asked = parse_qs(request.query)
        scopes = asked.get("scope", [""])
        if asked.get("service", [None])[0] != self.bench.url.partition("//")[2]:
            raise Refused("UNAUTHORIZED", "service is another one", 401)
        who = self.user(request)
        for scope in scopes:
            if scope and not re.fullmatch(rf"repository:{NAME}:(pull|push|pull,push|\*)", scope):
                raise Refused("UNAUTHORIZED", f"invalid scope {scope!r}", 401)
        token = secrets.token_urlsafe(24)
        names = ",".join(scope.split(":")[1] for scope in scopes if scope) if who else ""
        self.tokens[token] = (time.time() + TOKEN_SECONDS, names)
        return {"token": token, "expires_in": TOKEN_SECONDS, "issued_at": stamp()}

    def check_access(self, request, name, verb):
        who = self.user(request)
        public = verb == "pull" and name in self.bench.settings.get("public_images", [])
        if who is None and not public:
            raise self.challenge(name)
        permission = "artifactregistry.repositories." + (
            "downloadArtifacts" if verb == "pull" else "uploadArtifacts"
        )
        allowed = who == "*" or name in (who or "").split(",")
        lacks = self.bench.permissions.misses(permission, request)
        if not public and (not allowed or lacks):
            raise Refused(
                "DENIED", f"Permission '{permission}' denied on resource (or it may not exist).",
                403,
            )

    def get(self, request, name, reference):
        self.check_access(request, name, "pull")
        digest = reference if ":" in reference else self.tags.get((name, reference))
        if (name, digest) not in self.manifests:
            raise Refused("MANIFEST_UNKNOWN", f"Failed to fetch \"{reference}\"", 404)
        body, kind, _ = self.manifests[name, digest]
        accepted = [word.partition(";")[0].strip() for word in
                    request.headers.get("accept", "").split(",")]
        if kind not in accepted and "*/*" not in accepted:
            raise Refused("MANIFEST_UNKNOWN", f"the Accept header has no {kind}", 404)
        return body, 200, {"Content-Type": kind, "Docker-Content-Digest": digest,
                           "ETag": f'"{digest}"', **VERSION}

    def put(self, request, name, reference):
        self.check_access(request, name, "push")
        digest = "sha256:" + hashlib.sha256(request.body).hexdigest()
        try:
            tree = json.loads(request.body)
        except ValueError as error:
            raise Refused("MANIFEST_INVALID", str(error)) from error
        if request.type() not in TYPES or tree.get("mediaType", request.type()) != request.type():
            raise Refused("MANIFEST_INVALID", f"its type is {request.type()!r}")
        if ":" in reference and reference != digest:
            raise Refused("DIGEST_INVALID", "the digest is another one")
        self.manifests[name, digest] = request.body, request.type(), stamp()
        if ":" not in reference:
            self.tags[name, reference] = digest
        headers = {"Docker-Content-Digest": digest, "Location": f"/v2/{name}/manifests/{digest}"}
        return b"", 201, {**headers, **VERSION}

    # ---- Artifact Registry's API -----------------------------------------------------------------

    def place(self, name):
        """(PROJECT/REPOSITORY/IMAGE, rest) of a resource's name."""
        words = name.split("/")
        return f"{words[1]}/{words[5]}", words[6:]

    def get_tag(self, call):
        folder, (_, package, _, tag) = self.place(call["name"])
        digest = self.tags.get((f"{folder}/{package}", tag))
        if not digest:
            raise Refused("NOT_FOUND", "Requested entity was not found.", 404)
        version = call["name"].partition("/tags/")[0] + f"/versions/{digest}"
        return {"name": call["name"], "version": version}

    def described(self, parent, name, digest):
        body, kind, uploaded = self.manifests[name, digest]
        image, host = name.split("/", 2)[2], self.bench.url.partition("//")[2]
        tags = [tag for (n, tag), d in self.tags.items() if (n, d) == (name, digest)]
        return {
            "name": f"{parent}/dockerImages/{image}@{digest}", "uri": f"{host}/{name}@{digest}",
            "mediaType": kind, "uploadTime": uploaded, "imageSizeBytes": str(len(body)),
            "tags": tags,
        }

    def get_image(self, call):
        parent, _, image = call["name"].partition("/dockerImages/")
        folder, _ = self.place(call["name"])
        name, _, digest = image.partition("@")
        if (f"{folder}/{name}", digest) not in self.manifests:
            raise Refused("NOT_FOUND", "Requested entity was not found.", 404)
        return self.described(parent, f"{folder}/{name}", digest)

    def list_images(self, call):
        folder, _ = self.place(call["parent"])
        found = [key for key in self.manifests if key[0].startswith(folder + "/")]
        return {"dockerImages": [self.described(call["parent"], *key) for key in found]}
