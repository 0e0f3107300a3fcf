"""Aliases: which version serves, and which other one gets a share (RoutingConfig)."""

import uuid

from lambda_function import absent, conflict, invalid, stale


def find(function, name):
    if name not in function.aliases:
        raise absent(f"Cannot find alias arn: {function.arn}:{name}")
    return function.aliases[name]


def check(function, alias):
    """What Lambda refuses of an alias as it would be."""
    main = alias["FunctionVersion"]
    function.version(main)
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1.")
    for other in weights:
        if "$LATEST" in (main, other):
            raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if other == main:
            raise invalid(
                "The function version of the alias and the additional version cannot be the same."
            )
        function.version(other)


def changed(alias, words):
    """The alias with what was asked for; no weights are as good as no RoutingConfig."""
    new = dict(alias)
    for name in ("FunctionVersion", "Description", "RoutingConfig"):
        if name in words:
            new[name] = words[name]
    if not new.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        new.pop("RoutingConfig", None)
    return new


def create(function, words):
    name = words["Name"]
    if name in function.aliases:
        raise conflict(f"Alias already exists: {function.arn}:{name}")
    alias = changed({"AliasArn": f"{function.arn}:{name}", "Name": name, "Description": ""}, words)
    check(function, alias)
    alias["RevisionId"] = str(uuid.uuid4())
    function.aliases[name] = alias
    return alias


def get(function, words):
    return find(function, words["Name"])


def update(function, words):
    alias = find(function, words["Name"])
    if "RevisionId" in words and words["RevisionId"] != alias["RevisionId"]:
        raise stale("GetFunction/GetAlias")
    new = changed(alias, words)
    check(function, new)
    new["RevisionId"] = str(uuid.uuid4())
    function.aliases[words["Name"]] = new
    return new


def delete(function, words):
    function.aliases.pop(words["Name"], None)  # one that is not there is no failure
    return {}


def list_all(function, words):
    wanted = words.get("FunctionVersion")
    return {"Aliases": [
        alias for _, alias in sorted(function.aliases.items())
        if wanted in (None, alias["FunctionVersion"])
    ]}


ALIAS_CALLS = {
    "CreateAlias": create, "GetAlias": get, "UpdateAlias": update, "ListAliases": list_all,
    "DeleteAlias": delete,
}
