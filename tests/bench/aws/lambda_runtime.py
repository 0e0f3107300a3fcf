"""Where functions run: a process for each version that was invoked, and an HTTP port in front.

GET or POST http://ADDRESS:8080/FUNCTION/QUALIFIER/… is an event as a function URL makes it; the
alias' weights choose the version. Answers say which it was: X-Executed-Version. Figures of every
invocation go to CloudWatch, AWS/Lambda. Under /-/code/ are the archives.
"""

import concurrent.futures
import http.server
import io
import itertools
import json
import random
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile
from pathlib import Path

from processes import Process
from refusal import Refused

WORKER = Path(__file__).with_name("lambda_worker.py")
NAMESPACE = "AWS/Lambda"
PORT, CODE = 8080, "/-/code/"


class Worker:
    def __init__(self, function, version, folder):
        self.folder, self.lock, self.waiting = folder, threading.Lock(), {}
        self.numbers = itertools.count()
        environment = {
            **version.came_with, **version.config.get("Environment", {}).get("Variables", {}),
            "FOLDER": str(folder), "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": version.number,
            "HANDLER": version.config.get("Handler", "") if version.code else "",
        }
        if version.code:
            with zipfile.ZipFile(io.BytesIO(version.code)) as archive:
                archive.extractall(folder)
        self.process = Process(script=WORKER, environment=environment, output=subprocess.PIPE)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.child.stdout:
            told = json.loads(line)
            with self.lock:
                future = self.waiting.pop(told["id"], None)
            if future:
                future.set_result(told)
        with self.lock:
            waiting, self.waiting = self.waiting, {}
        for future in waiting.values():
            future.set_result({"error": {"errorType": "Runtime.ExitError",
                                         "errorMessage": "Runtime exited"}})

    def ask(self, event, timeout):
        future = concurrent.futures.Future()
        with self.lock:
            number = next(self.numbers)
            self.waiting[number] = future
            try:
                words = json.dumps({"id": number, "event": event}) + "\n"
                self.process.child.stdin.write(words.encode())
                self.process.child.stdin.flush()
            except (OSError, ValueError):
                del self.waiting[number]
                return {"error": {"errorType": "Runtime.ExitError",
                                  "errorMessage": "Runtime exited"}}
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            return {"error": {"errorType": "Sandbox.Timedout",
                              "errorMessage": f"Task timed out after {timeout:.2f} seconds"}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("latin-1")
        path, _, query = self.path.partition("?")
        if path.startswith(CODE):
            content = self.server.runtime.code(path.removeprefix(CODE))
            return self.give(200 if content else 404, content or b"", {}, None)
        _, name, qualifier, *rest = (path + "//").split("/", 3)
        event = {
            "version": "2.0", "rawPath": "/" + "".join(rest).rstrip("/"), "rawQueryString": query,
            "headers": {key.lower(): value for key, value in self.headers.items()},
            "requestContext": {"http": {"method": self.command}}, "body": body or None,
        }
        try:
            version, told = self.server.runtime.invoke(name, qualifier, event)
        except Refused as why:
            return self.give(404 if why.status == 404 else 502, str(why).encode(), {}, None)
        if "error" in told:
            return self.give(502, json.dumps(told["error"]).encode(), {}, version)
        result = told["result"]
        if isinstance(result, dict) and "statusCode" in result:
            content = str(result.get("body", "")).encode()
            return self.give(result["statusCode"], content, result.get("headers", {}), version)
        return self.give(200, json.dumps(result).encode(), {}, version)

    def give(self, status, body, headers, version):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if version:
            self.send_header("X-Executed-Version", version)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = serve

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass  # the client went away


class Runtime:
    """`find(name)` gives a function (lambda_.py), or raises Refused."""

    def __init__(self, addresses, figures, find):
        self.figures, self.find = figures, find
        self.lock, self.workers = threading.Lock(), {}
        self.place = Path(tempfile.mkdtemp(prefix="lambda-"))
        self.server = Server((addresses.next(), PORT), Handler)
        self.server.runtime = self
        self.url = "http://{}:{}".format(*self.server.server_address)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def worker(self, function, version):
        """$LATEST changes under its number, so that a version is known by what it runs."""
        key = function.name, version.number, version.sha256, version.revision
        with self.lock:
            known = self.workers.get(key)
            if known is None or known.process.status is not None:
                folder = Path(tempfile.mkdtemp(dir=self.place))
                known = self.workers[key] = Worker(function, version, folder)
            return known

    def code_url(self, function, version):
        """Where the archive of a version can be had, as GetFunction says."""
        return f"{self.url}{CODE}{function.name}/{version.number}"

    def code(self, place):
        name, _, number = place.partition("/")
        try:
            return self.find(name).version(number).code
        except Refused:
            return None

    def invoke(self, name, qualifier, event):
        """The version that was executed, and {"result"} or {"error"}."""
        function = self.find(name)
        alias, number = function.aliases.get(qualifier), qualifier or "$LATEST"
        if alias:
            number, weights = alias["FunctionVersion"], alias.get("RoutingConfig", {})
            at = random.random()
            for other, weight in weights.get("AdditionalVersionWeights", {}).items():
                number = other if at < weight else number
        version = function.version(number)
        began = time.monotonic()
        timeout = version.config.get("Timeout", 3)
        told = self.worker(function, version).ask(event, timeout)
        self.count(function, qualifier, version.number, time.monotonic() - began, "error" in told)
        return version.number, told

    def count(self, function, qualifier, number, seconds, failed):
        base = [("FunctionName", function.name)]
        sets = [base]
        if qualifier:
            sets.append([*base, ("Resource", f"{function.name}:{qualifier}")])
        if qualifier in function.aliases:
            sets.append([*sets[-1], ("ExecutedVersion", number)])
        for dimensions in sets:
            for name, value, unit in (("Invocations", 1, "Count"), ("Errors", int(failed), "Count"),
                                      ("Duration", seconds * 1000, "Milliseconds")):
                self.figures.count(function.region, NAMESPACE, name, dimensions, value, unit)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for worker in self.workers.values():
            worker.process.end()
        shutil.rmtree(self.place, ignore_errors=True)
