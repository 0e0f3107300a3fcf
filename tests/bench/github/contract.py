"""Requests and answers, held against GitHub's own OpenAPI description.

Nothing here was learnt from the code under test. A request that GitHub would refuse, or whose
fields it would ignore, raises Refused with `violation` set.
"""

import copy
import json
import re
from urllib.parse import parse_qsl, unquote

from refusal import Refused, absent, invalid
from schema import Schemas

VERBS = ("get", "put", "post", "patch", "delete")
WIDE = ("path", "ref", "basehead", "branch", "environment_name")  # these may hold slashes
OLD = ("/repos/{owner}/{repo}/compare/{base}...{head}",)  # {basehead} has taken its place
VERSIONS = ("2022-11-28", "2026-03-10")
JSON = "application/json"
TAKEN = {"", "*/*", JSON, "application/vnd.github+json", "application/vnd.github.v3+json"}


class Operation:
    def __init__(self, verb, path, tree, shared):
        self.id, self.verb, self.path, self.tree = tree["operationId"], verb, path, tree
        self.parameters = {(one["in"], one["name"]): one for one in shared}
        self.for_apps = tree.get("x-github", {}).get("enabledForGitHubApps", True)
        self.names = names = re.findall(r"\{([\w-]+)\}", path)
        fixed = [re.escape(text) for text in re.split(r"\{[\w-]+\}", path)]
        parts = ["(.+)" if name in WIDE else "([^/]+)" for name in names]
        self.pattern = re.compile("".join(
            text for pair in zip(fixed, [*parts, ""], strict=True) for text in pair
        ))
        # The most fixed parts first: /issues/comments/{comment_id} before /issues/{issue_number}/…,
        # /commits/{ref}/status before /commits/{ref}.
        is_wide = any(name in WIDE for name in names)
        self.order = (
            is_wide, -sum(map(len, fixed)) if is_wide else 0,
            [part.startswith("{") for part in path.split("/")],
        )

    @property
    def is_paged(self):
        return ("query", "per_page") in self.parameters

    @property
    def writes(self):
        return self.verb != "get"


class Call:
    """A request that is right: what is asked, by whom (`token`), of which repository."""

    def __init__(self, operation, named, query, body):
        self.operation, self.path, self.query, self.body = operation, named, query, body
        self.token = self.repository = None

    @property
    def login(self):
        return self.token.login


class Contract:
    def __init__(self, description, handled):
        with open(description, encoding="utf-8") as file:
            self.description = json.load(file)
        self.schemas = Schemas(self.description)
        self.operations = []
        for path, verbs in self.description["paths"].items():
            for verb in VERBS:
                if verb in verbs and path not in OLD:
                    shared = [self.schemas.follow(one) for one in (
                        *verbs.get("parameters", ()), *verbs[verb].get("parameters", ())
                    )]
                    self.operations.append(Operation(verb, path, verbs[verb], shared))
        self.operations.sort(key=lambda one: one.order)
        unknown = set(handled) - {one.id for one in self.operations}
        if unknown:
            raise ValueError(f"{description} has no {sorted(unknown)}")

    # ---- requests --------------------------------------------------------------------------------

    def find(self, verb, path):
        for one in self.operations:
            found = one.verb == verb.lower() and one.pattern.fullmatch(path)
            if found:
                return one, dict(zip(one.names, map(unquote, found.groups()), strict=True))
        refused = absent()
        refused.violation = True
        raise refused

    def read(self, request, operation, named):
        self.check_headers(request)
        for name, text in named.items():
            named[name] = self.parameter(operation, "path", name, text)
        query = {}
        try:
            pairs = parse_qsl(request.query, keep_blank_values=True, strict_parsing=bool(
                request.query))
        except ValueError as error:
            raise invalid("Request", "query", message=str(error), violation=True) from None
        for name, text in pairs:
            if name in query:
                raise invalid("Request", name, message=f"{name} is there twice", violation=True)
            query[name] = self.parameter(operation, "query", name, text)
        for (where, name), one in operation.parameters.items():
            if where == "query" and one.get("required") and name not in query:
                raise invalid("Request", name, "missing_field", f"{name} is missing", True)
        return Call(operation, named, query, self.body(request, operation))

    def check_headers(self, request):
        headers = request.headers
        if not headers.get("user-agent"):
            raise Refused(403, "Request forbidden by administrative rules. Please make sure your "
                          "request has a User-Agent header", violation=True)
        version = headers.get("x-github-api-version")
        if version is not None and version not in VERSIONS:
            raise Refused(400, f"The requested API version ({version!r}) is not supported.", True)
        accept = headers.get("accept", "")
        taken = [one.partition(";")[0].strip() for one in accept.split(",")]
        if not any(one in TAKEN or one.startswith("application/vnd.github") for one in taken):
            raise Refused(415, f"Must accept '{JSON}'", violation=True)

    def parameter(self, operation, where, name, text):
        one = operation.parameters.get((where, name))
        if one is None:
            words = f"{operation.id} has no parameter {name} in its {where}"
            raise invalid("Request", name, message=words, violation=True)
        schema = self.schemas.follow(one.get("schema", {}))
        value, kind = text, schema.get("type")
        if kind == "integer" and re.fullmatch(r"-?\d+", text):
            value = int(text)
        if kind == "boolean" and text in ("true", "false"):
            value = text == "true"
        for _, words in self.schemas.faults(schema, value):
            raise invalid("Request", name, message=f"{name}: {words}", violation=True)
        if name == "per_page" and not 1 <= value <= 100:
            words = f"per_page is {value}, of which at most 100 are given"
            raise invalid("Request", name, message=words, violation=True)
        return value

    def body(self, request, operation):
        wanted = operation.tree.get("requestBody")
        if not request.body:
            if wanted and wanted.get("required"):
                raise invalid("Request", "body", "missing_field", "there is no body", True)
            return {}
        if not wanted:
            raise invalid("Request", "body", message=f"{operation.id} takes no body",
                          violation=True)
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != JSON:
            raise Refused(415, f"the Content-Type {kind!r} is not that of JSON", violation=True)
        try:
            tree = json.loads(request.body, object_pairs_hook=unique)
        except ValueError:
            raise Refused(400, "Problems parsing JSON", violation=True) from None
        schema = wanted["content"][JSON]["schema"]
        found = list(self.schemas.faults(schema, tree, strict=True))[:5]
        if found:
            words = "; ".join(f"{place or '/'} {text}" for place, text in found)
            raise invalid("Request", found[0][0].strip("/"), message=words, violation=True)
        return tree

    # ---- answers ---------------------------------------------------------------------------------

    def answer_of(self, operation, status):
        """The media type of the JSON answer with that status, or None."""
        answers = operation.tree["responses"]
        if str(status) not in answers:
            return None
        return self.schemas.follow(answers[str(status)]).get("content", {}).get(JSON)

    def example(self, schema):
        """A copy of the description's own example of a schema, by its name: "issue-comment"."""
        return copy.deepcopy(self.description["components"]["examples"][schema]["value"])

    def faults_of_answer(self, operation, status, tree):
        content = self.answer_of(operation, status)
        if str(status) not in operation.tree["responses"]:
            return [f"{operation.id} does not answer {status}"]
        if content is None:
            return [f"{operation.id} answers {status} without a body"] if tree is not None else []
        return [
            f"{place or '/'} {words}"
            for place, words in self.schemas.faults(content["schema"], tree)
        ][:5]


def unique(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a field is there twice")
    return dict(pairs)
