"""How Cloud Run writes its resources: what it leaves out, fills in, and takes from a patch."""

import copy

from clock import stamp

# Cloud Run's own: what it writes, and what of a service nobody else does.
OWN = (
    "name", "uid", "generation", "observedGeneration", "etag", "createTime", "updateTime",
    "conditions", "terminalCondition", "latestReadyRevision", "latestCreatedRevision",
    "trafficStatuses", "uri", "urls", "reconciling", "creator", "lastModifier",
)


def shown(tree):
    """As protocol buffers write JSON: what is nothing is left out."""
    if isinstance(tree, dict):
        tree = {name: shown(value) for name, value in tree.items() if not name.startswith("_")}
        return {name: value for name, value in tree.items() if value not in (None, 0, "", [], {})}
    return [shown(value) for value in tree] if isinstance(tree, list) else tree


def last(name):
    return name.rpartition("/")[2]


def condition(kind, state, **more):
    return {"type": kind, "state": state, "lastTransitionTime": stamp(), **more}


def replace(tree, path, new):
    """What the path of a mask names, as `new` has it, or not at all."""
    first, _, rest = path.partition(".")
    if not rest:
        if first in new:
            tree[first] = copy.deepcopy(new[first])
        else:
            tree.pop(first, None)
        return
    replace(tree.setdefault(first, {}), rest, new.get(first) or {})


def fill_template(template):
    """What Cloud Run decides where the client says nothing; it stands in the answers."""
    template.setdefault("timeout", "300s")
    template.setdefault("maxInstanceRequestConcurrency", 80)
    template.setdefault("scaling", {}).setdefault("maxInstanceCount", 100)
    template.setdefault("serviceAccount", "123456789012-compute@developer.gserviceaccount.com")
    for container in template["containers"]:
        resources = container.setdefault("resources", {})
        resources.setdefault("limits", {"cpu": "1000m", "memory": "512Mi"})
        resources.setdefault("startupCpuBoost", True)
    if not any(container.get("ports") for container in template["containers"]):
        template["containers"][0]["ports"] = [{"name": "http1", "containerPort": 8080}]
