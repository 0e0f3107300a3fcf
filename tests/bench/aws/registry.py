"""ECR, and the docker registry of it that gives digests (`/v2/NAME/manifests/REFERENCE`).

An image is a manifest. Its annotations are the environment that comes with it, as the ENV lines of
a Dockerfile are; a task that runs it gets them (ecs_task.py).
"""

import base64
import hashlib
import json
import re
import secrets
import time

from refusal import Refused

ACCOUNT = "123456789012"
TOKEN_SECONDS = 12 * 3600
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = re.compile(r"/v2/(.+)/manifests/([^/]+)")


class Repository:
    def __init__(self, region, words):
        self.region, self.name = region, words["repositoryName"]
        self.fixed_tags = words.get("imageTagMutability") == "IMMUTABLE"
        self.manifests, self.tags, self.pushed = {}, {}, {}

    def find(self, reference):
        """The digest, or None."""
        digest = self.tags.get(reference, reference)
        return digest if digest in self.manifests else None

    def put(self, manifest, tag):
        digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
        if tag and self.fixed_tags and self.tags.get(tag, digest) != digest:
            raise Refused(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{self.name}' repository and cannot "
                "be overwritten because the repository is immutable.",
            )
        self.manifests[digest] = manifest
        self.pushed.setdefault(digest, time.time())
        if tag:
            self.tags[tag] = digest
        return digest


def media_type(manifest):
    return json.loads(manifest).get("mediaType", MEDIA_TYPE)


class Registry:
    def __init__(self):
        self.repositories, self.tokens, self.url = {}, {}, None
        self.answers = {
            "CreateRepository": self.create, "DescribeRepositories": self.describe_repositories,
            "PutImage": self.put, "BatchGetImage": self.get, "DescribeImages": self.describe,
            "GetAuthorizationToken": self.token,
        }

    def answer(self, operation, region, words):
        if operation not in self.answers:
            raise Refused("InvalidAction", f"the bench has no ecr.{operation}")
        return self.answers[operation](region, words)

    def repository(self, name):
        if name not in self.repositories:
            raise Refused(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id "
                f"'{ACCOUNT}'",
            )
        return self.repositories[name]

    def find(self, image):
        """Digest and environment of an image's text; what is of no repository here has none."""
        path, _, digest = image.partition("@")
        folder, slash, last = path.rpartition("/")
        last, _, tag = last.partition(":")
        name = folder + slash + last
        known = next(
            (one for one in self.repositories if name == one or name.endswith("/" + one)), None
        )
        if known is None:
            return digest or None, {}
        found = self.repositories[known].find(digest or tag or "latest")
        if found is None:
            raise LookupError(f"pull image manifest has been retried 1 time(s): {image}: not found")
        manifest = json.loads(self.repositories[known].manifests[found])
        return found, manifest.get("annotations", {})

    # ---- calls ----

    def told(self, one):
        return {
            "repositoryArn": f"arn:aws:ecr:{one.region}:{ACCOUNT}:repository/{one.name}",
            "registryId": ACCOUNT, "repositoryName": one.name,
            "repositoryUri": f"{self.url.partition('//')[2]}/{one.name}",
            "imageTagMutability": "IMMUTABLE" if one.fixed_tags else "MUTABLE",
        }

    def create(self, region, words):
        name = words["repositoryName"]
        if name in self.repositories:
            raise Refused("RepositoryAlreadyExistsException", f"'{name}' already exists")
        one = self.repositories[name] = Repository(region, words)
        return {"repository": self.told(one)}

    def describe_repositories(self, region, words):
        names = words.get("repositoryNames") or sorted(self.repositories)
        return {"repositories": [self.told(self.repository(name)) for name in names]}

    def put(self, region, words):
        one, manifest = self.repository(words["repositoryName"]), words["imageManifest"]
        try:
            json.loads(manifest)
        except ValueError as error:
            raise Refused("InvalidParameterException", "the manifest is no JSON") from error
        digest = one.put(manifest, words.get("imageTag"))
        if words.get("imageDigest", digest) != digest:
            raise Refused("ImageDigestDoesNotMatchException", "the digest is another one")
        ids = {"imageDigest": digest}
        if "imageTag" in words:
            ids["imageTag"] = words["imageTag"]
        return {"image": {
            "registryId": ACCOUNT, "repositoryName": one.name, "imageId": ids,
            "imageManifest": manifest, "imageManifestMediaType": media_type(manifest),
        }}

    def get(self, region, words):
        one, images, failures = self.repository(words["repositoryName"]), [], []
        for ids in words["imageIds"]:
            digest = one.find(ids.get("imageDigest") or ids.get("imageTag"))
            if digest is None:
                failures.append({
                    "imageId": ids, "failureCode": "ImageNotFound",
                    "failureReason": "Requested image not found",
                })
                continue
            manifest = one.manifests[digest]
            images.append({
                "registryId": ACCOUNT, "repositoryName": one.name,
                "imageId": {**ids, "imageDigest": digest}, "imageManifest": manifest,
                "imageManifestMediaType": media_type(manifest),
            })
        return {"images": images, "failures": failures}

    def describe(self, region, words):
        one, details = self.repository(words["repositoryName"]), []
        asked = words.get("imageIds") or [{"imageDigest": digest} for digest in one.manifests]
        for ids in asked:
            digest = one.find(ids.get("imageDigest") or ids.get("imageTag"))
            if digest is None:
                raise Refused("ImageNotFoundException", f"The image {ids} does not exist")
            details.append({
                "registryId": ACCOUNT, "repositoryName": one.name, "imageDigest": digest,
                "imageTags": sorted(tag for tag, at in one.tags.items() if at == digest),
                "imagePushedAt": one.pushed[digest],
                "imageManifestMediaType": media_type(one.manifests[digest]),
            })
        return {"imageDetails": details}

    def token(self, region, words):
        password = secrets.token_urlsafe(48)
        self.tokens[password] = until = time.time() + TOKEN_SECONDS
        text = base64.b64encode(f"AWS:{password}".encode()).decode()
        return {"authorizationData": [
            {"authorizationToken": text, "expiresAt": until, "proxyEndpoint": self.url}
        ]}

    def end_tokens(self):
        self.tokens.clear()

    # ---- the registry itself ----

    def granted(self, authorization):
        scheme, _, text = (authorization or "").partition(" ")
        try:
            name, _, password = base64.b64decode(text, validate=True).decode().partition(":")
        except ValueError:
            return False
        return scheme == "Basic" and name == "AWS" and self.tokens.get(password, 0) > time.time()

    def serve(self, method, path, headers):
        """Status, headers and body of what a registry's client asks for."""
        json_type = ("Content-Type", "application/json")

        def failure(status, code, *more):
            body = json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode()
            return status, [json_type, *more], body

        if not self.granted(headers.get("authorization")):
            realm = f'Basic realm="{self.url}/",service="ecr.amazonaws.com"'
            return failure(401, "UNAUTHORIZED", ("WWW-Authenticate", realm))
        if path.rstrip("/") == "/v2":
            return 200, [json_type], b"{}"
        match = MANIFEST.fullmatch(path)
        if not match or method not in ("GET", "HEAD"):
            return failure(404, "UNSUPPORTED")
        if match[1] not in self.repositories:
            return failure(404, "NAME_UNKNOWN")
        one = self.repositories[match[1]]
        digest = one.find(match[2])
        if digest is None:
            return failure(404, "MANIFEST_UNKNOWN")
        manifest = one.manifests[digest]
        return 200, [
            ("Content-Type", media_type(manifest)), ("Docker-Content-Digest", digest),
        ], manifest.encode()
