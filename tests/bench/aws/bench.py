"""The bench put together: what answers, what goes on by itself, and what tests ask for."""

import collections
import re
import sys
import threading
import time
import traceback

from moto.ec2.models import ec2_backends

from addresses import Addresses
from contract import HOME_REGION, Keys
from ecs import Ecs
from elb import Balancers
from figures import ACCOUNT, PUBLISH_SECONDS, Figures
from lambda_ import Lambda
from policies import Policies
from registry import Registry

CONSTANT = {"AKIABENCH": "bench/secret+key"}
KEY_SECONDS = 3600
STEP_SECONDS = 0.1
GRANT = re.compile(
    r"<AccessKeyId>(.+?)</.*?<SecretAccessKey>(.+?)</.*?<SessionToken>(.+?)</", re.S
)


class Bench:
    def __init__(self):
        self.lock = threading.Lock()
        self.keys = Keys(CONSTANT)
        self.faults = collections.defaultdict(list)
        self.ok, self.refused = collections.Counter(), []
        self.addresses, self.figures, self.registry = Addresses(), Figures(), Registry()
        self.balancers = Balancers(self.addresses, self.figures)
        self.ecs = Ecs(self.addresses, self.balancers, self.registry)
        self.lambda_ = Lambda(self.addresses, self.figures, self.registry)
        self.policies = Policies()
        self.answers = {
            "iam": self.policies.answer,
            "ecs": self.ecs.answer, "ecr": self.registry.answer, "lambda": self.lambda_.answer,
        }
        self.over, self.threads = threading.Event(), []

    def start(self, url):
        self.registry.url = url
        for work, pause in (
            (lambda: self.ecs.step(time.monotonic()), lambda: STEP_SECONDS),
            (self.balancers.look, lambda: self.balancers.health_seconds),
            (self.publish, lambda: PUBLISH_SECONDS),
        ):
            thread = threading.Thread(target=self.repeat, args=(work, pause), daemon=True)
            thread.start()
            self.threads.append(thread)

    def publish(self):
        self.balancers.count_hosts()
        self.figures.publish()

    def repeat(self, work, pause):
        while not self.over.wait(pause()):
            try:
                work()
            except Exception:  # one bad step must not end all those after it
                words = traceback.format_exc()
                print(words, file=sys.stderr, flush=True)
                self.balancers.troubles.append(words.strip().splitlines()[-1])

    def close(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.ecs.close()
        self.lambda_.runtime.close()
        self.balancers.close()
        self.addresses.close()

    # ---- what tests ask for ----

    def control(self, words):
        with self.lock:
            if "faults" in words:
                self.faults.clear()
                self.faults.update(words["faults"])
            if words.get("end_granted"):
                self.keys.end_granted()
                self.registry.end_tokens()
        if "denied" in words:
            self.policies.denied = set(words["denied"])
        for key, documents in words.get("policies", {}).items():
            self.policies.give(key, documents)
            with self.lock:
                self.keys.grant(key, CONSTANT["AKIABENCH"], None, None)
        if "stuck" in words:
            self.ecs.set_stuck(words["stuck"])
        if "stray" in words:
            at = time.monotonic() + words["stray"].get("after", 0)
            self.ecs.set_stray(words["stray"]["service"], at)
        if "instances" in words:
            self.balancers.instances.update(words["instances"])
        if "update_fails" in words:
            self.lambda_.failures.update(words["update_fails"])
        pace = words.get("pace", {})
        self.lambda_.update_seconds = pace.get("update", self.lambda_.update_seconds)
        self.ecs.start_seconds = pace.get("start", self.ecs.start_seconds)
        self.ecs.boot_seconds = pace.get("boot", self.ecs.boot_seconds)
        self.balancers.drain_seconds = pace.get("drain", self.balancers.drain_seconds)
        self.balancers.health_seconds = pace.get("health", self.balancers.health_seconds)

    def told(self):
        with self.lock:
            return {
                "ok": dict(self.ok), "refused": self.refused[-1000:],
                "listeners": self.balancers.urls(), "lambda": self.lambda_.runtime.url,
                "troubles": self.balancers.troubles[-20:],
                "used": {key: sorted(used) for key, used in self.policies.used.items()},
            }

    @staticmethod
    def network():
        backend = ec2_backends[ACCOUNT][HOME_REGION]
        subnets = [subnet for subnet in backend.describe_subnets() if subnet.default_for_az]
        return {"vpc": subnets[0].vpc_id, "subnets": [subnet.id for subnet in subnets[:2]]}

    # ---- of single requests ----

    def fault_of(self, operation):
        with self.lock:
            waiting = self.faults.get(operation) or [{}]
            fault = waiting[0]
            if "times" in fault and fault["times"] > 1:
                fault["times"] -= 1
            else:
                waiting.pop(0)
            return fault

    def note_refused(self, why):
        with self.lock:
            self.refused.append(f"{why.code}: {why}")

    def note_ok(self, operation):
        with self.lock:
            self.ok[operation] += 1

    def note_grant(self, answer):
        grant = GRANT.search(answer.decode("latin-1"))
        if grant:
            with self.lock:
                self.keys.grant(*grant.groups(), time.time() + KEY_SECONDS)
