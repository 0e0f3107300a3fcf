"""What a managed instance group does with its instances: makes, checks, replaces and removes them,
a few at a time and in time.

Settings (POST /control {"settings": …}):
    create_seconds, verify_seconds, drain_seconds   of one instance (0.2 each)
    bad_images      [PATTERN, …]: instances whose template has this in its name, its disks' images
                    or its metadata never become healthy
    strays          {GROUP: {"revision": PATTERN, "after": SECONDS}}: instances of a template with
                    such a name fall ill, and the group makes them anew, again and again
"""

import itertools
import math
import re
import secrets
import time

from clock import stamp
from dataplane import Server

STEP_SECONDS = 0.05
ALIVE = ("NONE", "VERIFYING", "CREATING", "RECREATING")
IDS = itertools.count(4000000000000000001)


def count_of(size, total):
    """Of a FixedOrPercent."""
    if "fixed" in size:
        return min(size["fixed"], total)
    return math.floor(size.get("percent", 0) * total / 100 + 0.5)


class Instance:
    def __init__(self, name, zone, version):
        self.name, self.zone, self.id = name, zone, str(next(IDS))
        self.renew(version, "CREATING")

    def renew(self, version, action):
        """`version` is what it is to be, and what the API tells from now on."""
        self.version, self.action = dict(version), action
        self.health, self.since, self.ill_at = "UNKNOWN", time.monotonic(), None

    def turn(self, action, health=None):
        self.action, self.since = action, time.monotonic()
        self.health = health or self.health

    def age(self):
        return time.monotonic() - self.since

    def template(self):
        return self.version["instanceTemplate"]


