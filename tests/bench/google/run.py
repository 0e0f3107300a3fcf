"""Cloud Run (v2): services, revisions and operations, whose changes take their time.

Settings (POST /control {"settings": …}):
    converge_seconds    from a change to its end (0.5)
    converge_steps      traffic goes over in so many steps (1)
    bad_images          [PATTERN, …]: revisions of these images do not start
    strays              {SERVICE: {"revision": PATTERN, "after": SECONDS, "from_percent": N}}: a
                        revision that served well stops doing so; Cloud Run goes back to what was
                        served before
"""

import base64
import copy
import re
import secrets
import uuid

from clock import stamp
from contract import Refused
from dataplane import Server
from run_resources import OWN, condition, fill_template, last, replace, shown

TYPE = "type.googleapis.com/google.cloud.run.v2."
LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
NAMED = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
NAME_MOST = 63
NOT_STARTED = (
    "Revision '{}' is not ready and cannot serve traffic. The user-provided container failed to "
    "start and listen on the port defined provided by the PORT=8080 environment variable within "
    "the allocated timeout. This can happen when the container port is misconfigured or if the "
    "timeout is too short."
)
STOPPED = "Revision '{}' is not ready and cannot serve traffic. The container exited abnormally."


class Run:
    def __init__(self, bench):
        self.bench, self.clock, self.settings = bench, bench.clock, bench.settings
        self.services, self.revisions, self.operations = {}, {}, {}

    def answers(self):
        services = "run.projects.locations.services."
        operations = "run.projects.locations.operations."
        return {
            services + "get": lambda call: shown(self.service(call["name"])),
            services + "list": self.list_services,
            services + "create": self.create,
            services + "patch": self.patch,
            services + "delete": self.delete,
            services + "testIamPermissions": self.bench.permissions.test,
            services + "revisions.get": lambda call: shown(self.revision(call["name"])),
            services + "revisions.list": self.list_revisions,
            services + "revisions.delete": self.delete_revision,
            operations + "get": lambda call: shown(self.operation(call["name"])),
            operations + "wait": self.wait,
        }

    def forget(self):
        """Nothing of it is to happen later."""
        for service in self.services.values():
            service["_change"] = None
        self.services, self.revisions, self.operations = {}, {}, {}

    def names(self):
        return {last(name) for name in self.services}

    # ---- what is there ---------------------------------------------------------------------------

    def find(self, things, name):
        if name not in things:
            raise Refused("NOT_FOUND", f"Resource '{last(name)}' of kind was not found.", 404)
        return things[name]

    def service(self, name):
        return self.find(self.services, name)

    def revision(self, name):
        return self.find(self.revisions, name)

    def operation(self, name):
        return self.find(self.operations, name)

    def page(self, call, word, things):
        size = min(call["pageSize"] or 100, 100)
        first = int(call["pageToken"] or 0)
        rest = {"nextPageToken": str(first + size)} if first + size < len(things) else {}
        return {word: [shown(thing) for thing in things[first:first + size]], **rest}

    def list_services(self, call):
        folder = call["parent"] + "/services/"
        found = [s for name, s in self.services.items() if name.startswith(folder)]
        return self.page(call, "services", found)

    def list_revisions(self, call):
        folder = call["parent"] + "/revisions/"
        found = [r for name, r in self.revisions.items() if name.startswith(folder)]
        return self.page(call, "revisions", found[::-1])  # the newest first

    # ---- changes ---------------------------------------------------------------------------------

    def create(self, call):
        given = call["serviceId"] or ""
        name = f"{call['parent']}/services/{given}"
        if not re.fullmatch(r"[a-z]([-a-z0-9]{0,47}[a-z0-9])?", given):
            raise Refused("INVALID_ARGUMENT", f"service_id: {given!r} is no name")
        if name in self.services:
            raise Refused("ALREADY_EXISTS", f"Resource '{last(name)}' already exists.", 409)
        return self.change(name, None, call.body, None, call)

    def patch(self, call):
        name, old = call["name"], self.services.get(call["name"])
        given = call.body.get("name")
        if given and given != name:
            raise Refused("INVALID_ARGUMENT", f"service.name: {given!r} is another one")
        if not old and not call["allowMissing"]:
            self.service(name)
        etag = call.body.get("etag")
        if old and etag and etag != old["etag"]:
            raise Refused(
                "ABORTED",
                f"Conflict for resource '{last(name)}': version '{etag}' was specified but current "
                f"version is '{old['etag']}'.", 409,
            )
        return self.change(name, old, call.body, call["updateMask"], call)

    def change(self, name, old, body, mask, call):
        new = copy.deepcopy(old) if old else {"name": name, "generation": "0", "_known": {}}
        if mask and mask != ["*"]:
            for path in mask:
                if path.partition(".")[0] not in OWN:
                    replace(new, path, body)
        else:
            kept = {key: value for key, value in new.items() if key in OWN or key.startswith("_")}
            given = {key: value for key, value in body.items() if key not in OWN}
            new = {**copy.deepcopy(given), **kept}
        self.check_template(new)
        made = self.revision_of(new, old, call["forceNewRevision"])
        self.check_traffic(new, made)
        if call["validateOnly"]:
            return self.told_at_once(name, new)
        return self.accept(new, old, made)

    def check_template(self, service):
        template = service.get("template") or {}
        containers = template.get("containers")
        if not containers:
            raise Refused("INVALID_ARGUMENT", "template.containers: must contain a container")
        names = [container.get("name") for container in containers]
        if len(set(names)) != len(names):
            raise Refused("INVALID_ARGUMENT", "template.containers: their names must differ")
        for container in containers:
            if not re.fullmatch(r"[a-z0-9][^\s@]*(@sha256:[0-9a-f]{64})?", container["image"]):
                raise Refused("INVALID_ARGUMENT", f"image: {container['image']!r} is no image")
        given, start = template.get("revision"), last(service["name"]) + "-"
        right = r"[a-z]([-a-z0-9]*[a-z0-9])?"
        if given and not (
            given.startswith(start) and len(given) <= NAME_MOST and re.fullmatch(right, given)
        ):
            raise Refused(
                "INVALID_ARGUMENT",
                f"template.revision: {given!r} must begin with {start!r}, have at most {NAME_MOST} "
                "characters, small letters, digits and hyphens.",
            )
        fill_template(template)
        service.setdefault("ingress", "INGRESS_TRAFFIC_ALL")
        service.setdefault("launchStage", "GA")

    def revision_of(self, service, old, force):
        """The revision that this change makes; None when the template is as it was."""
        template = {k: v for k, v in service["template"].items() if k != "revision"}
        given = service["template"].get("revision")
        before = old and old["latestCreatedRevision"]
        name = f"{service['name']}/revisions/{given}" if given else None
        if name in self.revisions and self.revisions[name]["_template"] != template:
            raise Refused(
                "ALREADY_EXISTS",
                f"Revision named '{given}' with different configuration already exists.", 409,
            )
        same = before in self.revisions and self.revisions[before]["_template"] == template
        if same and not force and name in (None, before):
            return None
        if name in self.revisions:
            return self.revisions[name]
        generation = int(service["generation"]) + 1
        name = name or f"{service['name']}/revisions/{last(service['name'])}-" + (
            f"{generation:05d}-{secrets.token_hex(2)[:3]}"
        )
        pinned = [container for container in template["containers"] if "@" in container["image"]]
        return {
            **copy.deepcopy(template), "name": name, "uid": str(uuid.uuid4()), "generation": "1",
            "createTime": stamp(), "service": last(service["name"]), "reconciling": True,
            "etag": self.etag(), "_template": copy.deepcopy(template), "_ready": None,
            "containerStatuses": [
                {"name": container.get("name", ""), "imageDigest": container["image"]}
                for container in pinned
            ],
            "conditions": [condition("Ready", "CONDITION_RECONCILING")],
        }

    def check_traffic(self, service, made):
        traffic = service["traffic"] = service.get("traffic") or [{"type": LATEST, "percent": 100}]
        known = {last(n) for n, r in self.revisions.items() if n.startswith(service["name"] + "/")}
        tags = [target["tag"] for target in traffic if target.get("tag")]
        for n, target in enumerate(traffic):
            kind, revision = target.get("type"), target.get("revision")
            if (kind, bool(revision)) not in ((LATEST, False), (NAMED, True)):
                raise Refused(
                    "INVALID_ARGUMENT", f"traffic[{n}]: {kind} and revision {revision!r} do not fit"
                )
            if not 0 <= target.get("percent", 0) <= 100:
                raise Refused("INVALID_ARGUMENT", f"traffic[{n}].percent: is not within 0 and 100")
            if revision and revision not in known | ({last(made["name"])} if made else set()):
                raise Refused("INVALID_ARGUMENT", f"traffic[{n}]: Revision {revision!r} not found")
            tag = target.get("tag")
            if tag and not re.fullmatch(r"[a-z]([-a-z0-9]{0,44}[a-z0-9])?", tag):
                raise Refused("INVALID_ARGUMENT", f"traffic[{n}].tag: {tag!r} is no tag")
        if len(set(tags)) != len(tags):
            raise Refused("INVALID_ARGUMENT", "traffic: a tag is there twice")
        keys = [(target.get("revision"), target.get("tag")) for target in traffic]
        if len(set(keys)) != len(keys):
            raise Refused("INVALID_ARGUMENT", "traffic: a revision is there twice")
        if sum(target.get("percent", 0) for target in traffic) != 100:
            raise Refused("INVALID_ARGUMENT", "The sum of the traffic percentages must be 100.")

    def etag(self):
        return f'"{base64.b64encode(secrets.token_bytes(9)).decode()}"'

    def told_at_once(self, name, service):
        answer = {"@type": TYPE + "Service", **shown(service), "name": name}
        return {"name": "", "metadata": answer, "done": True, "response": answer}

    def accept(self, service, old, made):
        name, changed = service["name"], made or not old or any(
            shown(service.get(key)) != shown(old.get(key))
            for key in set(service) | set(old) if key not in OWN and not key.startswith("_")
        )
        if old and not changed:
            return self.follow(old)
        if old:
            old["_change"] = None
        else:
            service.update(uid=str(uuid.uuid4()), createTime=stamp(), creator="bench")
        if made:
            self.revisions.setdefault(made["name"], made)
            service["latestCreatedRevision"] = made["name"]
        self.services[name] = service
        operation = self.start_operation(service)
        service["generation"] = str(int(service["generation"]) + 1)
        service.update(
            etag=self.etag(), updateTime=stamp(), lastModifier="bench", reconciling=True,
            terminalCondition=condition("Ready", "CONDITION_RECONCILING"),
        )
        self.converge(service, operation)
        operation["metadata"] = {"@type": TYPE + "Service", **shown(service)}
        return shown(operation)

    def follow(self, service):
        """Nothing has changed: the operation ends with the change that is under way, if any."""
        operation = self.start_operation(service)

        def look():
            if service.get("reconciling") and service.get("_change"):
                self.clock.later(0.05, look)
            else:
                self.finish(operation, service)

        look()
        return shown(operation)

    def delete(self, call):
        service = self.service(call["name"])
        del self.services[call["name"]]
        service["_change"] = None
        for name in [n for n in self.revisions if n.startswith(call["name"] + "/")]:
            del self.revisions[name]
        self.bench.plane.drop(last(call["name"]))
        return self.told_at_once(call["name"], service)

    def delete_revision(self, call):
        revision = self.revision(call["name"])
        service = self.services[call["name"].partition("/revisions/")[0]]
        used = {self.resolve(service, target) for target in service["traffic"]}
        if call["name"] in used or call["name"] == service["latestCreatedRevision"]:
            raise Refused("FAILED_PRECONDITION", "The revision is in use.", 400)
        del self.revisions[call["name"]]
        answer = {"@type": TYPE + "Revision", **shown(revision)}
        return {"name": "", "metadata": answer, "done": True, "response": answer}

    # ---- operations ------------------------------------------------------------------------------

    def start_operation(self, service):
        folder = service["name"].partition("/services/")[0]
        operation = {"name": f"{folder}/operations/{uuid.uuid4()}", "done": False}
        self.operations[operation["name"]] = operation
        return operation

    def finish(self, operation, service, error=None):
        operation["done"] = True
        answer = {"@type": TYPE + "Service", **shown(service)}
        operation["metadata"] = answer
        operation["error" if error else "response"] = error or copy.deepcopy(answer)

    def wait(self, call):
        operation = self.operation(call["name"])
        seconds = float(call.body.get("timeout", "30s")[:-1])
        self.clock.wait(lambda: operation["done"], min(seconds, 30))
        return shown(operation)

    # ---- what follows a change -------------------------------------------------------------------

    def setting(self, name, usual):
        return self.settings.get(name, usual)

    def resolve(self, service, target):
        """The revision that a target means; the latest is the latest that is ready."""
        named = target.get("revision")
        latest = service.get("latestReadyRevision") or service["latestCreatedRevision"]
        return f"{service['name']}/revisions/{named}" if named else latest

    def converge(self, service, operation):
        change = service["_change"] = object()
        seconds, steps = self.setting("converge_seconds", 0.5), self.setting("converge_steps", 1)
        before = copy.deepcopy(service.get("trafficStatuses") or [])

        def step(n):
            if service["_change"] is not change:
                if not operation["done"]:
                    words = "The operation was superseded by a newer change of the service."
                    self.finish(operation, service, {"code": 10, "message": words})
                return
            self.start_revision(service)
            failed = self.failed_revision(service)
            if failed:
                self.fail(service, operation, failed)
            elif n < steps:
                self.move(service, before, n / steps)
                self.clock.later(seconds / steps, lambda: step(n + 1))
            else:
                self.succeed(service, operation, before)

        self.clock.later(seconds / steps, lambda: step(1))

    def start_revision(self, service):
        revision = self.revisions[service["latestCreatedRevision"]]
        if revision["_ready"] is None:
            images = " ".join(container["image"] for container in revision["containers"])
            bad = any(re.search(pattern, images) for pattern in self.setting("bad_images", []))
            self.settle_revision(revision, not bad, NOT_STARTED)
        if revision["_ready"]:
            service["latestReadyRevision"] = revision["name"]

    def settle_revision(self, revision, ready, words):
        revision.update(_ready=ready, reconciling=False, updateTime=stamp(), etag=self.etag())
        revision["observedGeneration"] = "1"
        if ready:
            kinds = ("Ready", "Active", "ContainerHealthy", "ContainerReady", "ResourcesAvailable")
            revision["conditions"] = [condition(kind, "CONDITION_SUCCEEDED") for kind in kinds]
            return
        message = words.format(last(revision["name"]))
        revision["conditions"] = [
            condition(kind, "CONDITION_FAILED", message=message,
                      revisionReason="HEALTH_CHECK_CONTAINER_ERROR")
            for kind in ("Ready", "ContainerHealthy")
        ]

    def failed_revision(self, service):
        """One that this change brought and that did not start, or that it sends traffic to."""
        created = self.revisions[service["latestCreatedRevision"]]
        names = {self.resolve(service, target) for target in service["traffic"]}
        if created["name"] not in service["_known"]:
            names.add(created["name"])
        service["_known"][created["name"]] = True
        return next((n for n in sorted(names) if not self.revisions[n]["_ready"]), None)

    def uri(self, service, tag=None):
        revision = tag and last(self.resolve(service, tag))
        return self.bench.plane.uri(last(service["name"]), tag and tag["tag"], revision)

    def succeed(self, service, operation, before):
        self.move(service, before, 1)
        uri = self.uri(service)
        service.update(
            observedGeneration=service["generation"], reconciling=False, etag=self.etag(),
            uri=uri, urls=[uri], terminalCondition=condition("Ready", "CONDITION_SUCCEEDED"),
            conditions=[condition(kind, "CONDITION_SUCCEEDED")
                        for kind in ("ConfigurationsReady", "RoutesReady")],
        )
        self.finish(operation, service)
        self.plan_stray(service, before)

    def fail(self, service, operation, failed):
        """What is served stays as it was; so do the fields that tell of it."""
        words = self.revisions[failed]["conditions"][0]["message"]
        self.note_failure(service, words)
        self.finish(operation, service, {"code": 9, "message": words})

    def note_failure(self, service, words):
        failure = {"message": words, "revisionReason": "HEALTH_CHECK_CONTAINER_ERROR"}
        service.update(
            reconciling=False, etag=self.etag(),
            terminalCondition=condition("Ready", "CONDITION_FAILED", **failure),
            conditions=[condition("ConfigurationsReady", "CONDITION_FAILED", **failure),
                        condition("RoutesReady", "CONDITION_SUCCEEDED")],
        )

    def move(self, service, before, share):
        """trafficStatuses, `share` of the way from `before` to what is wanted."""
        wanted = []
        for target in service["traffic"]:
            status = {key: target.get(key) for key in ("type", "revision", "tag", "percent")}
            if target.get("tag"):
                status["uri"] = self.uri(service, target)
            wanted.append(status)
        if share < 1 and before:
            wanted = self.between(before, wanted, share)
        service["trafficStatuses"] = wanted
        self.route(service)

    def between(self, before, wanted, share):
        keys = ("type", "revision", "tag")
        both = {}
        for part, statuses in ((1 - share, before), (share, wanted)):
            for status in statuses:
                key = tuple(status.get(name) for name in keys)
                entry = both.setdefault(key, {**status, "percent": 0})
                entry["percent"] += part * (status.get("percent") or 0)
        statuses = list(both.values())
        for status in statuses:
            status["percent"] = int(status["percent"])
        statuses[0]["percent"] += 100 - sum(status["percent"] for status in statuses)
        return statuses

    def route(self, service):
        """Tells the data plane who serves, and how much."""
        shares = {}
        for status in service["trafficStatuses"]:
            revision = self.revisions[self.resolve(service, status)]
            name = last(revision["name"])
            image = " ".join(container["image"] for container in revision["containers"])
            percent = shares.get(name, (0, ""))[0] + (status.get("percent") or 0)
            shares[name] = (percent, image)
        self.bench.plane.route(last(service["name"]), [
            Server(name, name, percent, image) for name, (percent, image) in shares.items()
        ], keep=True)

    # ---- going back by itself --------------------------------------------------------------------

    def plan_stray(self, service, before):
        stray = self.setting("strays", {}).get(last(service["name"]))
        if not stray or not before:
            return
        least = stray.get("from_percent", 1)
        names = [
            last(self.resolve(service, status)) for status in service["trafficStatuses"]
            if (status.get("percent") or 0) >= least
        ]
        name = next((n for n in names if re.search(stray["revision"], n)), None)
        change = service["_change"]
        if name:
            self.clock.later(
                stray.get("after", 0),
                lambda: service["_change"] is change and self.stray(service, name, before),
            )

    def stray(self, service, name, before):
        revision = self.revisions[f"{service['name']}/revisions/{name}"]
        self.settle_revision(revision, False, STOPPED)
        ready = [
            n for n, r in self.revisions.items()
            if n.startswith(service["name"] + "/") and r["_ready"]
        ]
        service["latestReadyRevision"] = ready[-1] if ready else ""
        service["observedGeneration"] = str(int(service["generation"]) - 1)
        service["trafficStatuses"] = before
        self.note_failure(service, STOPPED.format(name))
        self.route(service)
