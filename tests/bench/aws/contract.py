"""What AWS itself would refuse: a request whose signature, protocol or shape is wrong.

Signatures are computed anew by botocore, and requests are read by its models of the services, so
that nothing here was learnt from the code under test. Of the protocols: query, JSON, and RPC with
CBOR (botocore's own choice for CloudWatch).
"""

import calendar
import io
import json
import re
import time
from urllib.parse import parse_qsl

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.model
import botocore.parsers
import botocore.session
import botocore.validate

SERVICES = ("sts", "cloudwatch", "ecs", "elbv2")
WITHOUT_SIGNATURE = ("AssumeRoleWithWebIdentity",)
SKEW_SECONDS = 300
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)


class Refused(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.status = code, status


class Request:
    """As it came; the names of headers are in small letters."""

    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        self.target = target
        self.path, _, self.query = target.partition("?")


def load_models():
    loader = botocore.session.get_session().get_component("data_loader")
    return {
        name: botocore.model.ServiceModel(loader.load_service_model(name, "service-2"), name)
        for name in SERVICES
    }


MODELS = load_models()


# ---- who asks ------------------------------------------------------------------------------------


class Keys:
    """The access keys that are known: those that never end, and those that STS gave."""

    def __init__(self, constant):
        self.known = {name: (secret, None, None) for name, secret in constant.items()}

    def grant(self, name, secret, token, until):
        self.known[name] = (secret, token, until)

    def end_granted(self):
        """As if all of them had come to their end."""
        self.known = {
            name: (secret, token, until and 0) for name, (secret, token, until) in self.known.items()
        }

    def find(self, name, token):
        if name not in self.known:
            raise Refused("InvalidClientTokenId", "The security token is invalid", 403)
        secret, expected, until = self.known[name]
        if expected and token != expected:
            raise Refused("InvalidClientTokenId", "The session token is another one", 403)
        if until is not None and time.time() >= until:
            raise Refused("ExpiredToken", "The security token included in the request is expired")
        return botocore.credentials.Credentials(name, secret, expected)


def signer(request, keys):
    """The service that the request was signed for."""
    match = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not match:
        raise Refused("MissingAuthenticationToken", "Request is missing its signature", 403)
    access, day, region, service, signed, signature = match.groups()
    names, moment = signed.split(";"), request.headers.get("x-amz-date", "")
    must = {"host"} | {name for name in request.headers if name.startswith("x-amz-")}
    if names != sorted(set(names)) or not must <= set(names):
        raise Refused("IncompleteSignature", f"not signed, or out of order: {must - set(names)}", 403)
    if not re.fullmatch(r"\d{8}T\d{6}Z", moment) or moment[:8] != day:
        raise Refused("IncompleteSignature", f"the date {moment!r}", 403)
    if abs(calendar.timegm(time.strptime(moment, "%Y%m%dT%H%M%SZ")) - time.time()) > SKEW_SECONDS:
        raise Refused("SignatureDoesNotMatch", f"Signature expired: {moment}", 403)
    credentials = keys.find(access, request.headers.get("x-amz-security-token"))
    again = botocore.awsrequest.AWSRequest(
        method=request.method,
        url=f"http://{request.headers['host']}{request.target}",
        data=request.body,
        headers={name: request.headers.get(name, "") for name in names},
    )
    again.context["timestamp"] = moment
    auth = botocore.auth.SigV4Auth(credentials, service, region)
    text = auth.string_to_sign(again, auth.canonical_request(again))
    if auth.signature(text, again) != signature:
        raise Refused("SignatureDoesNotMatch", "The signature is another one", 403)
    return service


# ---- what is asked -------------------------------------------------------------------------------


def invalid(path, words):
    raise Refused("ValidationError", f"{path or 'input'}: {words}")


def nested(form):
    """`A.member.1.B=x` as {"A": {"member": {"1": {"B": "x"}}}}."""
    tree = {}
    for name, value in form.items():
        *folders, last = name.split(".")
        at = tree
        for folder in folders:
            at = at.setdefault(folder, {})
            if not isinstance(at, dict):
                invalid(name, "is a value and a structure")
        if isinstance(at.get(last), dict):
            invalid(name, "is a value and a structure")
        at[last] = value
    return tree


def whole_number(text, path):
    if not re.fullmatch(r"-?\d+", text):
        invalid(path, f"{text!r} is no integer")
    return int(text)


def number(text, path):
    try:
        return float(text)
    except ValueError:
        return invalid(path, f"{text!r} is no number")


def truth(text, path):
    if text not in ("true", "false"):
        invalid(path, f"{text!r} is no boolean")
    return text == "true"


SCALARS = {
    "integer": whole_number, "long": whole_number, "float": number, "double": number,
    "boolean": truth,
}


def numbered(shape, tree, path):
    if tree == "":
        return []
    word = shape.member.serialization.get("name", "member")
    flat = shape.serialization.get("flattened")
    if not isinstance(tree, dict) or (not flat and set(tree) != {word}):
        invalid(path, f"must be .{word}.N")
    items = tree if flat else tree[word]
    if not isinstance(items, dict) or set(items) != {str(n + 1) for n in range(len(items))}:
        invalid(path, "its numbers must be 1, 2, 3, …")
    return [typed(shape.member, items[str(n + 1)], f"{path}.{n + 1}") for n in range(len(items))]


def typed(shape, tree, path=""):
    """The texts of a form as the values that the shape has."""
    if shape.type_name == "list":
        return numbered(shape, tree, path)
    if shape.type_name == "structure":
        if not isinstance(tree, dict):
            invalid(path, "must be a structure")
        names = {m.serialization.get("name", n): n for n, m in shape.members.items()}
        for name in tree.keys() - names.keys():
            invalid(path, f"unknown member {name}")
        return {
            names[name]: typed(shape.members[names[name]], value, f"{path}.{names[name]}")
            for name, value in tree.items()
        }
    if isinstance(tree, dict):
        invalid(path, "must be a value")
    return SCALARS[shape.type_name](tree, path) if shape.type_name in SCALARS else tree


def check_words(shape, value, path=""):
    """What botocore's validator leaves to the service: enumerations, patterns, upper bounds."""
    kind = shape.type_name
    if kind == "structure":
        for name, member in value.items():
            check_words(shape.members[name], member, f"{path}.{name}")
    elif kind == "list":
        for n, member in enumerate(value):
            check_words(shape.member, member, f"{path}.{n + 1}")
    elif kind == "string":
        if shape.enum and value not in shape.enum:
            invalid(path, f"{value!r} is not one of {', '.join(shape.enum)}")
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value, re.S):
            invalid(path, f"{value!r} does not match {pattern}")
    size = len(value) if kind in ("string", "list") else value
    most = shape.metadata.get("max")
    if most is not None and kind in ("string", "list", "integer", "long", "double") and size > most:
        invalid(path, f"above its maximum of {most}")


