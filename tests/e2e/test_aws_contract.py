"""What the bench's contract lets pass and what it does not (tests/bench/aws/contract.py): requests
are signed by hand, so that what AWS's own client would never send is sent."""

import http.client
import json

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from aws_bench import KEYS, REGION, AwsBench, EcsWorld, LambdaWorld


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = AwsBench(tmp_path_factory.mktemp("aws") / "log")
    try:
        EcsWorld(bench, count=0)
        LambdaWorld(bench)
        yield bench
    finally:
        bench.stop()


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/lb/1/2/3"
GROUPS = "Actions.member.1.ForwardConfig.TargetGroups"
RULE = (
    f"Action=ModifyRule&Version=2015-12-01&RuleArn={ARN}&Actions.member.1.Type=forward"
    f"&{GROUPS}.member.1.TargetGroupArn=a&{GROUPS}.member.1.Weight=10"
)
ALIAS = "/2015-03-31/functions/thumbs/aliases/live"


def ecs(operation, **words):
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}",
    }
    return "ecs", "POST", "/", json.dumps(words), headers


def ecr(operation, **words):
    service, *rest, headers = ecs(operation, **words)
    target = f"AmazonEC2ContainerRegistry_V20150921.{operation}"
    return "ecr", *rest, {**headers, "X-Amz-Target": target}


def elb(form=RULE):
    return "elasticloadbalancing", "POST", "/", form, FORM


def function(method="PUT", path=ALIAS, headers=None, **words):
    return "lambda", method, path, json.dumps(words) if words else "", headers or JSON


def storage(method, path, body="", headers=None):
    return "s3", method, path, body, headers or {}


def send(bench, service, method, path, body, headers, secret=None, damage=None):
    """The status of the answer; `damage` gives what is other than what was signed."""
    request = botocore.awsrequest.AWSRequest(method, bench.url + path, data=body, headers=headers)
    credentials = botocore.credentials.Credentials(
        KEYS["AWS_ACCESS_KEY_ID"], secret or KEYS["AWS_SECRET_ACCESS_KEY"]
    )
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    kind(credentials, service, REGION).add_auth(request)
    words = {"method": method, "path": path, "body": body, "headers": dict(request.headers)}
    if damage:
        words.update(damage(words))
    connection = http.client.HTTPConnection("127.0.0.1", bench.port, timeout=30)
    connection.request(words["method"], words["path"], words["body"], words["headers"])
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def without(name):
    return lambda words: {"headers": {k: v for k, v in words["headers"].items() if k != name}}


