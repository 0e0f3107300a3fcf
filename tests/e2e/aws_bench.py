"""AWS in a process of its own (tests/bench/aws), and what an application publishes there.

Its packages are installed once, by name and version, into build/aws-bench.
"""

import contextlib
import datetime
import json
import re
import subprocess
import threading
import urllib.request
from pathlib import Path

import botocore.session

from aws_worlds import AlbWorld, EcsWorld, LambdaWorld, archive  # noqa: F401  (of the bench)
from bench_python import interpreter
from conftest import ROOT, end

BENCH = ROOT / "tests/bench/aws"
PLACE = ROOT / "build/aws-bench"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIABENCH", "AWS_SECRET_ACCESS_KEY": "bench/secret+key"}
ROLE = "arn:aws:iam::123456789012:role/release"
PUBLISH_SECONDS = 0.5


def page_policy(page, fill):
    """The policy that a page of deploy/ gives, with what it leaves open filled in: each key of `fill`
    by its value."""
    text = re.search(r'```json\n(\{"Version".*?)\n```', (ROOT / "deploy" / page).read_text(), re.S)[1]
    for name, value in fill.items():
        assert name in text, f"{page} has no {name}"
        text = text.replace(name, value)
    text = text.replace("REGION", REGION).replace("ACCOUNT", ACCOUNT)
    return json.loads(text)


def statement(resource, *actions):
    return {"Statement": [{"Effect": "Allow", "Resource": resource, "Action": list(actions)}]}


class AwsBench:
    def __init__(self, log):
        self.python, self.limits = interpreter(BENCH, PLACE), 0
        self.log = open(log, "w")
        self.child = subprocess.Popen(
            [self.python, BENCH / "server.py"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        told = self.child.stdout.readline()
        if not told:
            end(self.child)
            raise AssertionError(f"the bench does not start: {Path(log).read_text()[-2000:]}")
        told = json.loads(told)
        self.port, self.network = told["port"], told["network"]
        self.url = f"http://127.0.0.1:{self.port}"

    def environment(self, folder):
        """What makes sluice, and the vendor's own clients, use the bench and nothing else."""
        return {
            **KEYS,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        }

    def ask(self, path, words=None):
        body = None if words is None else json.dumps(words).encode()
        with urllib.request.urlopen(self.url + path, data=body, timeout=30) as answer:
            return json.load(answer)

    def control(self, **words):
        self.ask("/control", words)

    def fault(self, operation, **fault):
        self.control(faults={operation: [fault]})

    def calls(self, operation):
        return self.ask("/told")["ok"].get(operation, 0)

    def refused(self):
        return self.ask("/told")["refused"]

    def limited(self, *documents):
        """A key that is allowed only what these policies allow, as variables of the environment."""
        self.limits += 1
        key = f"AKIALIMITED{self.limits}"
        self.control(policies={key: documents})
        return {**KEYS, "AWS_ACCESS_KEY_ID": key}

    def unused(self, keys, document):
        """The actions of the policy that this key has not needed."""
        named = [action for one in document["Statement"] for action in
                 (one["Action"] if isinstance(one["Action"], list) else [one["Action"]])]
        return set(named) - set(self.ask("/told")["used"][keys["AWS_ACCESS_KEY_ID"]])

    def listener_url(self, arn):
        return self.ask("/told")["listeners"][arn]

    def address(self):
        """An address of this machine that nobody else gets."""
        return self.ask("/address")["address"]

    def client(self, service):
        return botocore.session.get_session().create_client(
            service, region_name=REGION, endpoint_url=self.url,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def stop(self):
        if self.child.poll() is None:
            self.child.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(timeout=20)
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        self.log.close()


class Publisher:
    """What the application's agent does: counts requests by release, and publishes the sums twice a
    second, in high resolution. Takes the place of Prometheus' exporter."""

    def __init__(self, bench):
        self.client = bench.client("cloudwatch")
        self.lock = threading.Lock()
        self.sums, self.totals, self.times = {}, {}, {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def count(self, release, good=0, bad=0):
        with self.lock:
            for sums in (self.sums, self.totals):
                requests, errors = sums.get(release, (0, 0))
                sums[release] = (requests + good + bad, errors + bad)

    def took(self, release, seconds):
        with self.lock:
            self.times.setdefault(release, []).append(seconds)

    def total(self, release, errors=False):
        with self.lock:
            return sum(
                sums[errors]
                for name, sums in self.totals.items()
                if name == release or name.startswith(release + "-")
            )

    def publish(self):
        with self.lock:
            sums, self.sums = self.sums, {}
            times, self.times = self.times, {}
        now = datetime.datetime.now(datetime.timezone.utc)
        data = []
        for release, (requests, errors) in sums.items():
            data += [("Requests", release, {"Value": requests, "Unit": "Count"})]
            data += [("Errors", release, {"Value": errors, "Unit": "Count"})] if errors else []
        for release, values in times.items():
            data += [("Time", release, {"Values": values[:150], "Unit": "Seconds"})]
        if data:
            self.client.put_metric_data(
                Namespace="Learn",
                MetricData=[
                    {"MetricName": name, "Timestamp": now, "StorageResolution": 1, **value,
                     "Dimensions": [{"Name": "Release", "Value": release}]}
                    for name, release, value in data
                ],
            )

    def run(self):
        while not self.over.wait(PUBLISH_SECONDS):
            with contextlib.suppress(OSError):
                self.publish()

    def stop(self):
        self.over.set()
        self.thread.join()
