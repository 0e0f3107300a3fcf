"""AWS for tests: what is live here (ecs.py, elb.py, lambda_.py, registry.py) and moto for the rest,
behind a proxy that lets pass what AWS itself would (contract.py).

Prints {"port": N, "network": {…}} and serves until its standard input closes. Requests of all
services go to this one port, those of a docker registry too (/v2/…). What is asked of the bench:

POST /control   any of
    {"faults": {"cloudwatch.GetMetricData": [FAULT, …]}}   {} clears. A fault meets one request (or
            `times` of them) and is one of
            {"refuse": CODE, "status": N, "message": TEXT}   before anything happens
            {"after": true, …the same}       the answer is lost to it, the effect is there
            {"cut": "before" | "after"}      the connection ends
            {"delay": SECONDS}               slow; goes with any other
            {"replace": [PATTERN, TEXT]}     in the answer
    {"end_granted": true}                    all keys and registry tokens given so far are expired
    {"stuck": {SERVICE: N}}                  so many tasks started from now on stay PENDING; {} ends
    {"stray": {"service": NAME, "after": SECONDS}}   ECS goes back by itself to what was before
    {"instances": {"i-…": ADDRESS}}          where a target that is an instance is reached
    {"denied": ["ecs:UpdateService"]}        what nobody is allowed, for calls and for IAM's simulation
    {"policies": {KEY: [DOCUMENT, …]}}       a key of its own, with that secret of the other one, which
                        is allowed only what its policies allow (policies.py)
    {"update_fails": {FUNCTION: WHY}}        its next update ends as Failed
    {"pace": {…}}       in seconds: start (of a task), boot (so long it may be sick), drain (of a
                        target), health (between checks), update (of a Lambda function)
GET /address    {"address": "127.A.B.C"}: nobody else gets it
GET /told       {"ok": {"cloudwatch.GetMetricData": N}, "refused": [WORDS, …],
                 "listeners": {ARN: URL}, "lambda": URL, "troubles": [WORDS, …],
                 "used": {KEY: [ACTION, …]}}     of the keys with policies
"""

import http.client
import http.server
import json
import logging
import re
import sys
import threading
import time
from xml.sax.saxutils import escape

from bench import Bench
from contract import MODELS, Refused, Request, check
from moto.server import ThreadedMotoServer

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "server", "date"}
CONTENT = {"rest-json": "application/json", "query": "text/xml"}
# The same refusals have other names where the protocol is JSON.
IN_JSON = {
    "ExpiredToken": "ExpiredTokenException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
}
IN_XML = {"AccessDeniedException": "AccessDenied"}


def key_of(request):
    found = re.search(r"Credential=([^/]+)/", request.headers.get("authorization", ""))
    return found and found[1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bench = moto = None  # of the server

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if "content-length" not in {name.lower() for name, _ in headers}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, request, why):
        code, words = IN_XML.get(why.code, why.code), str(why)
        if request.protocol in ("json", "rest-json"):
            code = IN_JSON.get(why.code, why.code)
            body = {"__type": code, "message": words}
            if request.protocol == "rest-json":
                body = {"Type": "User", "Message": words}
            headers = [("x-amzn-errortype", code), ("Content-Type", "application/json")]
            self.answer(why.status, json.dumps(body).encode(), headers)
            return
        error = f"<Code>{escape(code)}</Code><Message>{escape(words)}</Message>"
        if request.protocol == "rest-xml":
            body = f"<Error>{error}<RequestId>bench</RequestId></Error>"
        else:
            body = (
                f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error>"
                "<RequestId>bench</RequestId></ErrorResponse>"
            )
        self.answer(why.status, body.encode(), [("Content-Type", "text/xml")])

    def forward(self, request):
        connection = http.client.HTTPConnection(*self.moto, timeout=60)
        try:
            connection.request(request.method, request.target, request.body, request.headers)
            answer = connection.getresponse()
            dropped = HOP_BY_HOP - ({"content-length"} if request.method == "HEAD" else set())
            headers = [h for h in answer.getheaders() if h[0].lower() not in dropped]
            return answer.status, answer.read(), headers
        finally:
            connection.close()

    def live(self, request, asked):
        """From the bench's own parts; None where moto is to answer."""
        answers = self.bench.answers.get(asked.service)
        told = answers and answers(asked.operation, asked.region, asked.parameters)
        if told is None:
            return None
        operation = MODELS[asked.service].operation_model(asked.operation)
        content = CONTENT.get(request.protocol, "application/x-amz-json-1.1")
        status = operation.http.get("responseCode", 200)
        told, more = told if isinstance(told, tuple) else (told, [])
        if status == 204:
            told = b""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        return status, body, [("Content-Type", content), ("x-amzn-RequestId", "bench"), *more]

    def serve(self):
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(length))
        if self.path == "/control":
            self.bench.control(json.loads(request.body))
            self.answer(200, b"{}")
        elif self.path == "/address":
            words = {"address": self.bench.addresses.next()}
            self.answer(200, json.dumps(words).encode())
        elif self.path == "/told":
            self.answer(200, json.dumps(self.bench.told()).encode())
        elif request.path.startswith("/v2/") and "aws4_request" not in headers.get(
            "authorization", ""
        ):
            status, told, body = self.bench.registry.serve(self.command, request.path, headers)
            told += [("Content-Length", str(len(body)))]
            self.answer(status, body, told)
        else:
            self.call(request)

    def call(self, request):
        try:
            asked = check(request, self.bench.keys)
        except Refused as why:
            self.bench.note_refused(why)
            self.refuse(request, why)
            return
        fault = self.bench.fault_of(asked.name)
        time.sleep(fault.get("delay", 0))
        if fault.get("cut") == "before":
            self.close_connection = True
            return
        refusal = "refuse" in fault and Refused(
            fault["refuse"], fault.get("message", "by the bench"), fault.get("status", 400)
        )
        if refusal and not fault.get("after"):
            self.refuse(request, refusal)
            return
        try:
            self.bench.policies.check(key_of(request), asked)
            status, body, headers = self.live(request, asked) or self.forward(request)
        except Refused as why:
            self.refuse(request, why)
            return
        if asked.service == "sts":
            self.bench.note_grant(body)
        self.bench.note_ok(asked.name)
        if fault.get("cut") == "after":
            self.close_connection = True
        elif refusal:
            self.refuse(request, refusal)
        else:
            if "replace" in fault:
                body = re.sub(fault["replace"][0].encode(), fault["replace"][1].encode(), body)
            self.answer(status, body, headers)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = serve

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    Handler.bench, Handler.moto = bench, _ = Bench(), moto.get_host_and_port()
    server = Server(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    try:
        bench.start(f"http://127.0.0.1:{port}")
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        print(json.dumps({"port": port, "network": bench.network()}), flush=True)
        sys.stdin.read()
    finally:
        server.shutdown()
        bench.close()
        moto.stop()


if __name__ == "__main__":
    main()
