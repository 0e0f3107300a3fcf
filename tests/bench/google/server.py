"""Google Cloud for tests: Cloud Run, managed instance groups, monitoring, storage and a registry,
behind a check that lets pass what Google itself would (contract.py).

Prints {"port": N} and serves until its standard input closes. All APIs are at this one port, each
under its name: http://127.0.0.1:N/run, /compute, /monitoring, /storage, /artifactregistry, /sts,
/iamcredentials, /cloudresourcemanager, /oauth2, and the registry of images at /v2 (Docker's
protocol). Every call needs a bearer token: "ya29.bench", or one that the bench gave. What is asked
of the bench itself:

POST /control   {"faults": {"run.projects.locations.services.patch": [FAULT, …]}, …}
                A fault meets one request (or `times` of them) and is one of, or several together,
                {"refuse": CODE, "status": N, "message": TEXT, "reason": WORD, "headers": {…}}
                                                 before anything happens
                {"after": true, …the same}       the answer is lost to it, the effect is there
                {"cut": "before" | "after"}      the connection ends
                {"delay": SECONDS}               the answer comes late
                {"replace": [PATTERN, TEXT]}     in the answer
                Methods are named as in Google's documents; also "oauth2.token", "metadata.token",
                "runner.token", "registry.manifests", "registry.token". {"faults": {}} clears.
    "end_granted": true         ends all tokens that the bench gave so far
    "granted": [PERMISSION, …]  all that who has a token of the bench is allowed; null: everything
    "denied": [PERMISSION, …]   what nobody is allowed any more: "run.services.update"
    "reset": true               forgets all resources and settings; faults as well
    "settings": {NAME: VALUE}   of the resources: run.py, compute.py, instances.py, monitoring.py,
                                registry.py, dataplane.py
GET /told       {"ok": {METHOD: N}, "refused": [WORDS, …], "failed": [WORDS, …]}
                refused: what was wrong with a request; failed: what the resources answered instead
GET /state      what the data plane serves, see dataplane.py
GET /credentials    files for Google's libraries, by their kind (identity.py)
"""

import collections
import http.server
import json
import re
import sys
import threading
import time
import traceback

import compute
import contract
import monitoring
import registry
import run
import storage
from clock import Clock
from contract import Refused, Request
from dataplane import DataPlane
from identity import Identity
from permissions import Permissions
from registry import VERSION

WITHOUT_TOKEN = ("sts",)
SETTINGS = {
    "serve", "strays", "bad_images", "converge_seconds", "converge_steps", "operation_seconds",
    "create_seconds", "verify_seconds", "drain_seconds", "public_images", "prometheus_url",
    "lag_seconds", "least_period", "sample_seconds",
}
ELSEWHERE = "monitoring.projects.location.prometheus."  # another server answers, in its own time


class Bench:
    def __init__(self, url):
        self.url, self.clock = url, Clock()
        self.lock = self.clock.lock
        self.identity, self.permissions = Identity(url), Permissions()
        self.faults = collections.defaultdict(list)
        self.ok, self.refused, self.failed = collections.Counter(), [], []
        self.settings = {}
        self.plane = DataPlane(self.clock, self.settings)
        self.make_resources()

    def make_resources(self):
        self.run = run.Run(self)
        self.compute = compute.Compute(self)
        self.monitoring = monitoring.Monitoring(self)
        self.storage = storage.Storage(self)
        self.registry = registry.Registry(self)
        self.answers = {
            "sts.token": self.identity.exchange,
            "iamcredentials.projects.serviceAccounts.generateAccessToken":
                self.identity.impersonate,
            "cloudresourcemanager.projects.testIamPermissions": self.permissions.test,
            **self.run.answers(), **self.compute.answers(), **self.monitoring.answers(),
            **self.storage.answers(), **self.registry.answers(),
        }

    def control(self, words):
        unknown = words.get("settings", {}).keys() - SETTINGS
        if unknown:
            raise Refused("INVALID_ARGUMENT", f"no settings of the bench: {sorted(unknown)}")
        with self.lock:
            if words.get("reset"):
                self.faults.clear()
                self.settings.clear()
                self.permissions.forget()
                for part in (self.run, self.compute, self.monitoring):
                    part.forget()
                self.make_resources()
                self.plane.forget()
            if "faults" in words:
                self.faults.clear()
                self.faults.update(words["faults"])
            if words.get("end_granted"):
                self.identity.end_granted()
            if "denied" in words:
                self.permissions.denied = set(words["denied"])
            if "granted" in words:
                names = words["granted"]
                self.permissions.granted = None if names is None else set(names)
                self.permissions.used = set()
            self.settings.update(words.get("settings", {}))
            self.clock.changed.notify_all()

    def told(self):
        with self.lock:
            return {
                "ok": dict(self.ok), "refused": self.refused[-100:], "failed": self.failed[-100:],
                "used": sorted(self.permissions.used),
            }

    def fault_of(self, name):
        with self.lock:
            waiting = self.faults.get(name) or [{}]
            fault = waiting[0]
            if fault.get("times", 1) > 1:
                fault["times"] -= 1
            else:
                waiting.pop(0)
            return fault

    def note(self, name, why, wrong):
        """Requests that are wrong, apart from those that only came at the wrong time."""
        with self.lock:
            words = f"{why.code}: {why} ({name})"
            (self.refused if wrong else self.failed).append(words)

    def answer(self, call):
        if call.id not in self.answers:
            raise Refused("UNIMPLEMENTED", f"the bench does not have {call.id}", 501)
        self.permissions.check(call)
        if call.id.startswith(ELSEWHERE):
            return self.answers[call.id](call)
        with self.lock:
            tree = self.answers[call.id](call)
            self.clock.changed.notify_all()
        return tree


