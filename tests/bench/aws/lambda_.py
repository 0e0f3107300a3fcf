"""Lambda: functions whose versions really run (lambda_runtime.py). Nothing of it is moto's, except
that archives are read from moto's S3.
"""

import base64
import hashlib
import io
import json
import threading
import time
import zipfile

from moto.s3.models import s3_backends

from figures import ACCOUNT
from lambda_alias import ALIAS_CALLS
from lambda_function import Function, Version, absent, conflict, invalid, stale
from lambda_runtime import Runtime
from refusal import Refused

UPDATE_SECONDS, PUBLISH_SECONDS, PAGE = 0.5, 0.3, 50
KEPT = ("Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "Environment",
        "Architectures", "Layers", "VpcConfig", "TracingConfig", "EphemeralStorage")


def stored(words):
    """The archive's bytes in S3."""
    bucket, key = words["S3Bucket"], words["S3Key"]
    backend = s3_backends[ACCOUNT]["aws"]
    code = "NoSuchKey"
    if bucket in backend.buckets:
        found = backend.get_object(bucket, key, version_id=words.get("S3ObjectVersion"))
        if found is not None:
            return found.value
    else:
        code = "NoSuchBucket"
    raise invalid(
        f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: The specified "
        f"{'key' if code == 'NoSuchKey' else 'bucket'} does not exist."
    )


