"""A function: $LATEST, what was published of it, its aliases; and the refusals that Lambda has."""

import datetime
import time
import uuid

from figures import ACCOUNT
from refusal import Refused

STALE = (
    "The Revision Id provided does not match the latest Revision Id. Call the {} API to retrieve "
    "the latest Revision Id"
)


def invalid(words):
    return Refused("InvalidParameterValueException", words)


def absent(words):
    return Refused("ResourceNotFoundException", words, 404)


def conflict(words):
    return Refused("ResourceConflictException", words, 409)


def stale(call):
    return Refused("PreconditionFailedException", STALE.format(call), 412)


def moment():
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


class Version:
    """$LATEST, or what was published of it."""

    def __init__(self, number, config, code):
        self.number, self.config = number, config
        self.code, self.sha256, self.came_with, self.image = code
        self.revision, self.modified = str(uuid.uuid4()), moment()
        self.status, self.why, self.pending_until = "Successful", None, 0.0

    def changed(self):
        self.revision, self.modified = str(uuid.uuid4()), moment()


class Function:
    def __init__(self, region, name, config, code):
        self.region, self.name = region, name
        self.arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"
        self.latest = Version("$LATEST", config, code)
        self.versions, self.aliases = {}, {}
        self.before, self.update_until, self.failure = None, None, None

    def version(self, number):
        found = self.latest if number == "$LATEST" else self.versions.get(number)
        if found is None:
            raise absent(f"Function not found: {self.arn}:{number}")
        return found

    def begin(self, seconds, failure=None):
        """An update that takes its time; one that fails leaves what was before."""
        self.latest.status, self.latest.why = "InProgress", None
        self.update_until, self.failure = time.monotonic() + seconds, failure

    def settle(self):
        """What has come to its end by now."""
        if self.update_until is None or time.monotonic() < self.update_until:
            return
        self.update_until = None
        if self.failure and self.before:
            self.latest = self.before
        self.latest.status = "Failed" if self.failure else "Successful"
        self.latest.why = self.failure
        self.latest.changed()

    def describe(self, version, with_number=True):
        pending = time.monotonic() < version.pending_until
        arn = self.arn if version.number == "$LATEST" and not with_number else (
            f"{self.arn}:{version.number}"
        )
        told = {
            "FunctionName": self.name, "FunctionArn": arn, "Version": version.number,
            "CodeSize": len(version.code or b""), "CodeSha256": version.sha256,
            "PackageType": "Image" if version.image else "Zip",
            "LastModified": version.modified, "RevisionId": version.revision,
            "State": "Pending" if pending else "Active", "LastUpdateStatus": version.status,
            **version.config,
        }
        if pending:
            told |= {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
        if version.why:
            told |= {"LastUpdateStatusReason": version.why,
                     "LastUpdateStatusReasonCode": "InternalError"}
        return told
