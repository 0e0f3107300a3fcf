"""What callers are allowed: everything, but for what a test has denied."""

import re

from contract import Refused

WORDS = {
    "patch": "update", "insert": "create", "wait": "get", "listManagedInstances": "get",
    "applyUpdatesToInstances": "update", "setTargetSize": "update", "resize": "update",
}
FREE = ("testIamPermissions", "generateAccessToken", "token")


def permission_of(method):
    """The one that a method needs: "run.services.update"."""
    api = method.partition(".")[0]
    *_, resource, verb = method.split(".")
    if ".prometheus." in method:
        return "monitoring.timeSeries.list"
    resource = re.sub(r"^region(?=[A-Z])", "", resource)
    return f"{api}.{resource[:1].lower()}{resource[1:]}.{WORDS.get(verb, verb)}"


class Permissions:
    def __init__(self):
        self.denied = set()

    def check(self, call):
        needed = permission_of(call.id)
        if call.id.endswith(FREE) or needed not in self.denied:
            return
        path = call.request.path.split("/", 3)[-1]
        if call.method.api == "compute":
            words = f"Required '{needed}' permission for '{path}'"
        else:
            words = f"Permission '{needed}' denied on resource '//{path}' (or it may not exist)."
        raise Refused("PERMISSION_DENIED", words, 403)

    def test(self, call):
        allowed = [name for name in call.body.get("permissions", []) if name not in self.denied]
        return {"permissions": allowed} if allowed else {}