class Group:
    """The instances behind one instance group manager, whose resource is `wanted`."""

    def __init__(self, compute, wanted, zones):
        self.compute, self.wanted, self.zones = compute, wanted, zones
        self.settings, self.instances = compute.settings, []
        self.gone, self.walking, self.chosen = False, False, set()

    # ---- what is wanted --------------------------------------------------------------------------

    def size(self):
        return self.wanted["targetSize"]

    def targets(self):
        """How many instances each version is to have: [(version, N)]."""
        sizes, rest = {}, self.size()
        for n, version in enumerate(self.wanted["versions"]):
            if version.get("targetSize"):
                sizes[n] = min(count_of(version["targetSize"], self.size()), rest)
                rest -= sizes[n]
        return [(v, sizes.get(n, rest)) for n, v in enumerate(self.wanted["versions"])]

    def alive(self):
        return [i for i in self.instances if i.action in ALIVE]

    def lacking(self):
        """The versions that have too few instances, each as often as it lacks one."""
        out = []
        for version, wanted in self.targets():
            have = sum(i.template() == version["instanceTemplate"] for i in self.alive())
            out += [version] * (wanted - have)
        return out

    def surplus(self):
        """The instances of versions that have too many, the youngest of them first."""
        out, left = [], {v["instanceTemplate"]: n for v, n in self.targets()}
        for instance in self.alive():
            left[instance.template()] = left.get(instance.template(), 0) - 1
            if left[instance.template()] < 0:
                out.append(instance)
        return out

    def is_reached(self):
        return not self.lacking() and not self.surplus()

    def is_stable(self):
        if any(i.action != "NONE" for i in self.instances) or len(self.alive()) != self.size():
            return False
        return self.is_reached() or not (self.is_proactive() or self.chosen)

    def is_proactive(self):
        return self.wanted["updatePolicy"]["type"] == "PROACTIVE"

    def limit(self, name):
        size = self.wanted["updatePolicy"][name]
        return size["fixed"] if "fixed" in size else count_of(size, self.size())

    # ---- what happens ----------------------------------------------------------------------------

    def seconds(self, name):
        return self.settings.get(name, 0.2)

    def walk(self):
        """Goes on until nothing is left to do."""
        if not self.walking and not self.gone:
            self.walking = True
            self.compute.clock.later(STEP_SECONDS, self.step)

    def step(self):
        self.walking = False
        if self.gone:
            return
        for instance in list(self.instances):
            self.grow(instance)
        self.resize()
        self.replace()
        self.route()
        if not self.is_stable() or self.has_strays():
            self.walk()

    def is_bad(self, instance):
        words = self.compute.words_of(instance.template())
        return any(re.search(pattern, words) for pattern in self.settings.get("bad_images", []))

    def has_strays(self):
        return self.wanted["name"] in self.settings.get("strays", {})

    def grow(self, instance):
        if instance.action in ("CREATING", "RECREATING"):
            if instance.age() > self.seconds("create_seconds"):
                instance.turn("VERIFYING" if self.checks() else "NONE")
        elif instance.action == "VERIFYING" and instance.age() > self.seconds("verify_seconds"):
            if self.is_bad(instance):
                instance.health = "UNHEALTHY"
            else:
                instance.turn("NONE", "HEALTHY")
        elif instance.action == "DELETING" and instance.age() > self.seconds("drain_seconds"):
            self.instances.remove(instance)
        elif instance.action == "NONE":
            self.maybe_stray(instance)

    def maybe_stray(self, instance):
        stray = self.settings.get("strays", {}).get(self.wanted["name"])
        name = instance.template().rpartition("/")[2]
        if not stray or not re.search(stray["revision"], name):
            return
        if instance.age() > stray.get("after", 0) + self.seconds("verify_seconds"):
            instance.renew(instance.version, "RECREATING")
            instance.health = "UNHEALTHY"
        elif instance.age() > stray.get("after", 0):
            instance.health = "UNHEALTHY"

    def checks(self):
        return bool(self.wanted.get("autoHealingPolicies"))

    def available(self):
        return sum(i.action == "NONE" and i.health != "UNHEALTHY" for i in self.instances)

    def resize(self):
        """The number of instances, apart from what an update adds and takes for a while."""
        missing = self.size() - len(self.alive())
        for version in self.lacking()[:max(missing, 0)]:
            self.create(version)
        if missing < -self.limit("maxSurge") or (missing < 0 and self.is_reached_by_size()):
            for instance in self.surplus()[:-missing]:
                instance.turn("DELETING")

    def is_reached_by_size(self):
        return not self.lacking() and not any(i.action != "NONE" for i in self.alive())

    def create(self, version):
        zones = [i.zone for i in self.alive()]
        zone = min(self.zones, key=zones.count)
        name = f"{self.wanted['baseInstanceName']}-{secrets.token_hex(2)}"
        self.instances.append(Instance(name, zone, self.version_of(version)))

    def version_of(self, version):
        return {k: version[k] for k in ("instanceTemplate", "name") if version.get(k)}

    def replaceable(self):
        surplus = self.surplus()
        if not self.is_proactive():
            surplus = [i for i in surplus if i.name in self.chosen]
        return [i for i in surplus if i.action in ("NONE", "VERIFYING")]

    def replace(self):
        """One round of an update, within what maxSurge and maxUnavailable allow."""
        self.chosen &= {instance.name for instance in self.surplus()}
        lacking, outdated = self.lacking(), self.replaceable()
        if self.wanted["updatePolicy"].get("replacementMethod") == "RECREATE":
            self.recreate(lacking, outdated)
            return
        surge, extra = self.limit("maxSurge"), len(self.alive()) - self.size()
        room = min(surge - extra, len(lacking), len(outdated) - extra)
        for version in lacking[:max(room, 0)]:
            self.create(version)
        # Who goes has somebody in its place; without a surge, it goes before.
        extra = len(self.alive()) - self.size()
        spare = self.available() - (self.size() - self.limit("maxUnavailable"))
        for instance in outdated[:max(extra, 0) if surge else len(outdated)]:
            if instance.action == "NONE" and spare <= 0:
                break
            spare -= instance.action == "NONE"
            instance.turn("DELETING")
            self.chosen.discard(instance.name)

    def recreate(self, lacking, outdated):
        spare = self.available() - (self.size() - self.limit("maxUnavailable"))
        for instance, version in zip(outdated, lacking):
            if instance.action == "NONE" and spare <= 0:
                break
            spare -= instance.action == "NONE"
            instance.renew(self.version_of(version), "RECREATING")
            self.chosen.discard(instance.name)

    def choose(self, names):
        self.chosen |= set(names)
        self.walk()

    # ---- what is told ----------------------------------------------------------------------------

    def route(self):
        servers = []
        for instance in self.instances:
            serves = instance.action == "NONE" and instance.health != "UNHEALTHY"
            if not serves and instance.action != "DELETING":
                continue
            name = instance.template().rpartition("/")[2]
            words = self.compute.words_of(instance.template())
            server = f"{instance.name}-{instance.id[-4:]}" if self.is_renamed() else instance.name
            servers.append(Server(server, name, 100 if serves else 0, words))
        self.compute.bench.plane.route(self.wanted["name"], servers)

    def is_renamed(self):
        """Recreated machines keep their names, but are new processes."""
        return self.wanted["updatePolicy"].get("replacementMethod") == "RECREATE"

    def told(self, instance):
        status = {"CREATING": "STAGING", "RECREATING": "STAGING", "DELETING": "STOPPING"}
        url = f"{self.compute.place(self.wanted)}/zones/{instance.zone}/instances/{instance.name}"
        out = {
            "name": instance.name, "id": instance.id, "instance": url,
            "instanceStatus": status.get(instance.action, "RUNNING"), "targetStatus": "RUNNING",
            "currentAction": instance.action, "version": instance.version,
        }
        if instance.action == "DELETING":
            out["targetStatus"] = "DELETED"
        if self.checks() and out["instanceStatus"] == "RUNNING":
            check = self.wanted["autoHealingPolicies"][0].get("healthCheck", "")
            out["instanceHealth"] = [
                {"healthCheck": check, "detailedHealthState": instance.health}
            ]
        return out

    def actions(self):
        words = ("abandoning", "creating", "creatingWithoutRetries", "deleting", "none",
                 "recreating", "refreshing", "restarting", "resuming", "starting", "stopping",
                 "suspending", "verifying")
        counts = dict.fromkeys(words, 0)
        for instance in self.instances:
            counts[instance.action.lower()] += 1
        return counts

    def status(self):
        return {
            "isStable": self.is_stable(), "versionTarget": {"isReached": self.is_reached()},
            "stateful": {"hasStatefulConfig": False, "perInstanceConfigs": {"allEffective": True}},
        }


def created():
    return stamp()[:-4] + "-08:00"
