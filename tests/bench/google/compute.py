"""Compute Engine (v1): instance templates, managed instance groups (zonal, regional), operations.

An operation is DONE when the change was taken note of; what instances.py does then takes its time.

Settings (POST /control {"settings": …}), with those of instances.py:
    operation_seconds   from a change to its operation being DONE (0.2)
"""

import base64
import copy
import hashlib
import itertools
import json
import uuid

from contract import Refused
from images import Images
from instances import Group, count_of, created

ROOT = "https://www.googleapis.com/compute/v1/projects/"
VERSIONS_MOST = 2
PERCENT_FROM = 10
NUMBERS = itertools.count(7000000000000000001)


def refuse(message, status=400, reason=None):
    raise Refused({404: "NOT_FOUND", 409: "ALREADY_EXISTS", 412: "FAILED_PRECONDITION"}.get(
        status, "INVALID_ARGUMENT"), message, status, reason)


def merged(old, new):
    """A patch: objects are merged, everything else is replaced; null takes away."""
    out = dict(old)
    for name, value in new.items():
        if value is None:
            out.pop(name, None)
        elif isinstance(value, dict) and isinstance(out.get(name), dict):
            out[name] = value if {"fixed", "percent"} & value.keys() else merged(out[name], value)
        else:
            out[name] = copy.deepcopy(value)
    return out


