"""What AWS itself would refuse: a request whose signature, protocol or shape is wrong.

Signatures are computed anew by botocore (signing.py), and requests are read by its models of the
services (shapes.py), so that nothing here was learnt from the code under test. Of the protocols:
query, JSON, RPC with CBOR (botocore's own choice for CloudWatch), and both of REST (rest.py).
"""

import dataclasses
import io
import json
import re
from urllib.parse import parse_qsl

import botocore.model
import botocore.parsers
import botocore.session

from refusal import Refused
from rest import by_rest
from shapes import check_blobs, check_shape, invalid, nested, typed, without_null
from signing import Keys, signer

__all__ = ["Checked", "Keys", "Refused", "Request", "check"]

SERVICES = ("sts", "iam", "cloudwatch", "ecs", "elbv2", "lambda", "s3", "ecr")
WITHOUT_SIGNATURE = ("AssumeRoleWithWebIdentity",)
HOME_REGION = "eu-west-1"


class Request:
    """As it came; the names of headers are in small letters."""

    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        self.target = target
        self.path, _, self.query = target.partition("?")

    @property
    def protocol(self):
        """In which words a refusal is put: `json`, `rest-json`, `rest-xml` or `query`."""
        signed = re.search(r"/([a-z0-9-]+)/aws4_request", self.headers.get("authorization", ""))
        if "x-amz-target" in self.headers or "smithy-protocol" in self.headers:
            return "json"
        return {"lambda": "rest-json", "s3": "rest-xml"}.get(signed and signed[1], "query")


@dataclasses.dataclass
class Checked:
    service: str
    operation: str
    region: str
    parameters: dict

    @property
    def name(self):
        return f"{self.service}.{self.operation}"


def load_models():
    loader = botocore.session.get_session().get_component("data_loader")
    return {
        name: botocore.model.ServiceModel(loader.load_service_model(name, "service-2"), name)
        for name in SERVICES
    }


MODELS = load_models()


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
    operation = model.operation_model(name)
    try:
        parameters = json.loads(request.body or b"{}")
    except ValueError as error:
        raise Refused("SerializationException", str(error)) from error
    if not isinstance(parameters, dict):
        raise Refused("SerializationException", "the body is no object")
    parameters = without_null(parameters)
    if operation.input_shape:
        check_blobs(operation.input_shape, parameters)
    return operation, parameters


def by_path(model, request):
    name = request.path.rpartition("/")[2]
    if name not in model.operation_names:
        raise Refused("UnknownOperationException", f"there is no {name}")
    parser = botocore.parsers.RpcV2CBORParser()
    body = io.BufferedReader(io.BytesIO(request.body))
    return model.operation_model(name), parser.parse_data_item(body) if request.body else {}


def is_rest(model):
    return model.metadata["protocol"].startswith("rest-")


def check(request, keys):
    """What a request that is right asks for (Checked); raises Refused for any other."""
    action = dict(parse_qsl(request.body.decode("latin-1"))).get("Action")
    unsigned = "authorization" not in request.headers and action in WITHOUT_SIGNATURE
    service, region = ("sts", HOME_REGION) if unsigned else signer(request, keys)
    model = next((m for m in MODELS.values() if m.signing_name == service), None)
    if model is None:
        raise Refused("UnknownService", f"nothing is known of {service}")
    if is_rest(model):
        operation, parameters = by_rest(model, request)
    elif "x-amz-target" in request.headers:
        operation, parameters = by_target(model, request)
    elif request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        operation, parameters = by_path(model, request)
    elif request.method == "POST" and request.path == "/":
        operation, parameters = by_form(model, request)
    else:
        raise Refused("UnknownOperationException", f"{request.method} {request.path}", 404)
    check_shape(operation, parameters)
    return Checked(model.service_name, operation.name, region, parameters)
