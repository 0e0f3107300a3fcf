"""REST protocols: which operation a method and a path are, by the models' own URI patterns."""

import json
import re
import xml.etree.ElementTree
from urllib.parse import parse_qsl, unquote

from refusal import Refused
from shapes import SCALARS, check_blobs, invalid, without_null

PLACE = re.compile(r"\{([^}+]+)(\+?)\}")
IGNORED_QUERY = {"x-id"}  # names the operation for people who read logs


def pattern(uri):
    """`/{Bucket}/{Key+}` as an expression whose groups are numbered, and the names in order."""
    text, names, at = "", [], 0
    for place in PLACE.finditer(uri):
        text += re.escape(uri[at:place.start()]) + ("(.+)" if place[2] else "([^/]+)")
        names.append(place[1])
        at = place.end()
    return re.compile(text + re.escape(uri[at:].rstrip("/")) + "/?"), names


def members_at(operation, location):
    shape = operation.input_shape
    return {
        member.serialization.get("name", name): (name, member)
        for name, member in (shape.members.items() if shape else ())
        if member.serialization.get("location") == location
    }


def required_words(operation):
    """Names in the query and in headers without which it is another operation."""
    words = set()
    for location in ("querystring", "header"):
        for word, (name, _) in members_at(operation, location).items():
            if name in operation.input_shape.required_members:
                words.add(word.lower())
    return words


def match(model, request):
    """The operation, what stands in its path, and its fixed query; raises Refused."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    given = {name.lower() for name in query} | request.headers.keys()
    best, score = None, None
    for name in model.operation_names:
        operation = model.operation_model(name)
        uri, _, fixed = operation.http["requestUri"].partition("?")
        fixed = dict(parse_qsl(fixed, keep_blank_values=True))
        if operation.http["method"] != request.method:
            continue
        if any(query.get(key) != value for key, value in fixed.items() if key != "x-id"):
            continue
        expression, names = pattern(uri)
        found = expression.fullmatch(request.path)
        if not found:
            continue
        required = required_words(operation)
        fit = (len(fixed.keys() - IGNORED_QUERY), -len(required - given), len(required),
               len(PLACE.sub("", uri)), -len(uri), -len(name))
        if score is None or fit > score:
            best, score = (operation, dict(zip(names, map(unquote, found.groups()))), fixed), fit
    if best is None:
        raise Refused("UnknownOperationException", f"{request.method} {request.path}", 404)
    return best


def scalar(member, text, path):
    if member.type_name in ("list", "map"):
        return [text]
    return SCALARS[member.type_name](text, path) if member.type_name in SCALARS else text


def plain(element):
    return element.tag.rpartition("}")[2]


def from_xml(shape, element, path):
    """An element as the value that its shape has."""
    if shape.type_name == "structure":
        names = {m.serialization.get("name", n): n for n, m in shape.members.items()}
        told = {}
        for child in element:
            name = names.get(plain(child)) or invalid(path, f"unknown element {plain(child)}")
            member, at = shape.members[name], f"{path}.{name}"
            if member.type_name == "list" and member.serialization.get("flattened"):
                told.setdefault(name, []).append(from_xml(member.member, child, at))
            else:
                told[name] = from_xml(member, child, at)
        return told
    if shape.type_name == "list":
        return [from_xml(shape.member, child, path) for child in element]
    return scalar(shape, element.text or "", path)


def read_payload(member, name, request, parameters):
    if member.type_name in ("blob", "string"):
        parameters[name] = request.body
    elif request.body:
        try:
            element = xml.etree.ElementTree.fromstring(request.body)
        except xml.etree.ElementTree.ParseError as error:
            raise Refused("MalformedXML", str(error)) from error
        parameters[name] = from_xml(member, element, name)


def read_body(operation, request, parameters):
    shape = operation.input_shape
    payload = shape.serialization.get("payload")
    if payload:
        read_payload(shape.members[payload], payload, request, parameters)
        return
    members = {
        member.serialization.get("name", name): (name, member)
        for name, member in shape.members.items() if not member.serialization.get("location")
    }
    if not request.body:
        return
    if request.headers.get("content-type", "application/json").split(";")[0] not in (
        "application/json", "application/x-amz-json-1.1"
    ):
        raise Refused("UnsupportedMediaTypeException", "the Content-Type is not JSON's", 415)
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise Refused("InvalidRequestContentException", str(error)) from error
    if not isinstance(body, dict):
        raise Refused("InvalidRequestContentException", "the body is no object")
    for word, value in without_null(body).items():
        if word not in members:
            invalid("", f"unknown member {word}")
        name, member = members[word]
        check_blobs(member, value, name)
        parameters[name] = value


def by_rest(model, request):
    operation, path, fixed = match(model, request)
    if operation.input_shape is None:
        return operation, {}
    parameters = {}
    for word, (name, member) in members_at(operation, "uri").items():
        parameters[name] = scalar(member, path[word], name)
    known = members_at(operation, "querystring")
    for word, text in parse_qsl(request.query, keep_blank_values=True):
        if word in known:
            name, member = known[word]
            parameters[name] = scalar(member, text, name)
        elif word not in fixed.keys() | IGNORED_QUERY:
            invalid("the query", f"unknown parameter {word}")
    for word, (name, member) in members_at(operation, "header").items():
        if word.lower() in request.headers and member.type_name != "timestamp":
            parameters[name] = scalar(member, request.headers[word.lower()], name)
    read_body(operation, request, parameters)
    return operation, parameters
