"""Google Cloud in a process of its own (tests/bench/google), and what is needed to ask it.

Its packages are installed once, by name and version, into build/google-bench.
"""

import contextlib
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench_python import interpreter
from conftest import ROOT, end

BENCH = ROOT / "tests/bench/google"
PLACE = ROOT / "build/google-bench"
PROJECT, REGION, ZONE = "bench", "europe-west1", "europe-west1-b"
RUN = f"/run/v2/projects/{PROJECT}/locations/{REGION}"
COMPUTE = f"/compute/compute/v1/projects/{PROJECT}"
TOKEN = "ya29.bench"
APIS = (
    "run", "compute", "monitoring", "storage", "artifactregistry", "sts", "iamcredentials",
    "cloudresourcemanager", "oauth2",
)
NAMED = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


class Refusal(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


def page_permissions(page):
    """Those that the page of a target lists, and what metrics of the cloud need."""
    section = (ROOT / "deploy/targets" / page).read_text().split("## Permissions", 1)[1]
    names = {"monitoring.timeSeries.list"}
    for line in section.split("\n## ")[0].splitlines():
        if line.startswith("| `"):
            words = re.findall(r"`([\w.]+)`", line.split("|")[1])
            names |= {word if "." in word else f"compute.{word}.get" for word in words}
    return sorted(names)


class GoogleBench:
    def __init__(self, log):
        self.python = interpreter(BENCH, PLACE)
        self.log = open(log, "w")
        self.child = subprocess.Popen(
            [self.python, BENCH / "server.py"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        told = self.child.stdout.readline()
        if not told:
            end(self.child)
            raise AssertionError(f"the bench does not start: {Path(log).read_text()[-2000:]}")
        self.port = json.loads(told)["port"]
        self.url = f"http://127.0.0.1:{self.port}"

    # ---- the bench itself ------------------------------------------------------------------------

    def ask(self, path, words=None):
        body = None if words is None else json.dumps(words).encode()
        with urllib.request.urlopen(self.url + path, data=body, timeout=30) as answer:
            return json.load(answer)

    def control(self, **words):
        self.ask("/control", words)

    def settings(self, **settings):
        self.control(settings=settings)

    def fault(self, method, **fault):
        self.control(faults={method: [fault]})

    def calls(self, method):
        return self.ask("/told")["ok"].get(method, 0)

    def refused(self):
        return self.ask("/told")["refused"]

    def unused(self, granted):
        """What of that nobody has needed since it was granted."""
        return set(granted) - set(self.ask("/told")["used"])

    def failed(self):
        return self.ask("/told")["failed"]

    def state(self, name):
        """Of the data plane: its address, its servers; waits until it serves what is wanted."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            state = self.ask("/state")
            if name in state and state[name]["current"]:
                return state[name]
            time.sleep(0.05)
        raise AssertionError(f"the data plane of {name} lags behind: {state}")

    def environment(self, folder, kind="authorized_user"):
        """What makes sluice, and Google's own libraries, use the bench: a credentials file of that
        kind ("authorized_user", "service_account", "external_account", "impersonated"), the
        "runner" of a job, or the "metadata" server."""
        told = self.ask("/credentials")
        environment = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}": f"{self.url}/{api}"
                       for api in APIS}
        environment["CLOUDSDK_CONFIG"] = str(Path(folder) / "none")
        environment["GCE_METADATA_HOST"] = f"127.0.0.1:{self.port}"
        if kind == "runner":
            return {**environment, **told["runner"]}
        if kind != "metadata":
            path = Path(folder) / f"{kind}.json"
            path.write_text(json.dumps(told[kind]))
            environment["GOOGLE_APPLICATION_CREDENTIALS"] = str(path)
        return environment

    def push_image(self, name, tag, words="", kind="application/vnd.oci.image.index.v1+json"):
        """Puts an image into the registry; its digest. It is at 127.0.0.1:PORT/NAME."""
        tree = {"schemaVersion": 2, "mediaType": kind, "manifests": [],
                "annotations": {"is": words}}
        request = urllib.request.Request(
            f"{self.url}/v2/{name}/manifests/{tag}", json.dumps(tree).encode(), method="PUT",
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": kind},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers["Docker-Content-Digest"]

    def create_bucket(self, name):
        self.api("POST", f"/storage/storage/v1/b?project={PROJECT}", {"name": name})

    # ---- the APIs, as an operator asks them ------------------------------------------------------

    def api(self, verb, path, body=None, token=TOKEN):
        request = urllib.request.Request(
            self.url + path, method=verb, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as why:
            raise Refusal(why.code, why.read().decode()) from None

    def finish(self, operation):
        """Waits for an operation of Cloud Run; the service as it is then."""
        until = time.monotonic() + 60
        while not operation.get("done") and time.monotonic() < until:
            operation = self.api("POST", f"/run/v2/{operation['name']}:wait", {"timeout": "10s"})
        assert "response" in operation, operation
        return operation["response"]

    def create_service(self, name, image, **template):
        body = {"template": {"containers": [{"image": image}], **template}}
        return self.finish(self.api("POST", f"{RUN}/services?serviceId={name}", body))

    def service(self, name):
        return self.api("GET", f"{RUN}/services/{name}")

    def serving(self, name):
        """The percents that a service really gives to its revisions."""
        service = self.service(name)
        latest = service["latestReadyRevision"].rpartition("/")[2]
        shares = {}
        for status in service["trafficStatuses"]:
            revision = status.get("revision", latest)
            shares[revision] = shares.get(revision, 0) + status.get("percent", 0)
        return {revision: percent for revision, percent in shares.items() if percent}

    def operate(self, verb, place, path, body=None):
        """A change of Compute Engine, in "global", "zones/…" or "regions/…", to its end."""
        operation = self.api(verb, f"{COMPUTE}/{place}/{path}", body)
        name = operation["name"]
        operation = self.api("POST", f"{COMPUTE}/{place}/operations/{name}/wait")
        assert operation["status"] == "DONE" and "error" not in operation, operation
        return operation

    def create_template(self, name, image, **metadata):
        items = [{"key": key, "value": value} for key, value in metadata.items()]
        self.operate("POST", "global", "instanceTemplates", {"name": name, "properties": {
            "machineType": "e2-small", "metadata": {"items": items},
            "disks": [{"boot": True, "initializeParams": {"sourceImage": image}}],
            "networkInterfaces": [{"network": "global/networks/default"}],
        }})

    def create_image(self, name, **more):
        self.operate("POST", "global", "images", {"name": name, "sourceType": "RAW", **more})

    def create_group(self, name, template, size, place=f"zones/{ZONE}", checked=True, **policy):
        surge = {"maxSurge": {"fixed": 1}, "maxUnavailable": {"fixed": 0}}
        if place.startswith("regions/"):
            surge = {"maxSurge": {"fixed": 3}, "maxUnavailable": {"fixed": 0}}
        check = {"healthCheck": "global/healthChecks/well", "initialDelaySec": 30}
        self.operate("POST", place, "instanceGroupManagers", {
            "name": name, "targetSize": size,
            "versions": [{"instanceTemplate": f"global/instanceTemplates/{template}"}],
            "updatePolicy": {"type": "PROACTIVE", **surge, **policy},
            **({"autoHealingPolicies": [check]} if checked else {}),
        })
        return self.stable(name, place)

    def group(self, name, place=f"zones/{ZONE}"):
        return self.api("GET", f"{COMPUTE}/{place}/instanceGroupManagers/{name}")

    def stable(self, name, place=f"zones/{ZONE}"):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            group = self.group(name, place)
            if group["status"]["isStable"] and group["status"]["versionTarget"]["isReached"]:
                return group
            time.sleep(0.1)
        raise AssertionError(f"{name} does not become stable: {group}")

    def patch_group(self, name, place=f"zones/{ZONE}", **changes):
        """As somebody else, who changes the group behind one's back."""
        changes["fingerprint"] = self.group(name, place)["fingerprint"]
        self.operate("PATCH", place, f"instanceGroupManagers/{name}", changes)

    def instances(self, name, place=f"zones/{ZONE}"):
        """How many instances of the group are of which template."""
        path = f"{COMPUTE}/{place}/instanceGroupManagers/{name}/listManagedInstances"
        counts = {}
        for instance in self.api("POST", path).get("managedInstances", []):
            template = instance["version"]["instanceTemplate"].rpartition("/")[2]
            counts[template] = counts.get(template, 0) + 1
        return counts

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
