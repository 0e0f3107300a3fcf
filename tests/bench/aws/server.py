"""AWS for tests: moto behind a proxy that lets pass what AWS itself would (contract.py).

Prints {"port": N} and serves until its standard input closes. Requests of all services go to this
one port. What is asked of the bench itself:

POST /control   {"faults": {"cloudwatch.GetMetricData": [FAULT, …]}, "end_granted": true}
                A fault meets one request (or `times` of them) and is one of
                {"refuse": CODE, "status": N, "message": TEXT}   before anything happens
                {"after": true, …the same}       the answer is lost to it, the effect is there
                {"cut": "before" | "after"}      the connection ends
                {"replace": [PATTERN, TEXT]}     in the answer
                "end_granted" ends all keys that STS gave so far; {"faults": {}} clears.
GET /told       {"ok": {"cloudwatch.GetMetricData": N}, "refused": [WORDS, …]}
"""

import collections
import http.client
import http.server
import json
import re
import sys
import threading
import time
from xml.sax.saxutils import escape

from contract import Keys, Refused, Request, check
from moto.server import ThreadedMotoServer

CONSTANT = {"AKIABENCH": "bench/secret+key"}
KEY_SECONDS = 3600
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "server", "date"}
GRANT = re.compile(
    r"<AccessKeyId>(.+?)</.*?<SecretAccessKey>(.+?)</.*?<SessionToken>(.+?)</", re.S
)


class Bench:
    def __init__(self):
        self.lock = threading.Lock()
        self.keys = Keys(CONSTANT)
        self.faults = collections.defaultdict(list)
        self.ok, self.refused = collections.Counter(), []

    def control(self, words):
        with self.lock:
            if "faults" in words:
                self.faults.clear()
                self.faults.update(words["faults"])
            if words.get("end_granted"):
                self.keys.end_granted()

    def told(self):
        with self.lock:
            return {"ok": dict(self.ok), "refused": self.refused[-100:]}

    def fault_of(self, operation):
        with self.lock:
            waiting = self.faults.get(operation) or [{}]
            fault = waiting[0]
            if "times" in fault and fault["times"] > 1:
                fault["times"] -= 1
            else:
                waiting.pop(0)
            return fault

    def note_grant(self, answer):
        grant = GRANT.search(answer.decode("latin-1"))
        if grant:
            with self.lock:
                self.keys.grant(*grant.groups(), time.time() + KEY_SECONDS)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bench = moto = None  # of the server

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, why):
        if "x-amz-target" in self.headers or "smithy-protocol" in self.headers:
            body = json.dumps({"__type": why.code, "message": str(why)})
            self.answer(why.status, body.encode(), [("x-amzn-errortype", why.code)])
            return
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(why.code)}</Code>"
            f"<Message>{escape(str(why))}</Message></Error><RequestId>bench</RequestId>"
            "</ErrorResponse>"
        )
        self.answer(why.status, body.encode(), [("Content-Type", "text/xml")])

    def forward(self, request):
        connection = http.client.HTTPConnection(*self.moto, timeout=60)
        try:
            connection.request(request.method, request.target, request.body, request.headers)
            answer = connection.getresponse()
            headers = [h for h in answer.getheaders() if h[0].lower() not in HOP_BY_HOP]
            return answer.status, answer.read(), headers
        finally:
            connection.close()

    def serve(self):
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(length))
        if self.path == "/control":
            self.bench.control(json.loads(request.body))
            self.answer(200, b"{}")
        elif self.path == "/told":
            self.answer(200, json.dumps(self.bench.told()).encode())
        else:
            self.call(request)

    def call(self, request):
        try:
            service, name = check(request, self.bench.keys)
        except Refused as why:
            with self.bench.lock:
                self.bench.refused.append(f"{why.code}: {why}")
            self.refuse(why)
            return
        fault = self.bench.fault_of(f"{service}.{name}")
        if fault.get("cut") == "before":
            self.close_connection = True
            return
        refusal = "refuse" in fault and Refused(
            fault["refuse"], fault.get("message", "by the bench"), fault.get("status", 400)
        )
        if refusal and not fault.get("after"):
            self.refuse(refusal)
            return
        status, body, headers = self.forward(request)
        if service == "sts":
            self.bench.note_grant(body)
        with self.bench.lock:
            self.bench.ok[f"{service}.{name}"] += 1
        if fault.get("cut") == "after":
            self.close_connection = True
        elif refusal:
            self.refuse(refusal)
        else:
            if "replace" in fault:
                body = re.sub(fault["replace"][0].encode(), fault["replace"][1].encode(), body)
            self.answer(status, body, headers)

    do_GET = do_POST = do_PUT = do_DELETE = serve

    def log_message(self, *_):
        pass


def main():
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    Handler.bench, Handler.moto = Bench(), moto.get_host_and_port()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    sys.stdin.read()
    server.shutdown()
    moto.stop()


if __name__ == "__main__":
    main()
