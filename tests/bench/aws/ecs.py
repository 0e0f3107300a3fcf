"""ECS: services whose tasks are real processes (ecs_service.py, ecs_task.py). What is asked about
services and their tasks is answered here; clusters and task definitions are moto's.
"""

import threading

from moto.core.exceptions import ServiceException
from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends

from ecs_service import Service
from figures import ACCOUNT
from refusal import Refused

# Until a task's process is started, and for how long after that a sick one is left alone.
START_SECONDS, BOOT_SECONDS = 0.2, 3.0


class Ecs:
    def __init__(self, addresses, balancers, images):
        self.addresses, self.balancers, self.images = addresses, balancers, images
        self.lock = threading.RLock()
        self.services, self.tokens = {}, {}  # by (region, cluster, name)
        self.stuck, self.start_seconds, self.boot_seconds = {}, START_SECONDS, BOOT_SECONDS
        self.answers = {
            "CreateService": self.create, "UpdateService": self.update,
            "DeleteService": self.delete, "DescribeServices": self.describe,
            "ListServices": self.list, "ListTasks": self.list_tasks,
            "DescribeTasks": self.describe_tasks,
        }

    def answer(self, operation, region, words):
        """None where moto is to answer."""
        if operation not in self.answers:
            return None
        with self.lock:
            try:
                return self.answers[operation](region, words)
            except ServiceException as error:
                raise Refused(error.code, error.message) from error

    # ---- what a task needs ----

    def definition(self, region, name):
        return ecs_backends[ACCOUNT][region].describe_task_definition(name)

    def register(self, region, arn, address, port):
        self.balancers.enter(self.group(region, arn), address, port)

    def deregister(self, region, arn, address, port):
        self.balancers.leave(self.group(region, arn), address, port)

    @staticmethod
    def group(region, arn):
        group = elbv2_backends[ACCOUNT][region].target_groups.get(arn)
        if group is None:
            raise Refused("InvalidParameterException", f"The target group {arn} does not exist.")
        return group

    # ---- calls ----

    def active_definition(self, region, name):
        backend = ecs_backends[ACCOUNT][region]
        family, _, revision = name.rpartition("/")[2].partition(":")
        if not revision:
            active = [
                number for number, one in backend.task_definitions.get(family, {}).items()
                if one.status == "ACTIVE"
            ]
            if not active:
                raise Refused("ClientException", "TaskDefinition not found.")
            name = f"{family}:{max(active)}"
        try:
            found = backend.describe_task_definition(name)
        except (ServiceException, ValueError) as error:
            raise Refused("ClientException", "TaskDefinition not found.") from error
        if found.status != "ACTIVE":
            raise Refused("ClientException", "TaskDefinition is inactive")
        return found

    @staticmethod
    def cluster(region, words):
        return ecs_backends[ACCOUNT][region]._get_cluster(words.get("cluster", "default"))

    def find(self, region, words):
        cluster = self.cluster(region, words)
        key = region, cluster.name, words["service"].rpartition("/")[2]
        if key not in self.services:
            raise Refused("ServiceNotFoundException", "Service not found.")
        return self.services[key]

    def create(self, region, words):
        cluster = self.cluster(region, words)
        key = region, cluster.name, words["serviceName"]
        token = words.get("clientToken")
        known = self.services.get(key)
        if known and known.status != "INACTIVE":
            if token is None or self.tokens.get(key) != token:
                raise Refused(
                    "InvalidParameterException", "Creation of service was not idempotent."
                )
            return {"service": known.describe()}
        definition = self.active_definition(region, words["taskDefinition"])
        containers = {one["name"]: one for one in definition.container_definitions}
        for balancer in words.get("loadBalancers", []):
            group = self.group(region, balancer["targetGroupArn"])
            if not self.balancers.in_use(group):
                raise Refused(
                    "InvalidParameterException",
                    f"The target group with targetGroupArn {group.arn} does not have an associated "
                    "load balancer.",
                )
            if balancer.get("containerName") not in containers:
                raise Refused(
                    "InvalidParameterException",
                    f"The container {balancer.get('containerName')} does not exist in the task "
                    "definition.",
                )
        service = self.services[key] = Service(self, region, cluster, words, definition.arn)
        self.tokens[key] = token
        return {"service": service.describe()}

    def update(self, region, words):
        service = self.find(region, words)
        if service.status != "ACTIVE":
            raise Refused("ServiceNotActiveException", "Service was not ACTIVE.")
        definition = service.deployments[0].definition
        if "taskDefinition" in words:
            definition = self.active_definition(region, words["taskDefinition"]).arn
        service.configure(words)
        service.grace_seconds = words.get("healthCheckGracePeriodSeconds", service.grace_seconds)
        if "desiredCount" in words and words["desiredCount"] != service.desired:
            service.scale(words["desiredCount"])
        if definition != service.deployments[0].definition or words.get("forceNewDeployment"):
            service.deploy(definition)
        return {"service": service.describe()}

    def delete(self, region, words):
        service = self.find(region, words)
        if service.desired and not words.get("force"):
            raise Refused(
                "InvalidParameterException",
                "The service cannot be stopped while it is scaled above 0.",
            )
        service.close()
        return {"service": service.describe()}

    def describe(self, region, words):
        cluster = self.cluster(region, words)
        if len(words["services"]) > 10:
            raise Refused("InvalidParameterException", "Services cannot be more than 10.")
        found, failures = [], []
        for text in words["services"]:
            name = text.rpartition("/")[2]
            service = self.services.get((region, cluster.name, name))
            if service:
                found.append(service.describe("TAGS" in words.get("include", [])))
            else:
                arn = f"{cluster.arn.replace(':cluster/', ':service/')}/{name}"
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"services": found, "failures": failures}

    def list(self, region, words):
        cluster = self.cluster(region, words)
        return {"serviceArns": [
            service.arn for key, service in sorted(self.services.items())
            if key[:2] == (region, cluster.name) and service.status != "INACTIVE"
        ]}

    def tasks(self, region, words):
        cluster = self.cluster(region, words)
        return [
            task for key, service in self.services.items() if key[:2] == (region, cluster.name)
            for task in service.tasks
        ]

    def list_tasks(self, region, words):
        wanted = words.get("desiredStatus", "RUNNING")
        name = words.get("serviceName", "").rpartition("/")[2]
        return {"taskArns": [
            task.arn for task in self.tasks(region, words)
            if task.live() == (wanted != "STOPPED")
            and name in ("", task.service.name)
            and words.get("family", task.definition.family) == task.definition.family
        ]}

    def describe_tasks(self, region, words):
        known = {task.id: task for task in self.tasks(region, words)}
        asked = [text.rpartition("/")[2] for text in words["tasks"]]
        return {
            "tasks": [known[one].describe() for one in asked if one in known],
            "failures": [{"arn": one, "reason": "MISSING"} for one in asked if one not in known],
        }

    # ---- what goes on by itself, and what tests do to it ----

    def step(self, now):
        with self.lock:
            for service in list(self.services.values()):
                if service.status != "INACTIVE":
                    service.step(now)

    def set_stuck(self, counts):
        """Tasks that were stuck go on when there is no word of them any more."""
        with self.lock:
            self.stuck = counts
            for service in self.services.values():
                for task in service.tasks if service.name not in counts else ():
                    task.stuck = False

    def set_stray(self, name, at):
        with self.lock:
            found = [service for service in self.services.values() if service.name == name]
            for service in found:
                service.stray = at
            return bool(found)

    def close(self):
        with self.lock:
            for service in self.services.values():
                for task in service.tasks:
                    task.end()