class Answer:
    """What goes back: a tree as JSON, or bytes with their own headers."""

    def __init__(self, body, status=200, headers=()):
        self.status, self.headers = status, dict(headers)
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            self.headers.setdefault("Content-Type", "application/json; charset=UTF-8")
        self.body = body


def refusal(why, api=None, headers=()):
    """As the API writes it: Compute Engine and Cloud Storage have their own way, OAuth another."""
    headers = dict(headers)
    if why.status == 401 and api != "v2":
        headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/"'
    if why.code.islower():
        return Answer({"error": why.code, "error_description": str(why)}, why.status, headers)
    if api == "v2":
        error = {"code": why.code, "message": str(why)}
        return Answer({"errors": [error]}, why.status, {**headers, **VERSION})
    error = {"code": why.status, "message": str(why)}
    if api in ("compute", "storage"):
        error["errors"] = [{"message": str(why), "domain": "global", "reason": why.reason}]
    else:
        error["status"] = why.code
    return Answer({"error": error}, why.status, headers)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    bench = None  # of the server

    def answer(self, answer):
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        bare = answer.status in (204, 304)
        if not bare and "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and not bare:
            self.wfile.write(answer.body)

    def serve(self):
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        target = re.sub("^/registry/v2/", "/v2/", self.path)
        request = Request(self.command, target, headers, self.rfile.read(length))
        own = {
            "/told": self.bench.told, "/state": self.bench.plane.state,
            "/credentials": self.bench.identity.credentials,
        }.get(self.path)
        if self.path == "/control":
            try:
                self.bench.control(json.loads(request.body))
                self.answer(Answer({}))
            except Refused as why:
                self.answer(refusal(why))
        elif own:
            self.answer(Answer(own()))
        else:
            self.call(request)

    def route(self, request):
        """The name of what is asked for, and what answers it."""
        bench, path = self.bench, request.path
        if path == "/oauth2/token" and request.method == "POST":
            return "oauth2.token", lambda: bench.identity.oauth(request)
        if path == "/computeMetadata/v1/instance/service-accounts/default/token":
            return "metadata.token", lambda: bench.identity.metadata(request)
        if path == "/runner":
            return "runner.token", lambda: bench.identity.runner_token(request)
        if path.startswith("/v2/"):
            name, work = bench.registry.route(request)
            return name, lambda: self.locked(work)
        method, named = contract.find(request)
        if method.api not in WITHOUT_TOKEN:
            bench.identity.check(request)
        call = contract.check(request, method, named)
        return method.id, lambda: self.checked(call)

    def locked(self, work):
        with self.bench.lock:
            return work()

    def checked(self, call):
        answer = self.bench.answer(call)
        if not isinstance(answer, tuple):  # bytes, with a status and headers
            contract.check_answer(call.method, answer)
        return answer

    def call(self, request):
        name, api = f"{request.method} {request.path}", request.path.split("/")[1]
        try:
            name, work = self.route(request)
        except Refused as why:
            self.bench.note(name, why, wrong=True)
            self.answer(refusal(why, api, why.headers))
            return
        fault = self.bench.fault_of(name)
        if fault.get("cut") == "before":
            self.close_connection = True
            return
        injected = "refuse" in fault and refusal(
            Refused(fault["refuse"], fault.get("message", "by the bench"),
                    fault.get("status", 503), fault.get("reason")),
            api, fault.get("headers", {}),
        )
        answer = None if injected and not fault.get("after") else self.work(name, api, work)
        time.sleep(fault.get("delay", 0))
        if fault.get("cut") == "after":
            self.close_connection = True
            return
        if answer and "replace" in fault:
            pattern, text = fault["replace"]
            answer.body = re.sub(pattern.encode(), text.encode(), answer.body)
        self.answer(injected or answer)

    def work(self, name, api, work):
        try:
            answer = work()
        except Refused as why:
            self.bench.note(name, why, wrong=why.status in (400, 401, 405))
            return refusal(why, api, why.headers)
        except Exception:
            words = traceback.format_exc()
            sys.stderr.write(words)
            why = Refused("INTERNAL", f"the bench itself: {words.splitlines()[-1]}")
            self.bench.note(name, why, wrong=True)
            return refusal(why, api)
        with self.bench.lock:
            self.bench.ok[name] += 1
        return Answer(*answer) if isinstance(answer, tuple) else Answer(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main():
    server = Server(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    Handler.bench = bench = Bench(f"http://127.0.0.1:{port}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(json.dumps({"port": port}), flush=True)
    sys.stdin.read()
    server.shutdown()
    bench.plane.stop()
    bench.clock.stop()


if __name__ == "__main__":
    main()
