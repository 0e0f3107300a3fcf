"""What may be asked: texts as the values that a model's shape has, and what it says of them."""

import base64
import binascii
import re

import botocore.validate

from refusal import Refused


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


def of_python(pattern):
    """The classes of letters, numbers and blanks that Python's expressions do not have."""
    for name, ours in ((r"\p{L}", r"\w"), (r"\p{N}", r"\d"), (r"\p{Z}", r"\s")):
        pattern = pattern.replace(name, ours)
    return pattern


def check_words(shape, value, path=""):
    """What botocore's validator leaves to the service: enumerations, patterns, upper bounds."""
    kind = shape.type_name
    if kind == "structure":
        for name, member in value.items():
            check_words(shape.members[name], member, f"{path}.{name}")
    elif kind == "list":
        for n, member in enumerate(value):
            check_words(shape.member, member, f"{path}.{n + 1}")
    elif kind == "map":
        for name, member in value.items():
            check_words(shape.key, name, f"{path}.{name}")
            check_words(shape.value, member, f"{path}.{name}")
    elif kind == "string":
        if shape.enum and value not in shape.enum:
            invalid(path, f"{value!r} is not one of {', '.join(shape.enum)}")
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(of_python(pattern), value, re.S):
            invalid(path, f"{value!r} does not match {pattern}")
    size = len(value) if kind in ("string", "list") else value
    most = shape.metadata.get("max")
    if most is not None and kind in ("string", "list", "integer", "long", "double") and size > most:
        invalid(path, f"above its maximum of {most}")


def without_null(value):
    """A member that is null is one that was not given."""
    if isinstance(value, dict):
        return {name: without_null(member) for name, member in value.items() if member is not None}
    return [without_null(member) for member in value] if isinstance(value, list) else value


def check_blobs(shape, value, path=""):
    """In JSON, bytes are Base64."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in value.keys() & shape.members.keys():
            check_blobs(shape.members[name], value[name], f"{path}.{name}")
    elif shape.type_name == "blob":
        try:
            base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            invalid(path, "is no Base64")


def check_shape(operation, parameters):
    shape = operation.input_shape
    if shape is None:
        return
    report = botocore.validate.ParamValidator().validate(parameters, shape)
    if report.has_errors():
        invalid("", report.generate_report())
    check_words(shape, parameters)
