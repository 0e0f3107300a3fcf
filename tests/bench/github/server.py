"""GitHub for tests: deployments, checks, issues, comments, people, runs and what else sluice asks,
behind GitHub's own description of its API (contract.py).

    server.py DESCRIPTION.json [VERSION]

Prints {"port": N} and serves until its standard input closes. The API is at http://127.0.0.1:N, or,
where a VERSION of Enterprise Server is named ("3.19.0"), at http://127.0.0.1:N/api/v3. Workflows
get their identity tokens at /_oidc. Artifacts are downloaded from another port, as from a storage
that is not GitHub's. What is asked of the bench itself:

POST /_bench/control   orders, any of them together:
    "reset": true           forgets everything
    "repositories": {"bench/app": {"roles": {LOGIN: ROLE}, "team_roles": {SLUG: ROLE},
                     "files": {PATH: TEXT}, "workflows": [FILE, …] | {FILE: INPUTS}, "rulesets": [RULESET, …],
                     "protection": {BRANCH: [CONTEXT, …]}, "environments": {NAME: ENVIRONMENT}}}
    "users": {LOGIN: "User" | "Bot"}    "teams": {"ORG/SLUG": {LOGIN: "member" | "maintainer"}}
    "tokens": {TEXT: {"kind": "workflow" | "user" | "installation", "login": …, "permissions": {NAME: LEVEL},
               "expires_in": SECONDS, "repositories": [FULL NAME, …]}}
    "apps": {SLUG: {"owner": …, "permissions": {…}}}   answers id, installation and private key
    "acts": [ACT, …]        what people do, in that order: people.py; answers what came of each
    "faults": {OPERATION: [FAULT, …]}   in place of all that were ordered: faults.py
    "settings": {"limit": …, "content_limit": …, "least_gap": …, "window": …}   limits.py
    "token_life": SECONDS   of installation tokens from now on
    "advance": SECONDS      puts the clock of GitHub ahead
    "oidc": {CLAIM: VALUE}  of identity tokens: identity.py
GET /_bench/told    {"requests", "ok": {OPERATION: N}, "violations": [what no client may send],
                    "refused", "writes": [every write, with what became of it], "faults": {…: N},
                    "too_fast": [writes less than a second apart],
                    "too_early": [requests before the time that a limit named]}
GET /_bench/state   what the repositories hold
"""

import http.server
import json
import sys
import threading
import time
from urllib.parse import urlsplit

from bench import Answer, Bench, Lost, Request
from refusal import Refused

BARE = (204, 304)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    bench = None  # of the server

    def answer(self, answer):
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, str(value))
        if answer.status not in BARE:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.status not in BARE:
            self.wfile.write(answer.body)

    def serve(self):
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        parts = urlsplit(self.path)
        request = Request(self.command, parts.path, parts.query, headers, self.rfile.read(length))
        if parts.path.startswith("/_bench/"):
            self.own(parts.path.removeprefix("/_bench/"), request)
        elif parts.path.startswith("/_oidc"):
            self.answered(lambda: Answer(*self.bench.identity.answer(request)))
        elif parts.path.startswith("/_archives/"):
            self.answered(lambda: Answer(*self.bench.runs.archive(request)))
        else:
            self.call(request)

    def own(self, name, request):
        work = {
            "control": lambda: self.bench.control(json.loads(request.body)),
            "told": self.bench.told, "state": self.bench.state,
        }[name]
        self.answered(lambda: Answer(200, work()))

    def answered(self, work):
        try:
            answer = work()
        except Refused as why:
            answer = Answer(why.status, why.body, why.headers)
        self.answer(answer)

    def call(self, request):
        try:
            answer, fault = self.bench.serve(request)
        except Lost:
            self.close_connection = True
            return
        except Exception:
            answer, fault = self.bench.broke(request), {}
        time.sleep(fault.get("delay", 0))
        if fault.get("malformed"):
            answer.body = answer.body[: len(answer.body) // 2]
        self.answer(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main():
    description, *version = sys.argv[1:]
    server = Server(("127.0.0.1", 0), Handler)
    storage = Server(("127.0.0.1", 0), Handler)
    here, there = (f"http://127.0.0.1:{one.server_address[1]}" for one in (server, storage))
    Handler.bench = Bench(here, there, description, *version)
    for one in (server, storage):
        threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    sys.stdin.read()
    for one in (server, storage):
        one.shutdown()


if __name__ == "__main__":
    main()
