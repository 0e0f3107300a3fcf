"""A task of a service: a process of its own, at an address of its own, registered with its groups.

PENDING → RUNNING → DEACTIVATING (its targets drain) → STOPPED. The image decides what it does: a
manifest's annotations are the environment that comes with it (registry.py).
"""

import time
import uuid
from pathlib import Path

from processes import Process

APP = Path(__file__).with_name("app.py")
SETTLE_SECONDS = 0.6


class Task:
    def __init__(self, world, service, deployment, stuck):
        self.world, self.service, self.deployment = world, service, deployment
        self.definition = world.definition(service.region, deployment.definition)
        self.container = self.definition.container_definitions[0]
        self.id = uuid.uuid4().hex
        self.state, self.reason, self.process = "PENDING", None, None
        self.created = time.monotonic()
        self.created_at, self.started_at, self.stopped_at = time.time(), None, None
        self.running_since, self.stuck = None, stuck
        self.address, self.was_healthy, self.failed = None, False, False
        ports = self.container.get("portMappings") or [{"containerPort": 8080}]
        self.port = int(ports[0]["containerPort"])

    @property
    def arn(self):
        service = self.service
        return f"{service.arn.rpartition(':')[0]}:task/{service.cluster}/{self.id}"

    @property
    def groups(self):
        return [words["targetGroupArn"] for words in self.service.load_balancers]

    def live(self):
        return self.state in ("PENDING", "RUNNING")

    # ---- its life ----

    def step(self, now):
        if self.state == "PENDING" and not self.stuck:
            if now - self.created >= self.world.start_seconds:
                self.start(now)
        elif self.state == "RUNNING":
            self.look(now)
        elif self.state == "DEACTIVATING" and self.drained():
            if self.process is None or self.process.ask():
                self.stopped(self.reason)

    def start(self, now):
        image = self.container.get("image", "")
        try:
            _, came_with = self.world.images.find(image)
        except LookupError as error:
            self.failed = True
            self.stopped(f"CannotPullContainerError: {error}")
            return
        self.address = self.world.addresses.next()
        environment = {**came_with, "IMAGE": image, "HOST": self.address, "PORT": str(self.port)}
        for pair in self.container.get("environment") or []:
            environment[pair["name"]] = pair["value"]
        environment.setdefault("RELEASE", image.rpartition(":")[2])
        command = (self.container.get("entryPoint") or []) + (self.container.get("command") or [])
        try:
            self.process = Process(command or None, APP, environment)
        except OSError as error:
            self.failed = True
            self.stopped(f"CannotStartContainerError: {error}")
            return
        self.state, self.running_since, self.started_at = "RUNNING", now, time.time()
        self.world.balancers.labels[self.address, self.port] = environment["RELEASE"]
        for arn in self.groups:
            self.world.register(self.service.region, arn, self.address, self.port)

    def look(self, now):
        if self.process.status is not None:
            self.failed = True
            self.leave_groups()
            self.stopped("Essential container in task exited")
            return
        states = [
            (arn, self.world.balancers.state(arn, self.address, self.port)) for arn in self.groups
        ]
        if self.healthy(now):
            self.was_healthy = True
        grace = max(self.world.boot_seconds, self.service.grace_seconds)
        if self.was_healthy or now - self.running_since > grace:
            for arn, state in states:
                if state == "unhealthy":
                    self.failed = True
                    self.leave(f"Task failed ELB health checks in (target-group {arn})")
                    return

    def healthy(self, now):
        if self.state != "RUNNING" or now - self.running_since < SETTLE_SECONDS:
            return False
        return all(
            self.world.balancers.state(arn, self.address, self.port) == "healthy"
            for arn in self.groups
        )

    def drained(self):
        return not self.address or all(
            self.world.balancers.state(arn, self.address, self.port) == "unused"
            for arn in self.groups
        )

    def leave_groups(self):
        for arn in self.groups if self.address else ():
            self.world.deregister(self.service.region, arn, self.address, self.port)

    def leave(self, reason):
        """Its targets drain first; then it is asked to end."""
        if self.live():
            self.leave_groups()
            self.state, self.reason = "DEACTIVATING", reason

    def stopped(self, reason):
        self.state, self.reason, self.stopped_at = "STOPPED", reason, time.time()
        if self.process:
            self.process.end()
            self.world.balancers.labels.pop((self.address, self.port), None)

    def end(self):
        if self.process and self.state != "STOPPED":
            self.process.end()

    def describe(self):
        told = {
            "taskArn": self.arn,
            "clusterArn": self.service.cluster_arn,
            "taskDefinitionArn": self.deployment.definition,
            "group": f"service:{self.service.name}",
            "startedBy": self.deployment.id,
            "launchType": self.service.launch_type,
            "lastStatus": self.state,
            "desiredStatus": "RUNNING" if self.live() else "STOPPED",
            "createdAt": self.created_at,
            "containers": [{
                "name": self.container["name"],
                "image": self.container.get("image", ""),
                "lastStatus": self.state if self.state != "DEACTIVATING" else "RUNNING",
                "taskArn": self.arn,
                "networkInterfaces": [{"privateIpv4Address": self.address}] if self.address else [],
            }],
        }
        if self.started_at:
            told["startedAt"] = self.started_at
        if self.process and self.process.status is not None:
            told["containers"][0]["exitCode"] = self.process.status % 256
        if self.state == "STOPPED":
            told |= {"stoppedAt": self.stopped_at, "stoppedReason": self.reason or ""}
        return told

