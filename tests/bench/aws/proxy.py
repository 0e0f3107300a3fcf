"""A listener: an HTTP proxy that chooses by rules, then by weight, then among what is healthy.

Every answer says where it came from: X-Target-Group (the group's name), X-Target (address and
port), and X-Release, if not the application's own then what the target was started as.
"""

import fnmatch
import http.client
import http.server
import itertools
import random
import socket
import threading
import time
from urllib.parse import parse_qsl

NAMESPACE = "AWS/ApplicationELB"
TIMEOUT_SECONDS = 30
HOP_BY_HOP = {
    "connection", "keep-alive", "transfer-encoding", "te", "upgrade", "content-length", "server",
    "date",
}


def any_like(value, patterns, fold=False):
    if fold:
        return any(fnmatch.fnmatchcase(value.lower(), p.lower()) for p in patterns)
    return any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)


def values(condition, name):
    return (condition.get(name) or {}).get("Values") or condition.get("Values") or []


def holds(condition, method, path, query, headers):
    field = condition["Field"]
    if field == "path-pattern":
        return any_like(path, values(condition, "PathPatternConfig"))
    if field == "host-header":
        host = headers.get("Host", "").partition(":")[0]
        return any_like(host, values(condition, "HostHeaderConfig"), fold=True)
    if field == "http-request-method":
        return method in values(condition, "HttpRequestMethodConfig")
    if field == "http-header":
        value = headers.get(condition["HttpHeaderConfig"]["HttpHeaderName"])
        wanted = condition["HttpHeaderConfig"]["Values"]
        return value is not None and any_like(value, wanted, fold=True)
    if field == "query-string":
        given = dict(parse_qsl(query, keep_blank_values=True))
        return any(
            any_like(given[pair["Key"]], [pair["Value"]], fold=True)
            if pair.get("Key") in given
            else not pair.get("Key") and any_like(value, [pair["Value"]], fold=True)
            for pair in condition["QueryStringConfig"]["Values"]
            for value in (given.values() or [""])
        )
    return False  # a source address: all are this machine's


def choose_rule(listener, method, target, headers):
    path, _, query = target.partition("?")
    rules = [rule for rule in listener.rules.values() if rule.priority != "default"]
    for rule in sorted(rules, key=lambda rule: int(rule.priority)):
        if all(holds(c, method, path, query, headers) for c in rule.conditions):
            return rule.actions
    return listener.default_actions


def choose_group(action):
    """A group's ARN; None when no group has any weight."""
    forward = action.get("ForwardConfig")
    if not forward:
        return action.get("TargetGroupArn")
    groups = forward["TargetGroups"]
    weights = [int(group.get("Weight", 1)) for group in groups]
    if not any(weights):
        return None
    return random.choices([group["TargetGroupArn"] for group in groups], weights)[0]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def give(self, status, body, headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def serve(self):
        proxy, began = self.server.proxy, time.monotonic()
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        action = choose_rule(proxy.listener, self.command, self.path, self.headers)[-1].data
        if action["Type"] == "fixed-response":
            words = action["FixedResponseConfig"]
            content = words.get("ContentType", "text/plain")
            return self.give(
                int(words["StatusCode"]), words.get("MessageBody", "").encode(),
                [("Content-Type", content)],
            )
        if action["Type"] == "redirect":
            words = action["RedirectConfig"]
            status = int(words["StatusCode"].removeprefix("HTTP_"))
            path = words.get("Path", "/#{path}").replace("/#{path}", self.path.partition("?")[0])
            return self.give(status, b"", [("Location", path)])
        arn = choose_group(action)
        status, body, headers, by_target = proxy.forward(self, arn, body)
        if by_target:
            proxy.count(arn, "TargetResponseTime", time.monotonic() - began, "Seconds")
        proxy.count(arn, "RequestCount")
        proxy.count(arn, f"HTTPCode_{'Target' if by_target else 'ELB'}_{status // 100}XX_Count")
        return self.give(status, body, headers)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = serve

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass  # the client went away


class Proxy:
    def __init__(self, balancers, backend, balancer, listener):
        self.balancers, self.backend, self.listener = balancers, backend, listener
        self.name = balancer.arn.partition(":loadbalancer/")[2]
        self.turn = itertools.count()
        self.server = Server((balancer.dns_name, int(listener.port)), Handler)
        self.server.proxy = self
        self.url = f"http://{balancer.dns_name}:{listener.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def count(self, arn, name, value=1, unit="Count"):
        region, whole = self.backend.region_name, ("LoadBalancer", self.name)
        self.balancers.figures.count(region, NAMESPACE, name, [whole], value, unit)
        if arn:
            group = ("TargetGroup", arn.rpartition(":")[2])
            self.balancers.figures.count(region, NAMESPACE, name, [group, whole], value, unit)

    def forward(self, handler, arn, body):
        """Status, body, headers, and whether a target gave them."""
        receivers = self.balancers.receivers(arn) if arn else []
        marks = [("X-Target-Group", arn.split("/")[1])] if arn else []
        if not receivers:
            return 503, b"no healthy target", marks, False
        target = receivers[next(self.turn) % len(receivers)]
        marks.append(("X-Target", f"{target.address}:{target.port}"))
        headers = {k: v for k, v in handler.headers.items() if k.lower() not in HOP_BY_HOP}
        connection = http.client.HTTPConnection(
            target.address, target.port, timeout=TIMEOUT_SECONDS
        )
        try:
            connection.request(handler.command, handler.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            given = [h for h in answer.getheaders() if h[0].lower() not in HOP_BY_HOP]
        except (socket.timeout, TimeoutError):
            return 504, b"the target did not answer in time", marks, False
        except (OSError, http.client.HTTPException):
            return 502, b"the target did not answer", marks, False
        finally:
            connection.close()
        label = self.balancers.labels.get((target.address, target.port))
        if label and not answer.getheader("X-Release"):
            marks.append(("X-Release", label))
        return answer.status, content, given + marks, True

    def close(self):
        self.server.shutdown()
        self.server.server_close()
