"""What callers are allowed: everything, but for what a test has denied, or has not granted. What is
granted is for those who have got their token here; the test itself ("ya29.bench") may all of it."""

import re

from contract import Refused

WORDS = {
    "patch": "update", "insert": "create", "wait": "get", "listManagedInstances": "get",
    "applyUpdatesToInstances": "update", "setTargetSize": "update", "resize": "update",
}
FREE = ("testIamPermissions", "generateAccessToken", "token")
OWN = "Bearer ya29.bench"


def permission_of(method):
    """The one that a method needs: "run.services.update"."""
    api = method.partition(".")[0]
    *_, resource, verb = method.split(".")
    if ".prometheus." in method:
        return "monitoring.timeSeries.list"
    resource = re.sub(r"^region(?=[A-Z])", "", resource)
    return f"{api}.{resource[:1].lower()}{resource[1:]}.{WORDS.get(verb, verb)}"


def has(tree, name):
    """Whether a body names that anywhere."""
    if isinstance(tree, dict):
        return any(key == name or has(one, name) for key, one in tree.items())
    return isinstance(tree, list) and any(has(one, name) for one in tree)


def besides(call):
    """What a change needs on other things than the one that it is of."""
    body = call.body if isinstance(call.body, dict) else {}
    if call.id.startswith("run.") and call.id.endswith("services.patch") and "template" in body:
        yield "iam.serviceAccounts.actAs"
    if re.search(r"nstanceTemplates[.]insert$", call.id):
        yield "compute.disks.create"
        if has(body, "sourceImage"):
            yield "compute.images.useReadOnly"
        if has(body, "subnetwork"):
            yield "compute.subnetworks.use"
        if has(body, "serviceAccounts"):
            yield "iam.serviceAccounts.actAs"
    if re.search(r"nstanceGroupManagers[.]patch$", call.id) and has(body, "instanceTemplate"):
        yield "compute.instanceTemplates.useReadOnly"


class Permissions:
    def __init__(self):
        self.forget()

    def forget(self):
        self.denied, self.granted, self.used = set(), None, set()

    def misses(self, needed, request):
        """Whether who asks may not; what is used of what was granted is kept."""
        own = request.headers.get("authorization") == OWN
        if not own:
            self.used.add(needed)
        lacks = not own and self.granted is not None and needed not in self.granted
        return needed in self.denied or lacks

    def check(self, call):
        if call.id.endswith(FREE):
            return
        for needed in (permission_of(call.id), *besides(call)):
            if self.misses(needed, call.request):
                self.refuse(call, needed)

    def refuse(self, call, needed):
        path = call.request.path.split("/", 3)[-1]
        if call.method.api == "compute":
            words = f"Required '{needed}' permission for '{path}'"
        else:
            words = f"Permission '{needed}' denied on resource '//{path}' (or it may not exist)."
        raise Refused("PERMISSION_DENIED", words, 403)

    def among(self, names):
        """Those of them that are there, as testIamPermissions answers."""
        granted = self.granted
        return [name for name in names
                if name not in self.denied and (granted is None or name in granted)]

    def test(self, call):
        allowed = self.among(call.body.get("permissions", []))
        return {"permissions": allowed} if allowed else {}
