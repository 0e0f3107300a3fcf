"""IAM. Who calls with a key that has policies ({"policies": {KEY: [DOCUMENT, …]}}) is allowed what
these allow, and nothing else; any other key is allowed everything, those that STS gave too. Nobody is allowed what a test has
denied ({"denied": ["ecs:UpdateService"]}). IAM's simulation answers by the same rules.

Which action of which resource a call needs is as the service authorization reference has it, for the
calls that are made here; one that is not known here is denied to a key with policies.
"""

import fnmatch
import re
import threading
from xml.sax.saxutils import escape

from figures import ACCOUNT
from refusal import Refused

SERVICES = {"elbv2": "elasticloadbalancing"}  # as policies call the service, where it differs
ANY = ("ecs.DescribeTaskDefinition", "ecs.RegisterTaskDefinition", "elbv2.DescribeRules",
       "elbv2.DescribeListeners", "elbv2.DescribeTargetHealth", "elbv2.DescribeTags",
       "ecr.GetAuthorizationToken", "cloudwatch.GetMetricData")
FREE = ("sts.GetCallerIdentity",)


def listed(value):
    return value if isinstance(value, list) else [value]


def tail(name):
    """Of a name, or of an ARN that ends with it."""
    return name.rpartition("/")[2]


def function_of(asked):
    name = asked.parameters["FunctionName"].rpartition(":")[2]  # of an ARN as well
    qualifier = asked.parameters.get("Qualifier")
    place = f"arn:aws:lambda:{asked.region}:{ACCOUNT}:function:{name}"
    return [f"{place}:{qualifier}" if qualifier else place]


def services_of(asked):
    words = asked.parameters
    named = words.get("services") or [words["service"]]
    cluster = tail(words.get("cluster", "default"))
    return [f"arn:aws:ecs:{asked.region}:{ACCOUNT}:service/{cluster}/{tail(name)}" for name in named]


def repository_of(asked):
    return [f"arn:aws:ecr:{asked.region}:{ACCOUNT}:repository/{asked.parameters['repositoryName']}"]


def object_of(asked):
    return [f"arn:aws:s3:::{asked.parameters['Bucket']}/{asked.parameters['Key']}"]


RESOURCES = {
    "ecs.DescribeServices": services_of,
    "ecs.UpdateService": services_of,
    "elbv2.ModifyRule": lambda asked: [asked.parameters["RuleArn"]],
    "elbv2.ModifyListener": lambda asked: [asked.parameters["ListenerArn"]],
    "elbv2.AddTags": lambda asked: asked.parameters["ResourceArns"],
    "ecr.BatchGetImage": repository_of,
    "s3.GetObject": object_of,
    "s3.HeadObject": object_of,
    "sts.AssumeRole": lambda asked: [asked.parameters["RoleArn"]],
    "iam.SimulatePrincipalPolicy": lambda asked: [asked.parameters["PolicySourceArn"]],
}


def action_of(asked):
    if asked.name in ("s3.GetObject", "s3.HeadObject"):
        return "s3:GetObjectVersion" if asked.parameters.get("VersionId") else "s3:GetObject"
    return f"{SERVICES.get(asked.service, asked.service)}:{asked.operation}"