class Compute:
    def __init__(self, bench):
        self.bench, self.clock, self.settings = bench, bench.clock, bench.settings
        self.templates, self.groups, self.operations, self.asked = {}, {}, {}, {}
        self.images = Images(self)

    def answers(self):
        out = {}
        for kind in ("compute.instanceGroupManagers.", "compute.regionInstanceGroupManagers."):
            out.update({
                kind + "get": lambda call: self.told(self.group(call)),
                kind + "list": self.list_groups, kind + "insert": self.insert_group,
                kind + "patch": self.patch_group, kind + "delete": self.delete_group,
                kind + "resize": self.resize, kind + "listManagedInstances": self.list_instances,
                kind + "applyUpdatesToInstances": self.apply_updates,
            })
        for kind in ("compute.instanceTemplates.", "compute.regionInstanceTemplates."):
            out.update({
                kind + "get": self.get_template, kind + "list": self.list_templates,
                kind + "insert": self.insert_template, kind + "delete": self.delete_template,
                kind + "testIamPermissions": self.bench.permissions.test,
            })
        for kind in ("global", "region", "zone"):
            out[f"compute.{kind}Operations.get"] = self.operation
            out[f"compute.{kind}Operations.wait"] = self.wait
        out.update(self.images.answers())
        out["compute.instances.get"] = self.get_instance
        out["compute.backendServices.getHealth"] = self.get_health
        return out

    def forget(self):
        for group in self.groups.values():
            group.gone = True

    # ---- names -----------------------------------------------------------------------------------

    def scope(self, call):
        for kind in ("region", "zone"):
            if call[kind]:
                return f"{call['project']}/{kind}s/{call[kind]}"
        return f"{call['project']}/global"

    def place(self, resource):
        """The project's URL, of a resource with a selfLink."""
        return ROOT + resource["selfLink"][len(ROOT):].partition("/")[0]

    def find(self, things, path):
        if path not in things:
            refuse(f"The resource 'projects/{path}' was not found", 404)
        return things[path]

    def group(self, call):
        return self.find(
            self.groups, f"{self.scope(call)}/instanceGroupManagers/{call['instanceGroupManager']}"
        )

    def template_of(self, url, project, field):
        """The URL of a template that is there, by any of the ways to name it."""
        path = url.partition("/projects/")[2] if "://" in url else url.removeprefix("projects/")
        if path.startswith(("global/", "regions/")):
            path = f"{project}/{path}"
        if path.split("/")[-2:-1] != ["instanceTemplates"]:
            refuse(f"Invalid value for field 'resource.{field}': '{url}'. The URL is malformed.")
        return self.find(self.templates, path)["selfLink"]

    def words_of(self, url):
        """Where a test says what a template's application is like."""
        template = self.templates.get(url[len(ROOT):])
        if not template:
            return ""
        properties = template["properties"]
        disks = [disk.get("initializeParams", {}) for disk in properties["disks"]]
        images = [disk.get("sourceImage") for disk in disks]
        values = [item.get("value") for item in properties["metadata"].get("items", [])]
        return "\n".join(filter(None, [template["name"], *images, *values]))

    # ---- operations ------------------------------------------------------------------------------

    def operate(self, call, kind, target, work):
        """Does the work in a while; an operation that was asked for twice is there once."""
        known = self.asked.get(call["requestId"])
        if known:
            return dict(known)
        scope = self.scope(call)
        name = f"operation-{uuid.uuid4()}"
        operation = {
            "kind": "compute#operation", "id": str(next(NUMBERS)), "name": name, "progress": 0,
            "operationType": kind, "targetLink": ROOT + target, "status": "PENDING",
            "user": "deploy@bench.iam.gserviceaccount.com", "insertTime": created(),
            "selfLink": f"{ROOT}{scope}/operations/{name}",
        }
        for word in ("region", "zone"):
            if call[word]:
                operation[word] = ROOT + scope
        self.operations[f"{scope}/operations/{name}"] = operation
        if call["requestId"]:
            self.asked[call["requestId"]] = operation

        def start():
            operation.update(status="RUNNING", startTime=created())
            self.clock.later(seconds / 2, end)

        def end():
            work()
            operation.update(status="DONE", progress=100, endTime=created())

        seconds = self.settings.get("operation_seconds", 0.2)
        self.clock.later(seconds / 2, start)
        return dict(operation)

    def operation(self, call):
        path = f"{self.scope(call)}/operations/{call['operation']}"
        return dict(self.find(self.operations, path))

    def wait(self, call):
        operation = self.find(self.operations, f"{self.scope(call)}/operations/{call['operation']}")
        self.clock.wait(lambda: operation["status"] == "DONE", 30)
        return dict(operation)

    # ---- templates -------------------------------------------------------------------------------

    def get_template(self, call):
        folder, name = f"{self.scope(call)}/instanceTemplates/", call["instanceTemplate"]
        for path, template in self.templates.items():
            if path.startswith(folder) and name == template["id"]:
                return template
        return self.find(self.templates, folder + name)

    def listed(self, call, kind, items):
        if call["filter"] or call["orderBy"]:
            raise Refused("UNIMPLEMENTED", "the bench neither filters nor orders", 501)
        first, most = int(call["pageToken"] or 0), call["maxResults"] or 500
        more = {"nextPageToken": str(first + most)} if first + most < len(items) else {}
        return {
            "kind": f"compute#{kind}", "id": self.scope(call),
            "selfLink": ROOT + self.scope(call), "items": items[first:first + most], **more,
        }

    def list_templates(self, call):
        folder = self.scope(call) + "/instanceTemplates/"
        found = [template for path, template in self.templates.items() if path.startswith(folder)]
        return self.listed(call, "instanceTemplateList", found)

    def insert_template(self, call):
        template = copy.deepcopy(call.body)
        path = f"{self.scope(call)}/instanceTemplates/{template['name']}"
        if call["requestId"] not in self.asked and path in self.templates:
            refuse(f"The resource 'projects/{path}' already exists", 409)
        self.check_properties(template)
        template.update(
            kind="compute#instanceTemplate", id=str(next(NUMBERS)), creationTimestamp=created(),
            selfLink=ROOT + path,
        )
        self.fill_properties(template["properties"])
        return self.operate(
            call, "insert", path, lambda: self.templates.setdefault(path, template)
        )

    def check_properties(self, template):
        properties = template.get("properties")
        if not properties:
            refuse("Invalid value for field 'resource.properties': Required.", reason="required")
        disks = properties.get("disks") or []
        if sum(bool(disk.get("boot")) for disk in disks) != 1:
            refuse("Invalid value for field 'resource.properties.disks': one boot disk is needed.")
        if not properties.get("networkInterfaces"):
            refuse("Invalid value for field 'resource.properties.networkInterfaces': Required.")
        items = properties.get("metadata", {}).get("items", [])
        keys = [item.get("key") for item in items]
        if len(set(keys)) != len(keys):
            refuse("Invalid value for field 'resource.properties.metadata': a key is there twice.")

    def fill_properties(self, properties):
        """What Compute Engine adds, and tells from then on."""
        metadata = properties.setdefault("metadata", {})
        metadata.update(kind="compute#metadata", fingerprint=self.print_of(metadata.get("items")))
        for n, disk in enumerate(properties["disks"]):
            disk.update(kind="compute#attachedDisk", index=n)
            for key, value in (("mode", "READ_WRITE"), ("type", "PERSISTENT")):
                disk.setdefault(key, value)
        for n, interface in enumerate(properties["networkInterfaces"]):
            interface.update(kind="compute#networkInterface", name=f"nic{n}")
        properties.setdefault("scheduling", {}).setdefault("onHostMaintenance", "MIGRATE")

    def delete_template(self, call):
        template = self.get_template(call)
        url, path = template["selfLink"], template["selfLink"][len(ROOT):]
        for group in self.groups.values():
            used = {v["instanceTemplate"] for v in group.wanted["versions"]}
            if url in used | {i.template() for i in group.instances}:
                refuse(
                    f"The instance_template resource 'projects/{path}' is already being used by "
                    f"'{group.wanted['selfLink']}'", 400, "resourceInUseByAnotherResource",
                )
        return self.operate(call, "delete", path, lambda: self.templates.pop(path, None))

    # ---- groups ----------------------------------------------------------------------------------

    def print_of(self, tree):
        return base64.b64encode(hashlib.sha256(json.dumps(tree).encode()).digest()[:9]).decode()

    def told(self, group):
        out = copy.deepcopy(group.wanted)
        for version, (_, count) in zip(out["versions"], group.targets()):
            version.setdefault("targetSize", {})["calculated"] = count
        out["instanceTemplate"] = next(
            v["instanceTemplate"] for v in group.wanted["versions"] if not v.get("targetSize")
        )
        for name in ("maxSurge", "maxUnavailable"):
            out["updatePolicy"][name]["calculated"] = group.limit(name)
        return {**out, "currentActions": group.actions(), "status": group.status()}

    def list_groups(self, call):
        folder = self.scope(call) + "/instanceGroupManagers/"
        found = [self.told(group) for path, group in self.groups.items() if path.startswith(folder)]
        word = "regionInstanceGroupManagerList" if call["region"] else "instanceGroupManagerList"
        return self.listed(call, word, found)

    def insert_group(self, call):
        scope, body = self.scope(call), copy.deepcopy(call.body)
        path = f"{scope}/instanceGroupManagers/{body['name']}"
        if path in self.groups:
            refuse(f"The resource 'projects/{path}' already exists", 409)
        zones = [call["zone"]] if call["zone"] else [f"{call['region']}-{z}" for z in "bcd"]
        body.pop("fingerprint", None)
        if "instanceTemplate" in body:
            body.setdefault("versions", [{"instanceTemplate": body.pop("instanceTemplate")}])
        body.setdefault("baseInstanceName", body["name"][:58])
        policy = body.setdefault("updatePolicy", {})
        policy.setdefault("type", "OPPORTUNISTIC")
        policy.setdefault("minimalAction", "REPLACE")
        policy.setdefault("replacementMethod", "SUBSTITUTE")
        for name in ("maxSurge", "maxUnavailable"):
            policy.setdefault(name, {"fixed": len(zones)})
        self.check_group(body, call["project"], zones)
        place = {"region" if call["region"] else "zone": ROOT + scope}
        body.update(
            kind="compute#instanceGroupManager", id=str(next(NUMBERS)), selfLink=ROOT + path,
            instanceGroup=f"{ROOT}{scope}/instanceGroups/{body['name']}",
            creationTimestamp=created(), **place,
        )
        body["fingerprint"] = self.print_of(body)
        group = self.groups[path] = Group(self, body, zones)
        return self.operate(call, "insert", path, group.walk)

    def check_group(self, group, project, zones):
        versions = group.get("versions") or []
        if not 1 <= len(versions) <= VERSIONS_MOST:
            refuse(f"Invalid value for field 'resource.versions': 1 to {VERSIONS_MOST} versions.")
        if sum(not version.get("targetSize") for version in versions) != 1:
            refuse(
                "Invalid value for field 'resource.versions': Exactly one version must leave the "
                "targetSize field unset."
            )
        for n, version in enumerate(versions):
            field = f"versions[{n}].instanceTemplate"
            version["instanceTemplate"] = self.template_of(
                version.get("instanceTemplate", ""), project, field
            )
            self.check_size(version.get("targetSize"), f"versions[{n}].targetSize", None)
        for key in ("instanceTemplate", "name"):
            given = [version[key] for version in versions if version.get(key)]
            if len(set(given)) != len(given):
                refuse(f"Invalid value for field 'resource.versions': a {key} is there twice.")
        self.check_policy(group, zones)

    def check_policy(self, group, zones):
        policy = group["updatePolicy"]
        for name in ("maxSurge", "maxUnavailable"):
            self.check_size(policy[name], f"updatePolicy.{name}", group["targetSize"])
            fixed = policy[name].get("fixed")
            if fixed and fixed < len(zones):
                refuse(
                    f"Invalid value for field 'resource.updatePolicy.{name}.fixed': '{fixed}'. "
                    f"Fixed updatePolicy.{name} for regional managed instance group has to be "
                    "either 0 or at least equal to the number of zones."
                )
        most = [count_of(policy[n], group["targetSize"]) for n in ("maxSurge", "maxUnavailable")]
        if not any(most) and group["targetSize"]:
            refuse("Invalid value for field 'resource.updatePolicy': maxSurge and maxUnavailable "
                   "cannot both be 0.")
        if policy.get("replacementMethod") == "RECREATE" and most[0]:
            refuse("Invalid value for field 'resource.updatePolicy.maxSurge': has to be 0 when "
                   "replacementMethod is RECREATE.")

    def check_size(self, size, field, total):
        if not size:
            return
        if ("fixed" in size) == ("percent" in size):
            refuse(f"Invalid value for field 'resource.{field}': either fixed or percent.")
        if size.get("fixed", 0) < 0 or not 0 <= size.get("percent", 0) <= 100:
            refuse(f"Invalid value for field 'resource.{field}': out of its range.")
        if total is not None and "percent" in size and total < PERCENT_FROM:
            refuse(f"Invalid value for field 'resource.{field}.percent': the group must have at "
                   f"least {PERCENT_FROM} instances.")

    def patch_group(self, call):
        group, body = self.group(call), dict(call.body)
        known = self.asked.get(call["requestId"])
        if known:
            return dict(known)
        if body.pop("fingerprint", None) != group.wanted["fingerprint"]:
            refuse("Invalid fingerprint.", 412)
        if body.get("name", group.wanted["name"]) != group.wanted["name"]:
            refuse("Invalid value for field 'resource.name': it cannot be changed.")
        if "instanceTemplate" in body:
            given = body.pop("instanceTemplate")
            body.setdefault("versions", [{"instanceTemplate": given}])
        new = merged(group.wanted, body)
        self.check_group(new, call["project"], group.zones)
        new["fingerprint"] = self.print_of([new, next(NUMBERS)])
        group.wanted = new
        return self.operate(call, "patch", new["selfLink"][len(ROOT):], group.walk)

    def resize(self, call):
        group = self.group(call)
        group.wanted = {**group.wanted, "targetSize": call["size"]}
        group.wanted["fingerprint"] = self.print_of(group.wanted)
        return self.operate(call, "resize", group.wanted["selfLink"][len(ROOT):], group.walk)

    def delete_group(self, call):
        group = self.group(call)
        path = group.wanted["selfLink"][len(ROOT):]

        def work():
            group.gone = True
            self.groups.pop(path, None)
            self.bench.plane.drop(group.wanted["name"])

        return self.operate(call, "delete", path, work)

    # ---- instances -------------------------------------------------------------------------------

    def list_instances(self, call):
        group = self.group(call)
        if call["filter"] or call["orderBy"]:
            raise Refused("UNIMPLEMENTED", "the bench neither filters nor orders", 501)
        found = [group.told(instance) for instance in group.instances]
        if group.wanted.get("listManagedInstancesResults") != "PAGINATED":
            return {"managedInstances": found} if found else {}
        first, most = int(call["pageToken"] or 0), call["maxResults"] or 500
        more = {"nextPageToken": str(first + most)} if first + most < len(found) else {}
        return {"managedInstances": found[first:first + most], **more}

    def apply_updates(self, call):
        group, body = self.group(call), call.body
        urls = body.get("instances") or []
        if bool(urls) == bool(body.get("allInstances")):
            refuse("Invalid value for field 'resource.instances': instances or allInstances.")
        known = {f"zones/{i.zone}/instances/{i.name}": i.name for i in group.instances}
        names = [i.name for i in group.instances] if body.get("allInstances") else []
        for url in urls:
            tail = "/".join(url.split("/")[-4:])
            if tail not in known:
                refuse(f"Invalid value for field 'resource.instances': '{url}' is not a member of "
                       f"the instance group manager {group.wanted['name']}.")
            names.append(known[tail])
        if body.get("mostDisruptiveAllowedAction", "REPLACE") != "REPLACE":
            refuse("A change of the template needs REPLACE as its most disruptive allowed action.")
        path = group.wanted["selfLink"][len(ROOT):]
        return self.operate(call, "applyUpdatesToInstances", path, lambda: group.choose(names))

    def get_instance(self, call):
        for group in self.groups.values():
            for instance in group.instances:
                if (instance.name, instance.zone) == (call["instance"], call["zone"]):
                    told = group.told(instance)
                    return {
                        "kind": "compute#instance", "id": instance.id, "name": instance.name,
                        "selfLink": told["instance"], "status": told["instanceStatus"],
                        "networkInterfaces": [{"name": "nic0", "networkIP": "127.0.0.1"}],
                    }
        return refuse(f"The resource '{call.request.path}' was not found", 404)

    def get_health(self, call):
        url = call.body.get("group", "")
        for group in self.groups.values():
            if url.endswith(group.wanted["instanceGroup"][len(ROOT):]):
                states = [
                    {"instance": group.told(i)["instance"], "ipAddress": "127.0.0.1", "port": 80,
                     "healthState": "HEALTHY" if i.action == "NONE" and i.health != "UNHEALTHY"
                     else "UNHEALTHY"}
                    for i in group.instances
                ]
                return {"kind": "compute#backendServiceGroupHealth", "healthStatus": states}
        return refuse(f"Invalid value for field 'resource.group': '{url}'.")