class Lambda:
    def __init__(self, addresses, figures, registry):
        self.lock, self.functions, self.registry = threading.RLock(), {}, registry
        self.update_seconds, self.publish_seconds = UPDATE_SECONDS, PUBLISH_SECONDS
        self.failures = {}  # by function: why its next update fails
        self.runtime = Runtime(addresses, figures, self.any_region)
        self.answers = {
            "CreateFunction": self.create, "GetFunction": self.get,
            "GetFunctionConfiguration": self.configuration, "DeleteFunction": self.delete,
            "UpdateFunctionCode": self.update_code,
            "UpdateFunctionConfiguration": self.update_configuration,
            "PublishVersion": self.publish, "ListVersionsByFunction": self.list_versions,
            "Invoke": self.invoke,
        }

    def answer(self, operation, region, words):
        if operation in ALIAS_CALLS:
            with self.lock:
                function, _ = self.find(region, words)
                return ALIAS_CALLS[operation](function, words)
        if operation not in self.answers:
            raise Refused("InvalidAction", f"the bench has no lambda.{operation}", 404)
        if operation == "Invoke":
            return self.invoke(region, words)  # without the lock: it may take long
        with self.lock:
            return self.answers[operation](region, words)

    # ---- finding ----

    def any_region(self, name):
        with self.lock:
            for (_, known), function in self.functions.items():
                if known == name:
                    function.settle()
                    return function
        raise absent(f"Function not found: {name}")

    def find(self, region, words):
        """The function, and the qualifier that its name or the request has."""
        name, qualifier = words["FunctionName"], words.get("Qualifier")
        parts = name.split(":")
        if "function" in parts:
            parts = parts[parts.index("function") + 1:]
        if (region, parts[0]) not in self.functions:
            arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{parts[0]}"
            raise absent(f"Function not found: {arn}")
        function = self.functions[region, parts[0]]
        function.settle()
        return function, qualifier or (parts[1] if len(parts) > 1 else None)

    def qualified(self, region, words):
        function, qualifier = self.find(region, words)
        alias = function.aliases.get(qualifier)
        number = alias["FunctionVersion"] if alias else qualifier or "$LATEST"
        return function, function.version(number), qualifier

    def code(self, words):
        """(archive, CodeSha256, environment of an image, image)."""
        if "ImageUri" in words:
            try:
                digest, came_with = self.registry.find(words["ImageUri"])
            except LookupError as error:
                raise invalid(f"Source image {words['ImageUri']} does not exist.") from error
            if not digest:
                raise invalid(f"Source image {words['ImageUri']} is not valid.")
            return None, digest.partition(":")[2], came_with, words["ImageUri"]
        if "ZipFile" in words:
            archive = base64.b64decode(words["ZipFile"])
        elif "S3Bucket" in words and "S3Key" in words:
            archive = stored(words)
        else:
            raise invalid("Please provide a source for function code.")
        if not zipfile.is_zipfile(io.BytesIO(archive)):
            raise invalid("Could not unzip uploaded file. Please check your file, then try again.")
        digest = base64.b64encode(hashlib.sha256(archive).digest()).decode()
        return archive, digest, {}, None

    # ---- functions and versions ----

    def create(self, region, words):
        name = words["FunctionName"]
        if (region, name) in self.functions:
            raise conflict(f"Function already exist: {name}")
        config = {"Timeout": 3, "MemorySize": 128, "Description": "", "Architectures": ["x86_64"]}
        config |= {key: words[key] for key in KEPT if key in words}
        function = Function(region, name, config, self.code(words["Code"]))
        function.latest.pending_until = time.monotonic() + self.publish_seconds
        self.functions[region, name] = function
        if words.get("Publish"):
            return function.describe(self.new_version(function, words))
        return function.describe(function.latest, with_number=False)

    def get(self, region, words):
        function, version, qualifier = self.qualified(region, words)
        told = {"Configuration": function.describe(version, bool(qualifier))}
        if version.image:
            told["Code"] = {
                "RepositoryType": "ECR", "ImageUri": version.image,
                "ResolvedImageUri": f"{version.image.partition('@')[0]}@sha256:{version.sha256}",
            }
        else:
            place = self.runtime.code_url(function, version)
            told["Code"] = {"RepositoryType": "S3", "Location": place}
        return told

    def configuration(self, region, words):
        function, version, qualifier = self.qualified(region, words)
        return function.describe(version, bool(qualifier))

    def delete(self, region, words):
        function, _ = self.find(region, words)
        del self.functions[region, function.name]
        return {}

    @staticmethod
    def changeable(function, words):
        if "RevisionId" in words and words["RevisionId"] != function.latest.revision:
            raise stale("GetFunction/GetAlias")
        if function.latest.status == "InProgress":
            raise conflict(
                "The operation cannot be performed at this time. An update is in progress for "
                f"resource: {function.arn}"
            )
        if time.monotonic() < function.latest.pending_until:
            raise conflict(
                "The operation cannot be performed at this time. The function is currently in the "
                "following state: Pending"
            )

    def change(self, function, config, code):
        function.before = function.latest
        function.latest = Version("$LATEST", config, code)
        function.begin(self.update_seconds, self.failures.pop(function.name, None))

    def update_code(self, region, words):
        function, _ = self.find(region, words)
        self.changeable(function, words)
        code = self.code(words)
        config = dict(function.latest.config)
        if "Architectures" in words:
            config["Architectures"] = words["Architectures"]
        if words.get("DryRun"):
            would = Version("$LATEST", config, code)
            would.revision = function.latest.revision
            return function.describe(would, with_number=False)
        self.change(function, config, code)
        if words.get("Publish"):
            return function.describe(self.new_version(function, {}))
        return function.describe(function.latest, with_number=False)

    def update_configuration(self, region, words):
        function, _ = self.find(region, words)
        self.changeable(function, words)
        latest = function.latest
        config = latest.config | {key: words[key] for key in KEPT if key in words}
        self.change(function, config, (latest.code, latest.sha256, latest.came_with, latest.image))
        return function.describe(function.latest, with_number=False)

    def new_version(self, function, words):
        latest = function.latest
        last = max(function.versions.values(), key=lambda one: int(one.number), default=None)
        described = {"Description": words["Description"]} if "Description" in words else {}
        if last and last.sha256 == latest.sha256 and {**last.config, "Description": ""} == {
            **latest.config, "Description": "",
        }:
            return last
        code = latest.code, latest.sha256, latest.came_with, latest.image
        number = str(int(last.number) + 1 if last else 1)
        version = function.versions[number] = Version(number, latest.config | described, code)
        version.pending_until = time.monotonic() + self.publish_seconds
        return version

    def publish(self, region, words):
        function, _ = self.find(region, words)
        self.changeable(function, words)
        wanted, has = words.get("CodeSha256"), function.latest.sha256
        if wanted and wanted != has:
            raise invalid(
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({has}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
        return function.describe(self.new_version(function, words))

    def list_versions(self, region, words):
        function, _ = self.find(region, words)
        all_versions = [function.latest, *function.versions.values()]
        start, size = int(words.get("Marker") or 0), min(words.get("MaxItems", PAGE), PAGE)
        told = {"Versions": [function.describe(v) for v in all_versions[start:start + size]]}
        if start + size < len(all_versions):
            told["NextMarker"] = str(start + size)
        return told

    def invoke(self, region, words):
        function, qualifier = self.find(region, words)
        event = json.loads(words.get("Payload") or b"null")
        number, told = self.runtime.invoke(function.name, qualifier, event)
        headers = [("X-Amz-Executed-Version", number)]
        if "error" in told:
            return json.dumps(told["error"]).encode(), [*headers,
                                                        ("X-Amz-Function-Error", "Unhandled")]
        return json.dumps(told["result"]).encode(), headers
