"""A service as ECS schedules it: deployments, one of them PRIMARY, replaced task by task.

An old deployment leaves as the new one becomes healthy, within minimumHealthyPercent and
maximumPercent. With a circuit breaker, tasks that fail one after the other end the deployment, and
with `rollback` the last one that was completed becomes PRIMARY again, under its old id.
"""

import math
import random
import time
import uuid

from ecs_task import Task

BACK_OFF_SECONDS = 0.4
GO_BACK_SECONDS = 1.0  # that long, at least, a way back is seen IN_PROGRESS
KEPT_EVENTS, KEPT_TASKS = 100, 50


class Deployment:
    def __init__(self, definition, desired):
        self.id = f"ecs-svc/{random.randrange(10**18, 10**19)}"
        self.definition, self.desired = definition, desired
        self.status, self.rollout = "PRIMARY", "IN_PROGRESS"
        self.reason = f"ECS deployment {self.id} in progress."
        self.failed, self.judged, self.waits_until, self.not_done_before = 0, True, 0.0, 0.0
        self.created_at = self.updated_at = time.time()

    def describe(self, service):
        tasks = service.tasks_of(self)
        states = [task.state for task in tasks]
        return {
            "id": self.id, "status": self.status, "taskDefinition": self.definition,
            "desiredCount": self.desired,
            "pendingCount": states.count("PENDING"),
            "runningCount": states.count("RUNNING") + states.count("DEACTIVATING"),
            "failedTasks": self.failed,
            "createdAt": self.created_at, "updatedAt": self.updated_at,
            "launchType": service.launch_type,
            "rolloutState": self.rollout, "rolloutStateReason": self.reason,
        }


