"""What Google itself would refuse: a request whose path, parameters or body is wrong.

Requests are read by Google's discovery documents, as google-api-python-client carries them, so that
nothing here was learnt from the code under test. Stricter than Google in two points, both of which
are mistakes in a client: a field that is output only is refused, where Google ignores it, and names
are as the documents write them. The answers of the bench are held against the documents as well.
"""

import base64
import binascii
import importlib.util
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote

DOCUMENTS = {
    "run": ("run.v2",),
    "compute": ("compute.v1",),
    "monitoring": ("monitoring.v1", "monitoring.v3"),
    "artifactregistry": ("artifactregistry.v1",),
    "storage": ("storage.v1",),
    "sts": ("sts.v1",),
    "iamcredentials": ("iamcredentials.v1",),
    "cloudresourcemanager": ("cloudresourcemanager.v1", "cloudresourcemanager.v3"),
}
FORM = "application/x-www-form-urlencoded"
BY_FORM = ("sts", "monitoring")  # Prometheus' own clients send forms to Cloud Monitoring
ENCODINGS = ("json", "json;enum-encoding=int")  # Google's newer clients write numbers for words
DEPTH = 24
INTEGERS = {
    "int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1),
}
FORMATS = {
    "google-duration": r"-?\d+(\.\d{1,9})?s",
    "google-datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)",
}
FORMATS["date-time"] = FORMATS["google-datetime"]
REASONS = {
    400: "invalid", 401: "authError", 403: "forbidden", 404: "notFound", 409: "alreadyExists",
    412: "conditionNotMet", 429: "rateLimitExceeded", 503: "backendError",
}


class Refused(Exception):
    """`reason` is Compute Engine's and Cloud Storage's word for what `code` is elsewhere."""

    def __init__(self, code, message, status=400, reason=None, headers=()):
        super().__init__(message)
        self.code, self.status, self.headers = code, status, dict(headers)
        self.reason = reason or REASONS.get(status, "backendError")


class Request:
    """As it came; the names of headers are in small letters."""

    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        self.target = target
        self.path, _, self.query = target.partition("?")

    def type(self):
        return self.headers.get("content-type", "").partition(";")[0].strip()


class Call:
    """A request that is right: which method it is, and with what."""

    def __init__(self, method, parameters, body, request):
        self.id, self.method, self.request = method.id, method, request
        self.parameters, self.body = parameters, body

    def __getitem__(self, name):
        return self.parameters.get(name)


def invalid(path, words):
    raise Refused("INVALID_ARGUMENT", f"{path or 'request'}: {words}")


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), name)


def begins(schema, *words):
    return schema.get("description", "").startswith(words)


def is_output_only(schema):
    return schema.get("readOnly") or begins(schema, "Output only.", "[Output Only]")


# ---- which method --------------------------------------------------------------------------------


class Method:
    def __init__(self, api, document, entry, path, upload=False):
        self.api, self.document, self.entry, self.upload = api, document, entry, upload
        self.id, self.verb = entry["id"], entry["httpMethod"]
        self.known = {**document.get("parameters", {}), **entry.get("parameters", {})}
        self.pattern = re.compile(self.pattern_of(path))
        self.literal = len(re.sub(r"\{.*?\}", "", path))

    def pattern_of(self, path):
        out = ""
        for piece in re.split(r"(\{\+?\w+\})", path):
            if not piece.startswith("{"):
                out += re.escape(piece)
                continue
            name = piece.strip("{+}")
            given = self.known[name].get("pattern") if "+" in piece else None
            out += f"(?P<{name}>{given.strip('^$') if given else '[^/]+'})"
        return out

    def schema(self, name):
        return self.document["schemas"][name]


def methods_of(api, document, node):
    for entry in node.get("methods", {}).values():
        yield Method(api, document, entry, f"/{document['servicePath']}{entry['path']}")
        simple = entry.get("mediaUpload", {}).get("protocols", {}).get("simple")
        if simple:
            yield Method(api, document, entry, simple["path"], upload=True)
    for inner in node.get("resources", {}).values():
        yield from methods_of(api, document, inner)


def load_methods():
    package = Path(importlib.util.find_spec("googleapiclient").origin).parent
    methods = {}
    for api, names in DOCUMENTS.items():
        methods[api] = []
        for name in names:
            path = package / f"discovery_cache/documents/{name}.json"
            document = json.loads(path.read_text())
            methods[api] += methods_of(api, document, document)
    return methods


METHODS = load_methods()