def registers(asked):
    """What a new task definition needs besides."""
    words = asked.parameters
    if words.get("tags"):
        place = f"arn:aws:ecs:{asked.region}:{ACCOUNT}:task-definition/{words['family']}:1"
        yield "ecs:TagResource", place, {}
    for role in ("taskRoleArn", "executionRoleArn"):
        if words.get(role):
            yield "iam:PassRole", words[role], {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


def reads(asked):
    """What the code of a function is read by: as whoever updates it."""
    words = asked.parameters
    if words.get("S3Bucket"):
        action = "s3:GetObjectVersion" if words.get("S3ObjectVersion") else "s3:GetObject"
        yield action, f"arn:aws:s3:::{words['S3Bucket']}/{words['S3Key']}", {}


MORE = {"ecs.RegisterTaskDefinition": registers, "lambda.UpdateFunctionCode": reads}


def needs(asked):
    """The actions, each with its resource and its context; None where it is not known."""
    resources = RESOURCES.get(asked.name)
    if asked.service == "lambda" and "FunctionName" in asked.parameters:
        resources = function_of
    if asked.name in FREE:
        return []
    if asked.name not in ANY and not resources:
        return None
    places = ["*"] if asked.name in ANY else resources(asked)
    more = MORE.get(asked.name, lambda _: [])
    return [(action_of(asked), place, {}) for place in places] + list(more(asked))


def like(pattern, value):
    # Of fnmatch only * and ?: a policy has no sets of letters.
    return fnmatch.fnmatchcase(value, re.sub(r"\[", "[[]", pattern))


COMPARE = {"StringLike": like, "StringEquals": lambda wanted, value: wanted == value}


def holds(conditions, context):
    """A key that a request does not have fits nothing."""
    return all(
        key in context and any(COMPARE[operator](value, context[key]) for value in listed(values))
        for operator, wanted in conditions.items()
        for key, values in wanted.items()
    )


def fits(statement, action, resource, context):
    return (
        any(like(one.lower(), action.lower()) for one in listed(statement["Action"]))
        and any(like(one, resource) for one in listed(statement["Resource"]))
        and holds(statement.get("Condition", {}), context)
    )


class Policies:
    def __init__(self):
        self.denied, self.of_key, self.used = set(), {}, {}
        self.caller = threading.local()  # of the request that is under way in this thread

    def give(self, key, documents):
        self.of_key[key] = [one for document in documents for one in listed(document["Statement"])]
        for one in self.of_key[key]:
            if one["Effect"] not in ("Allow", "Deny") or set(one.get("Condition", {})) - set(COMPARE):
                raise ValueError(f"the bench does not know this of policies: {one}")
        self.used[key] = set()

    def allows(self, key, action, resource, context):
        if action in self.denied:
            return False
        if key not in self.of_key:
            return True
        effects = {
            one["Effect"] for one in self.of_key[key] if fits(one, action, resource, context)
        }
        return effects == {"Allow"}

    def check(self, key, asked):
        self.caller.key = key
        wanted = needs(asked)
        if wanted is None:
            wanted = [(action_of(asked), "*", {})] if key not in self.of_key else []
            if not wanted:
                self.refuse(f"{action_of(asked)}, which the bench does not know")
        for action, resource, context in wanted:
            if not self.allows(key, action, resource, context):
                self.refuse(action, resource)
            if key in self.used:
                self.used[key].add(action)

    @staticmethod
    def refuse(action, resource="*"):
        of = "" if resource == "*" else f" on resource: {resource}"
        raise Refused(
            "AccessDeniedException",
            f"User: arn:aws:iam::{ACCOUNT}:user/bench is not authorized to perform: {action}{of}",
            403,
        )

    def answer(self, operation, _, words):
        if operation != "SimulatePrincipalPolicy":
            raise Refused("InvalidAction", f"the bench has no iam.{operation}")
        context = {
            one["ContextKeyName"]: one["ContextKeyValues"][0]
            for one in words.get("ContextEntries", [])
        }
        results = "".join(
            f"<member><EvalActionName>{escape(action)}</EvalActionName>"
            f"<EvalResourceName>{escape(resource)}</EvalResourceName><EvalDecision>"
            f"{'allowed' if self.allows(self.caller.key, action, resource, context) else 'implicitDeny'}"
            "</EvalDecision></member>"
            for action in words["ActionNames"]
            for resource in words.get("ResourceArns", ["*"])
        )
        return (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>"
            f"{results}</EvaluationResults></SimulatePrincipalPolicyResult><ResponseMetadata>"
            "<RequestId>bench</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
        ).encode()