class Service:
    def __init__(self, world, region, cluster, words, definition):
        self.world, self.region, self.words = world, region, words
        self.cluster, self.cluster_arn = cluster.name, cluster.arn
        self.name = words["serviceName"]
        self.arn = f"{cluster.arn.replace(':cluster/', ':service/')}/{self.name}"
        self.status, self.desired = "ACTIVE", words.get("desiredCount", 0)
        self.load_balancers = words.get("loadBalancers", [])
        self.launch_type = words.get("launchType", "EC2")
        self.grace_seconds = words.get("healthCheckGracePeriodSeconds", 0)
        self.configuration = {"maximumPercent": 200, "minimumHealthyPercent": 100}
        self.created_at, self.tasks, self.events = time.time(), [], []
        self.deployments, self.completed, self.steady, self.stray = [], [], False, None
        self.configure(words)
        self.deploy(definition)

    def configure(self, words):
        given = words.get("deploymentConfiguration", {})
        breaker = {"enable": False, "rollback": False}
        self.configuration = {
            "deploymentCircuitBreaker": breaker, "strategy": "ROLLING", "bakeTimeInMinutes": 0,
            **self.configuration, **given,
        }

    def event(self, words):
        message = f"(service {self.name}) {words}"
        told = {"id": str(uuid.uuid4()), "createdAt": time.time(), "message": message}
        self.events = [told, *self.events][:KEPT_EVENTS]

    def tasks_of(self, deployment):
        return [t for t in self.tasks if t.deployment is deployment and t.state != "STOPPED"]

    def live_of(self, deployment):
        return [task for task in self.tasks_of(deployment) if task.live()]

    # ---- what is asked of it ----

    def deploy(self, definition):
        for deployment in self.deployments:
            deployment.status = "ACTIVE"
        self.deployments.insert(0, Deployment(definition, self.desired))
        self.steady = False

    def scale(self, desired):
        self.desired, self.steady = desired, False
        self.deployments[0].desired = desired
        self.deployments[0].updated_at = time.time()

    def close(self):
        self.status = "DRAINING"
        self.scale(0)

    def go_back(self, why):
        """What ECS does by itself: the deployment failed, the last good one is PRIMARY again."""
        failed = self.deployments[0]
        good = [d for d in self.completed if d.definition != failed.definition]
        if not good:
            return False
        failed.status, failed.rollout, failed.reason = "ACTIVE", "FAILED", f"{why}."
        back = good[-1]
        self.deployments = [back, *(d for d in self.deployments if d is not back)]
        back.status, back.rollout, back.desired = "PRIMARY", "IN_PROGRESS", self.desired
        back.reason = f"{why.partition(':')[0]}: rolling back to deploymentId {back.id}."
        back.failed, back.judged, back.updated_at = 0, True, time.time()
        back.not_done_before = time.monotonic() + GO_BACK_SECONDS
        self.event(f"(deployment {failed.id}) deployment failed: {why.partition(': ')[2]}.")
        self.event(f"rolling back to deployment {back.id}.")
        self.steady = False
        return True

    # ---- what goes on by itself ----

    def step(self, now):
        for task in list(self.tasks):
            task.step(now)
        self.count_failures(now)
        if self.stray and now >= self.stray:
            self.stray = None
            self.go_back("ECS deployment circuit breaker: tasks failed to start")
        self.break_circuit()
        self.start_tasks(now)
        self.stop_tasks(now)
        self.finish(now)
        gone = [task for task in self.tasks if task.state == "STOPPED"]
        for task in gone[:-KEPT_TASKS]:
            self.tasks.remove(task)

    def count_failures(self, now):
        for task in self.tasks:
            if not task.failed:
                continue
            task.failed = False
            deployment = task.deployment
            deployment.updated_at, deployment.waits_until = time.time(), now + BACK_OFF_SECONDS
            self.steady = False
            self.event(f"(task {task.id}) failed: {task.reason}.")
            if deployment.judged:
                deployment.failed += 1

    def break_circuit(self):
        primary = self.deployments[0]
        breaker = self.configuration["deploymentCircuitBreaker"]
        limit = min(200, max(3, math.ceil(self.desired / 2)))
        if not breaker.get("enable") or primary.rollout != "IN_PROGRESS" or primary.failed < limit:
            return
        words = "ECS deployment circuit breaker: tasks failed to start"
        if not (breaker.get("rollback") and self.go_back(words)):
            primary.rollout, primary.reason = "FAILED", f"{words}."
            primary.updated_at = time.time()
            self.event(f"(deployment {primary.id}) deployment failed: tasks failed to start.")

    def start_tasks(self, now):
        primary = self.deployments[0]
        if primary.rollout == "FAILED" or now < primary.waits_until:
            return
        most = max(1, math.floor(self.desired * self.configuration["maximumPercent"] / 100))
        total = sum(len(self.live_of(deployment)) for deployment in self.deployments)
        live = self.live_of(primary)
        start = min(self.desired - len(live), most - total)
        stuck = self.world.stuck.get(self.name, 0) - sum(task.stuck for task in live)
        for number in range(start):
            self.tasks.append(Task(self.world, self, primary, number < stuck))
        if start > 0:
            self.steady = False
            self.event(f"has started {start} tasks.")

    def stop_tasks(self, now):
        primary = self.deployments[0]
        for task in self.live_of(primary)[self.desired:]:
            task.leave("Scaling activity initiated by deployment " + primary.id)
        least = math.ceil(self.desired * self.configuration["minimumHealthyPercent"] / 100)
        healthy = sum(task.healthy(now) for d in self.deployments for task in self.live_of(d))
        for deployment in self.deployments[1:]:
            for task in self.live_of(deployment):
                if not task.healthy(now):
                    if deployment.rollout == "FAILED" or healthy >= least:
                        task.leave("Scaling activity initiated by deployment " + primary.id)
                elif healthy > least:
                    healthy -= 1
                    task.leave("Scaling activity initiated by deployment " + primary.id)

    def finish(self, now):
        primary, old = self.deployments[0], self.deployments[1:]
        live = self.live_of(primary)
        good = sum(task.healthy(now) for task in live)
        if good and primary.judged:
            primary.failed, primary.judged = 0, False
        if good < self.desired or len(live) != self.desired:
            return
        if now < primary.not_done_before or any(self.tasks_of(deployment) for deployment in old):
            return
        if primary.rollout == "IN_PROGRESS":
            primary.rollout = "COMPLETED"
            primary.reason = f"ECS deployment {primary.id} completed."
            primary.updated_at = time.time()
            self.completed = [d for d in self.completed if d is not primary][-9:] + [primary]
            self.event(f"(deployment {primary.id}) deployment completed.")
        if primary.rollout == "COMPLETED":
            self.deployments = [primary]
        if self.status == "DRAINING" and not self.tasks_of(primary):
            self.status = "INACTIVE"
        if not self.steady:
            self.steady = True
            self.event("has reached a steady state.")

    def describe(self, with_tags=False):
        states = [task.state for task in self.tasks]
        told = {
            "serviceArn": self.arn, "serviceName": self.name, "clusterArn": self.cluster_arn,
            "status": self.status, "desiredCount": self.desired,
            "runningCount": states.count("RUNNING") + states.count("DEACTIVATING"),
            "pendingCount": states.count("PENDING"),
            "launchType": self.launch_type, "loadBalancers": self.load_balancers,
            "serviceRegistries": self.words.get("serviceRegistries", []),
            "taskDefinition": self.deployments[0].definition,
            "deploymentConfiguration": self.configuration,
            "deploymentController": {"type": "ECS"},
            "deployments": [deployment.describe(self) for deployment in self.deployments],
            "events": self.events, "createdAt": self.created_at,
            "healthCheckGracePeriodSeconds": self.grace_seconds,
            "schedulingStrategy": "REPLICA", "enableECSManagedTags": False,
            "propagateTags": self.words.get("propagateTags", "NONE"),
            "enableExecuteCommand": self.words.get("enableExecuteCommand", False),
        }
        if with_tags:
            told["tags"] = self.words.get("tags", [])
        return told