def find(request):
    """The method, and what its path names."""
    _, api, path = (request.path + "/").split("/", 2)
    path = "/" + path[:-1]
    if api not in METHODS:
        raise Refused("NOT_FOUND", f"there is no API {api!r} here", 404)
    found = [(m, match) for m in METHODS[api] if (match := m.pattern.fullmatch(path))]
    if not found:
        raise Refused("NOT_FOUND", f"no document of {api} has the path {path}", 404)
    found = [pair for pair in found if pair[0].verb == request.method]
    if not found:
        raise Refused("NOT_FOUND", f"{path} is not for {request.method}", 405)
    method, match = max(found, key=lambda pair: pair[0].literal)
    return method, {name: unquote(value) for name, value in match.groupdict().items()}


# ---- parameters ----------------------------------------------------------------------------------


def parameter(method, name, schema, text):
    kind = schema["type"]
    if kind == "boolean":
        if text not in ("true", "false"):
            invalid(name, f"{text!r} is no boolean")
        return text == "true"
    if kind == "integer" or schema.get("format") in INTEGERS:
        return integer(schema, text, name)
    if "enum" in schema and text not in schema["enum"]:
        invalid(name, f"{text!r} is not one of {', '.join(schema['enum'])}")
    check_format(schema, text, name)
    if schema.get("format") == "google-fieldmask" and "request" in method.entry:
        return mask(method, text, name)
    return text


def check_parameters(method, request, named):
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, strict_parsing=bool(request.query))
    except ValueError as error:
        invalid("query", error)
    parameters = dict(named)
    for name, text in pairs:
        if name == "$alt":
            if text not in ENCODINGS:
                invalid(name, f"{text!r} is no encoding")
            continue
        if (name, text) == ("alt", "media") and method.entry.get("supportsMediaDownload"):
            parameters["alt"] = text
            continue
        schema = method.known.get(name)
        if schema is None or schema.get("location") == "path":
            invalid(name, f"{method.id} has no such parameter")
        value = parameter(method, name, schema, text)
        if schema.get("repeated"):
            parameters.setdefault(name, []).append(value)
        elif name in parameters:
            invalid(name, "is there twice")
        else:
            parameters[name] = value
    for name, schema in method.entry.get("parameters", {}).items():
        if is_needed(schema) and name not in parameters:
            invalid(name, f"is required by {method.id}")
    return parameters


def is_needed(schema):
    """Where a list of words does not begin with UNSPECIFIED, no word means the first one."""
    usual = schema.get("enum", ["_UNSPECIFIED"])[0]
    return schema.get("required") or (
        begins(schema, "Required.") and usual.endswith("_UNSPECIFIED")
    )


def mask(method, text, name):
    """The paths of a field mask; each must name what can be changed."""
    paths = [path for path in text.split(",")]
    for path in paths:
        schema = method.schema(method.entry["request"]["$ref"])
        for part in [] if path == "*" else path.split("."):
            if "additionalProperties" in schema:
                break
            field = schema.get("properties", {}).get(camel(part))
            if field is None:
                invalid(name, f"there is no field {part!r} of {path!r}")
            if is_output_only(field):
                invalid(name, f"{path!r} is output only")
            schema = method.schema(field["$ref"]) if "$ref" in field else field
    return [".".join(camel(part) for part in path.split(".")) for path in paths]


# ---- bodies --------------------------------------------------------------------------------------


def integer(schema, value, path):
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        invalid(path, f"{value!r} is no integer")
    least, most = INTEGERS[schema.get("format", "int32")]
    least, most = int(schema.get("minimum", least)), int(schema.get("maximum", most))
    if not least <= int(value) <= most:
        invalid(path, f"{value} is not within {least} and {most}")
    return int(value)


def check_format(schema, text, path):
    form = schema.get("format", "")
    if form in FORMATS and not re.fullmatch(FORMATS[form], text):
        invalid(path, f"{text!r} is no {form}")
    if form == "byte":
        try:
            base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
        except binascii.Error as error:
            invalid(path, error)
    if "pattern" in schema and not re.fullmatch(schema["pattern"], text):
        invalid(path, f"{text!r} does not match {schema['pattern']}")