def check_shape(operation, parameters):
    shape = operation.input_shape
    if shape is None:
        return
    report = botocore.validate.ParamValidator().validate(parameters, shape)
    if report.has_errors():
        invalid("", report.generate_report())
    check_words(shape, parameters)


def by_form(model, request):
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        invalid("", "the Content-Type is not that of a form")
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    name, version = form.pop("Action", None), form.pop("Version", None)
    if name not in model.operation_names or version != model.api_version:
        raise Refused("InvalidAction", f"there is no {name} of {version}")
    operation = model.operation_model(name)
    return operation, typed(operation.input_shape, nested(form)) if operation.input_shape else {}


def by_target(model, request):
    prefix, _, name = request.headers["x-amz-target"].rpartition(".")
    if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
        raise Refused("UnknownOperationException", f"there is no {prefix}.{name}")
    expected = "application/x-amz-json-" + model.metadata["jsonVersion"]
    if request.headers.get("content-type") != expected:
        raise Refused("UnknownOperationException", f"the Content-Type is not {expected}", 404)
    try:
        return model.operation_model(name), json.loads(request.body or b"{}")
    except ValueError as error:
        raise Refused("SerializationException", str(error)) from error


def by_path(model, request):
    name = request.path.rpartition("/")[2]
    if name not in model.operation_names:
        raise Refused("UnknownOperationException", f"there is no {name}")
    parser = botocore.parsers.RpcV2CBORParser()
    body = io.BufferedReader(io.BytesIO(request.body))
    return model.operation_model(name), parser.parse_data_item(body) if request.body else {}


def check(request, keys):
    """The service and operation of a request that is right; raises Refused for any other."""
    action = dict(parse_qsl(request.body.decode("latin-1"))).get("Action")
    unsigned = "authorization" not in request.headers and action in WITHOUT_SIGNATURE
    service = "sts" if unsigned else signer(request, keys)
    model = next((m for m in MODELS.values() if m.signing_name == service), None)
    if model is None:
        raise Refused("UnknownService", f"nothing is known of {service}")
    if "x-amz-target" in request.headers:
        operation, parameters = by_target(model, request)
    elif request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        operation, parameters = by_path(model, request)
    elif request.method == "POST" and request.path == "/":
        operation, parameters = by_form(model, request)
    else:
        raise Refused("UnknownOperationException", f"{request.method} {request.path}", 404)
    check_shape(operation, parameters)
    return model.service_name, operation.name
