"""The bench as a whole: how a request goes through it, what it says of what it saw."""

import base64
import collections
import copy
import hashlib
import json
import sys
import traceback
from urllib.parse import quote

import apps
import checks
import comments
import commits
import deployments
import environments
import identity
import issues
import people
import pulls
import rules
import runs
import tokens
from contract import Contract
from faults import Faults, refusal
from limits import USUAL, Limits
from refusal import Refused, absent, invalid
from trees import Trees
from world import World

PARTS = (
    deployments.Deployments, checks.Checks, issues.Issues, comments.Comments, people.People,
    pulls.Pulls, commits.Commits, runs.Runs, environments.Environments, rules.Rules, apps.Apps,
)
HANDLED = [name for part in PARTS for name, _ in part.handled()]
KEPT = 400
VIEWER = ("{viewer{login}}", "query{viewer{login}}")


class Request:
    """As it came; the names of headers are in small letters."""

    def __init__(self, method, path, query, headers, body):
        self.method, self.path, self.query = method, path, query
        self.headers, self.body = headers, body


class Answer:
    def __init__(self, status, tree=None, headers=(), body=None):
        self.status, self.headers = status, dict(headers)
        if body is None:
            body = b"" if tree is None else json.dumps(tree).encode()
            if tree is not None:
                self.headers.setdefault("Content-Type", "application/json; charset=utf-8")
        self.body = body


class Lost(Exception):
    """The connection ends without an answer."""