# Each of them is right …
RIGHT = {
    "ecs": ecs("ListClusters"),
    "ecr": ecr("DescribeRepositories"),
    "s3": storage("GET", "/learn/thumbs-v1.zip"),
    "lambda": function("GET"),
    "a null": ecs("DescribeServices", cluster="learn", services=["web-blue"], include=None),
}
# … and each of these is not: what is wrong with it, and the refusal's code.
WRONG = {
    "a weight that is no number": (elb(RULE.replace("=10", "=10%25")), "ValidationError"),
    "a misspelt member": (elb(RULE.replace("Weight", "Wieght")), "ValidationError"),
    "an enumeration's absent word": (elb(RULE.replace("=forward", "=route")), "ValidationError"),
    "a list with a gap": (elb(RULE + f"&{GROUPS}.member.3.Weight=1"), "ValidationError"),
    "a list that is a map": (elb(RULE.replace("s.member", "s.entry", 1)), "ValidationError"),
    "a member that is missing": (elb(RULE.replace(f"RuleArn={ARN}", "")), "ValidationError"),
    "another version": (elb(RULE.replace("2015-12-01", "2012-06-01")), "InvalidAction"),
    "an action of another service": (
        elb("Action=GetMetricData&Version=2015-12-01"), "InvalidAction"),
    "a text for a count": (
        ecs("UpdateService", service="web-blue", desiredCount="2"), "ValidationError"),
    "no service": (ecs("UpdateService", cluster="learn"), "ValidationError"),
    "a number for a name": (ecs("UpdateService", service=7), "ValidationError"),
    "an output-only member": (
        ecs("RegisterTaskDefinition", family="web", containerDefinitions=[], revision=3),
        "ValidationError"),
    "a nested misspelt member": (
        ecs("RegisterTaskDefinition", family="web", containerDefinitions=[{"Image": "a"}]),
        "ValidationError"),
    "an operation that there is not": (ecs("UpdateServices"), "UnknownOperationException"),
    "a list for an object": (
        (*ecs("ListClusters")[:3], "[]", ecs("ListClusters")[4]), "SerializationException"),
    "JSON that is cut": (
        (*ecs("ListClusters")[:3], '{"a":', ecs("ListClusters")[4]), "SerializationException"),
    "another type of content": (
        (*ecs("ListClusters")[:4], {**ecs("ListClusters")[4], **JSON}),
        "UnknownOperationException"),
    "a digest that is none": (
        ecr("BatchGetImage", repositoryName="Learn Web", imageIds=[]), "ValidationError"),
    "a weight above one": (
        function(RoutingConfig={"AdditionalVersionWeights": {"2": 1.5}}), "ValidationError"),
    "a weight below nothing": (
        function(RoutingConfig={"AdditionalVersionWeights": {"2": -0.1}}), "ValidationError"),
    "a weight that is a text": (
        function(RoutingConfig={"AdditionalVersionWeights": {"2": "0.1"}}), "ValidationError"),
    "a version that is none": (function(FunctionVersion="one"), "ValidationError"),
    "a member of the path in the body": (function(Name="live"), "ValidationError"),
    "a misspelt path": (
        function(path=ALIAS.replace("functions", "function")), "UnknownOperationException"),
    "another method": (function("PATCH"), "UnknownOperationException"),
    "an unknown word in the query": (function("GET", ALIAS + "?Max=1"), "ValidationError"),
    "a number in the query that is none": (
        function("GET", "/2015-03-31/functions/thumbs/versions?MaxItems=ten"), "ValidationError"),
    "bytes that are no Base64": (
        function(path="/2015-03-31/functions/thumbs/code", ZipFile="%%%"), "ValidationError"),
    "a form to Lambda": (
        function(headers=FORM, FunctionVersion="1"), "UnsupportedMediaTypeException"),
    "an unknown word in S3's query": (storage("GET", "/learn/a?color=red"), "ValidationError"),
    "XML that is cut": (storage("PUT", "/learn?versioning", "<Versioning"), "MalformedXML"),
    "an unknown element": (
        storage("PUT", "/learn?versioning", "<VersioningConfiguration><State/>"
                "</VersioningConfiguration>"), "ValidationError"),
    "another secret": (ecs("ListClusters"), "SignatureDoesNotMatch", {"secret": "wrong"}),
    "another body": (
        ecs("DescribeServices", services=["a"]), "SignatureDoesNotMatch",
        {"damage": lambda words: {"body": words["body"].replace("a", "b")}}),
    "another object": (
        storage("GET", "/learn/a"), "SignatureDoesNotMatch",
        {"damage": lambda words: {"path": "/learn/b"}}),
    "another query": (
        function("GET", "/2015-03-31/functions?MaxItems=1"), "SignatureDoesNotMatch",
        {"damage": lambda words: {"path": words["path"].replace("=1", "=2")}}),
    "another content": (
        storage("PUT", "/learn/a", "first"), "XAmzContentSHA256Mismatch",
        {"damage": lambda words: {"body": "other"}}),
    "no signature": (
        function("GET"), "MissingAuthenticationToken", {"damage": without("Authorization")}),
    "another service's signature": (
        ("lambda", *ecs("ListClusters")[1:]), "UnknownOperationException"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes(bench, name):
    before = len(bench.refused())
    assert send(bench, *RIGHT[name]) == 200
    assert len(bench.refused()) == before


@pytest.mark.parametrize("name", WRONG)
def test_what_was_damaged_does_not_pass(bench, name):
    request, code, *how = WRONG[name]
    before = len(bench.refused())
    assert send(bench, *request, **(how[0] if how else {})) >= 400
    words = bench.refused()[before:]
    assert len(words) == 1 and words[0].startswith(code + ":"), words