class Reader:
    """Reads values by the schemas of one method's document; `answer` are those of the bench."""

    def __init__(self, method, answer=False):
        self.method, self.answer = method, answer

    def required(self, schema):
        if self.answer or "additionalProperties" in schema:  # an empty map is none
            return False
        return (
            begins(schema, "Required.")
            or self.method.id in schema.get("annotations", {}).get("required", ())
        )

    def read(self, schema, value, path="", depth=0, fields=None):
        if "$ref" in schema:
            schema = self.method.schema(schema["$ref"])
        if depth > DEPTH:
            invalid(path, "too deep")
        if value is None or schema.get("type") == "any":
            return value
        if "enum" in schema:
            return self.word(schema, value, path)
        read = {"object": self.map, "array": self.list, "string": self.text}.get(schema["type"])
        if schema["type"] == "object":
            return self.map(schema, value, path, depth, fields)
        return read(schema, value, path, depth) if read else self.scalar(schema, value, path)

    def word(self, schema, value, path):
        words = schema["enum"]
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(words):
            return words[value]  # as Google's newer clients write it; the words are in their order
        if value not in words:
            invalid(path, f"{value!r} is not one of {', '.join(words)}")
        return value

    def map(self, schema, value, path, depth, fields):
        if not isinstance(value, dict):
            invalid(path, f"{json.dumps(value)[:60]} is no object")
        known, more = schema.get("properties", {}), schema.get("additionalProperties")
        out = {}
        for name, inner in value.items():
            at = f"{path}.{name}" if path else name
            field = known.get(name) or more
            if name == "@type" and not known:
                out[name] = inner
                continue
            if field is None:
                invalid(at, f"unknown field of {schema.get('id', 'this object')}")
            if not self.answer and is_output_only(field):
                invalid(at, "is output only and would be ignored")
            out[name] = self.read(field, inner, at, depth + 1)
        for name, field in known.items():
            asked = fields is None or name in fields
            if asked and self.required(field) and value.get(name) is None:
                invalid(f"{path}.{name}" if path else name, "is required")
        return out

    def list(self, schema, value, path, depth):
        if not isinstance(value, list):
            invalid(path, f"{json.dumps(value)[:60]} is no list")
        return [
            self.read(schema["items"], inner, f"{path}[{n}]", depth + 1)
            for n, inner in enumerate(value)
        ]

    def text(self, schema, value, path, depth):
        if schema.get("format") in ("int64", "uint64"):
            return str(integer(schema, value, path))
        if not isinstance(value, str):
            invalid(path, f"{json.dumps(value)[:60]} is no string")
        check_format(schema, value, path)
        return value

    def scalar(self, schema, value, path):
        kind = schema["type"]
        if kind == "integer":
            if not isinstance(value, int):
                invalid(path, f"{json.dumps(value)[:60]} is no integer")
            return integer(schema, value, path)
        right = isinstance(value, bool) if kind == "boolean" else (
            isinstance(value, (int, float)) and not isinstance(value, bool)
        )
        if not right:
            invalid(path, f"{json.dumps(value)[:60]} is no {kind}")
        return value


def tree_of(method, request):
    if request.type() == FORM and method.api in BY_FORM:
        try:
            pairs = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
        except ValueError as error:
            invalid("body", error)
        if len(dict(pairs)) != len(pairs):
            invalid("body", "a field is there twice")
        return {camel(name): value for name, value in pairs}
    if request.type() != "application/json":
        invalid("body", f"the Content-Type {request.type()!r} is not that of JSON")
    try:
        return json.loads(request.body or b"{}", object_pairs_hook=unique)
    except ValueError as error:
        return invalid("body", f"Invalid JSON payload received: {error}")


def unique(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a field is there twice")
    return dict(pairs)


def check_body(method, request, parameters):
    if "request" not in method.entry:
        if request.body:
            invalid("body", f"{method.id} takes none")
        return None
    if not request.body and request.method != "PATCH":
        request.body, request.headers["content-type"] = b"{}", "application/json"
    paths = parameters.get("updateMask")
    fields = {path.partition(".")[0] for path in paths} if paths and paths != ["*"] else None
    if fields is None and request.method == "PATCH" and method.api == "compute":
        fields = ()  # a patch says what changes
    return Reader(method).read(
        {"$ref": method.entry["request"]["$ref"]}, tree_of(method, request), fields=fields
    )


def check(request, method, named):
    """The call that a request is; raises Refused where it is not right."""
    parameters = check_parameters(method, request, named)
    body = request.body if method.upload else check_body(method, request, parameters)
    return Call(method, parameters, body, request)


def check_answer(method, tree):
    if "response" in method.entry:
        Reader(method, answer=True).read({"$ref": method.entry["response"]["$ref"]}, tree)