class Bench:
    def __init__(self, url, storage_url, description, version=None):
        self.url, self.storage_url, self.version = url, storage_url, version
        self.prefix = "/api/v3" if version else ""
        self.graphql = "/api/graphql" if version else "/graphql"
        self.world = World()
        self.lock = self.world.lock
        self.contract = Contract(description, HANDLED)
        self.make = Trees(url, self.prefix, self.contract, self.world)
        self.tokens, self.limits, self.faults = tokens.Tokens(self.world), Limits(self.world), \
            Faults()
        self.parts = {part: part(self) for part in PARTS}
        self.people = self.parts[people.People]
        self.runs = self.parts[runs.Runs]
        self.identity = identity.Identity(self)
        self.answers = {
            name: answer for part in self.parts.values() for name, answer in
            part.answers().items()
        }
        self.forget()

    def forget(self):
        with self.lock:
            self.world.forget()
            self.tokens.forget()
            self.limits.forget()
            self.faults.forget()
            self.ok, self.violations = collections.Counter(), []
            self.writes, self.refusals, self.seen = [], [], {}
            self.requests = 0

    # ---- a request -------------------------------------------------------------------------------

    def serve(self, request):
        """The answer to a request, whatever happens; raises Lost where a fault says so."""
        with self.lock:
            self.requests += 1
        name, key, fault = f"{request.method} {request.path}", "nobody", {}
        try:
            if request.path == self.graphql:
                with self.lock:
                    fault = self.faults.of("graphql")
                    return self.viewer(request, fault), fault
            operation, named = self.find(request)
            name = operation.id
            with self.lock:
                fault = self.faults.of(name)
                token = self.tokens.of(request.headers)
                key = token.account
                answer = self.through(request, operation, named, token, fault)
        except Refused as why:
            answer = self.refuse(name, request, why)
        answer.headers.update(self.headers(key))
        return answer, fault

    def viewer(self, request, fault):
        """GraphQL, of which nothing is asked but whose the token is."""
        token = self.tokens.of(request.headers)
        if fault.get("cut"):
            raise Lost
        if refusal(fault):
            raise refusal(fault)
        try:
            query = json.loads(request.body)["query"]
        except (ValueError, KeyError, TypeError):
            raise Refused(400, "A query attribute must be specified and must be a string.",
                          violation=True) from None
        if request.method != "POST" or "".join(query.split()) not in VIEWER:
            raise Refused(501, f"the bench does not have {query!r}", violation=True)
        self.ok["graphql"] += 1
        return Answer(200, {"data": {"viewer": {"login": token.login}}})

    def find(self, request):
        if not request.path.startswith(self.prefix + "/"):
            refused = absent()
            refused.violation = True
            raise refused
        return self.contract.find(request.method, request.path[len(self.prefix):])

    def through(self, request, operation, named, token, fault):
        key = token.account
        self.take(key, operation, fault)
        call = self.contract.read(request, operation, named)
        call.token = token
        if "owner" in named and "repo" in named:
            call.repository = self.world.repository(f"{named['owner']}/{named['repo']}")
        answer = self.answers.get(operation.id)
        if answer is None:
            raise Refused(501, f"the bench does not have {operation.id}", violation=True)
        tokens.check(token, answer, call)
        for act in fault.get("first", ()):
            self.people.act(act)
        instead = refusal(fault)
        if fault.get("cut") == "before":
            self.write_down(operation, call, None, "cut before")
            raise Lost
        if instead and not fault.get("after"):
            self.write_down(operation, call, instead.status, "refused before")
            raise instead
        result = self.complete(request, call, answer, fault)
        self.ok[operation.id] += 1
        if fault.get("cut") == "after":
            self.write_down(operation, call, result, "cut after")
            raise Lost
        self.write_down(operation, call, result, "lost" if instead else "answered")
        if instead:
            raise instead
        return result

    def take(self, key, operation, fault):
        contents = operation.writes and not operation.id.startswith("apps/")
        self.limits.take(key, operation.id, contents)
        status = fault.get("status", 403)
        if "secondary" in fault:
            self.limits.secondary(key, status, fault["secondary"])
        if "exhausted" in fault:
            self.limits.exhaust(key, status, fault["exhausted"])

    def complete(self, request, call, work, fault):
        """Does what is asked; the answer with its pages, its tag and its check."""
        status, tree, *headers = work(call)
        headers = dict(headers[0]) if headers else {}
        if isinstance(tree, (list, tuple)):
            tree, link = self.page(request, call, tree)
            headers.update(link)
        tree = copy.deepcopy(tree)
        for words in self.contract.faults_of_answer(call.operation, status, tree):
            self.violations.append(f"the bench itself: {call.operation.id} {status}: {words}")
        if call.operation.writes or status != 200:
            return Answer(status, tree, headers)
        return self.tagged(request, call, Answer(status, tree, headers), fault)

    def tagged(self, request, call, answer, fault):
        """With an ETag; "not modified" where the client has the same already."""
        place = (call.token.account, request.path, request.query)
        if fault.get("stale") and place in self.seen:
            answer = self.seen[place]
        self.seen[place] = answer
        tag = f'W/"{hashlib.sha256(answer.body).hexdigest()}"'
        answer.headers["ETag"] = tag
        answer.headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
        given = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
        if tag in given or tag.removeprefix("W/") in given:
            self.limits.give_back(call.token.account)
            return Answer(304, headers={"ETag": tag})
        return Answer(answer.status, headers=answer.headers, body=answer.body)

    def page(self, request, call, tree):
        """The page that is asked for, and the links to the others."""
        word, rows = tree if isinstance(tree, tuple) else (None, tree)
        total = len(rows)
        headers = {}
        if call.operation.is_paged:
            size, page = call.query.get("per_page", 30), call.query.get("page", 1)
            last = max(1, -(-total // size))
            rows = rows[(page - 1) * size: page * size]
            wanted = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
            if page <= 1:
                del wanted["prev"], wanted["first"]
            if page >= last:
                del wanted["next"], wanted["last"]
            links = [f'<{self.place(request, call, page=number)}>; rel="{rel}"'
                     for rel, number in wanted.items() if 1 <= number <= last]
            if links:
                headers["Link"] = ", ".join(links)
        elif ("query", "after") in call.operation.parameters:
            rows, link = self.after(request, call, rows)
            headers.update(link)
        return (rows if word is None else {"total_count": total, word: rows}), headers

    def after(self, request, call, rows):
        """The same where a cursor stands for the page."""
        size, first = call.query.get("per_page", 30), 0
        if "after" in call.query:
            try:
                first = int(base64.b64decode(call.query["after"], validate=True))
            except ValueError:
                raise invalid("Request", "after", message="no such cursor", violation=True) from None
        cursor = base64.b64encode(str(first + size).encode()).decode()
        more = first + size < len(rows)
        link = f'<{self.place(request, call, after=cursor)}>; rel="next"'
        return rows[first:first + size], {"Link": link} if more else {}

    def place(self, request, call, **where):
        query = {**call.query, **where}
        words = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
        return f"{self.url}{request.path}?{words}"

    def refuse(self, name, request, why):
        words = f"{why.status} {name}: {why}"
        with self.lock:
            if why.violation:
                self.violations.append(words)
            else:
                self.refusals.append(words)
        return Answer(why.status, why.body, why.headers)

    def broke(self, request):
        """A mistake in the bench itself, which no test is to overlook."""
        words = traceback.format_exc()
        sys.stderr.write(words)
        why = Refused(500, f"the bench itself: {words.splitlines()[-1]}", violation=True)
        return self.refuse(f"{request.method} {request.path}", request, why)

    def headers(self, key):
        with self.lock:
            headers = {
                **self.limits.headers(key), "X-GitHub-Request-Id": f"BE0C:{self.requests:06X}",
                "X-GitHub-Media-Type": "github.v3; format=json",
                "x-github-api-version-selected": "2022-11-28",
            }
        if self.version:
            headers["X-GitHub-Enterprise-Version"] = self.version
        return headers

    # ---- what it saw -----------------------------------------------------------------------------

    def write_down(self, operation, call, result, how):
        if not operation.writes:
            return
        row = {
            "operation": operation.id, "path": call.path, "body": call.body, "by": call.login,
            "how": how, "at": self.world.seconds(), "status": result, "effect": None,
        }
        if isinstance(result, Answer):
            row["status"] = result.status
            tree = json.loads(result.body) if result.body else None
            if isinstance(tree, dict):
                row["effect"] = {
                    name: tree[name] for name in ("id", "number", "state", "url") if name in tree
                }
            row["effect"] = row["effect"] or True
        self.writes.append(row)

    def told(self):
        with self.lock:
            return {
                "requests": self.requests, "ok": dict(self.ok),
                "violations": self.violations[-KEPT:], "refused": self.refusals[-KEPT:],
                "writes": self.writes, "faults": dict(self.faults.met),
                "too_fast": self.limits.too_fast, "too_early": self.limits.too_early,
            }

    def state(self):
        """Everything that the repositories hold, by their names."""
        with self.lock:
            return {
                one.full_name: {
                    "refs": one.refs, "commits": list(one.commits),
                    **{word: kept for word, kept in one.kept.items()},
                } for one in self.world.repositories.values()
            }

    # ---- what tests order ------------------------------------------------------------------------

    def control(self, words):
        with self.lock:
            if words.pop("reset", False):
                self.forget()
            answer = {}
            for name, value in words.items():
                work = {
                    "settings": self.set, "faults": self.faults.order, "tokens": self.add_tokens,
                    "advance": self.advance, "repositories": self.people.add_repositories,
                    "users": self.people.add_users, "teams": self.people.add_teams,
                    "apps": self.parts[apps.Apps].add, "acts": self.people.acts,
                    "token_life": self.set_token_life, "oidc": self.identity.set,
                }.get(name)
                if work is None:
                    raise Refused(422, f"the bench cannot {name!r}")
                answer[name] = work(value)
            return answer

    def set(self, settings):
        unknown = settings.keys() - USUAL.keys()
        if unknown:
            raise Refused(422, f"no settings of the bench: {sorted(unknown)}")
        self.limits.settings.update(settings)

    def add_tokens(self, rows):
        for text, words in rows.items():
            self.tokens.add(text, **words)

    def set_token_life(self, seconds):
        self.tokens.life = seconds

    def advance(self, seconds):
        self.world.ahead += seconds
