"""Values held against the schemas of an OpenAPI 3.0 description.

`faults(schema, value)` yields (place, words) for everything that is wrong. A request is read
strictly: a field that the schema does not name is wrong, where GitHub would ignore it in silence.
"""

import re

DEPTH = 40
FORMATS = {
    "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "uri": r"[a-z][a-z0-9+.-]*:\S*",
}
TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
    "number": (int, float),
}


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


class Schemas:
    def __init__(self, description):
        self.description = description
        self.found = {}

    def follow(self, node):
        """The node that a chain of references ends at."""
        while "$ref" in node:
            name = node["$ref"]
            if name not in self.found:
                target = self.description
                for part in name[2:].split("/"):
                    target = target[part.replace("~1", "/").replace("~0", "~")]
                self.found[name] = target
            node = self.found[name]
        return node

    def named(self, schema):
        """All fields that a schema and its alternatives name; None where any name goes."""
        schema = self.follow(schema)
        fields = dict(schema.get("properties", {}))
        more = schema.get("additionalProperties")
        is_open = bool(more) and more is not False
        for word in ("allOf", "anyOf", "oneOf"):
            for one in schema.get(word, ()):
                inner = self.named(one)
                if inner is None:
                    is_open = True
                else:
                    fields.update(inner)
        if is_open or (not fields and more is not False):
            return None
        return fields

    def faults(self, schema, value, strict=False, place="", depth=0, known=None):
        schema = self.follow(schema)
        if depth > DEPTH:
            yield place, "is too deep"
            return
        if value is None:
            if not self.may_be_null(schema):
                yield place, "is null"
            return
        yield from self.alternatives(schema, value, strict, place, depth, known)
        kind = schema.get("type")
        if kind and not is_type(value, kind):
            yield place, f"is {type(value).__name__}, not {kind}"
            return
        if "enum" in schema and value not in schema["enum"]:
            words = ", ".join(str(word) for word in schema["enum"])
            yield place, f"{value!r} is not one of {words}"
        if isinstance(value, dict):
            yield from self.fields(schema, value, strict, place, depth, known)
        elif isinstance(value, list):
            yield from self.items(schema, value, strict, place, depth)
        elif isinstance(value, str):
            yield from text(schema, value, place)
        elif not isinstance(value, bool):
            if "minimum" in schema and value < schema["minimum"]:
                yield place, f"{value} is less than {schema['minimum']}"
            if "maximum" in schema and value > schema["maximum"]:
                yield place, f"{value} is more than {schema['maximum']}"

    def may_be_null(self, schema):
        schema = self.follow(schema)
        if schema.get("nullable") or None in schema.get("enum", ()) or not schema:
            return True
        either = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        if any(self.may_be_null(one) for one in either):
            return True
        whole = schema.get("allOf", ())
        return bool(whole) and all(self.may_be_null(one) for one in whole)

    def alternatives(self, schema, value, strict, place, depth, known):
        for word in ("allOf", "anyOf", "oneOf"):
            if word not in schema:
                continue
            if known is None and isinstance(value, dict) and strict:
                known = self.named(schema) or False
            tried = [
                list(self.faults(one, value, strict, place, depth + 1, known))
                for one in schema[word]
            ]
            if word == "allOf":
                yield from (fault for faults in tried for fault in faults)
            elif all(tried):
                # That which fits least badly says what is wrong.
                yield from min(tried, key=lambda faults: (len(faults), -len(faults[0][0])))

    def fields(self, schema, value, strict, place, depth, known):
        names, more = schema.get("properties", {}), schema.get("additionalProperties")
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{place}/{name}", "is missing"
        for name, inner in value.items():
            at = f"{place}/{name}"
            if name in names:
                yield from self.faults(names[name], inner, strict, at, depth + 1)
            elif isinstance(more, dict) and more:
                yield from self.faults(more, inner, strict, at, depth + 1)
            elif more is False or (strict and self.is_unknown(schema, name, known)):
                yield at, "is not a field that there is"

    def is_unknown(self, schema, name, known):
        if known is None:
            known = self.named(schema)
        return bool(known) and name not in known

    def items(self, schema, value, strict, place, depth):
        if len(value) < schema.get("minItems", 0):
            yield place, f"has {len(value)} items, less than {schema['minItems']}"
        if len(value) > schema.get("maxItems", len(value)):
            yield place, f"has {len(value)} items, more than {schema['maxItems']}"
        for number, inner in enumerate(value if "items" in schema else ()):
            yield from self.faults(
                schema["items"], inner, strict, f"{place}/{number}", depth + 1
            )


def text(schema, value, place):
    if len(value) < schema.get("minLength", 0):
        yield place, f"is shorter than {schema['minLength']}"
    if len(value) > schema.get("maxLength", len(value)):
        yield place, f"is longer than {schema['maxLength']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield place, f"does not match {schema['pattern']}"
    form = FORMATS.get(schema.get("format"))
    if form and value and not re.fullmatch(form, value):
        yield place, f"{value!r} is no {schema['format']}"
