"""IAM, as far as who calls may ask it about itself: everybody is allowed everything, but for the
actions that a test has denied ({"denied": ["ecs:UpdateService"]})."""

from xml.sax.saxutils import escape

from refusal import Refused

ACTIONS = {"elbv2": "elasticloadbalancing"}  # as policies call the service, where it differs


def action_of(service, operation):
    return f"{ACTIONS.get(service, service)}:{operation}"


class Policies:
    def __init__(self):
        self.denied = set()

    def check(self, service, operation):
        action = action_of(service, operation)
        if action in self.denied:
            raise Refused(
                "AccessDeniedException",
                f"User: arn:aws:iam::123456789012:user/bench is not authorized to perform: {action}",
                403,
            )

    def answer(self, operation, _, words):
        if operation != "SimulatePrincipalPolicy":
            raise Refused("InvalidAction", f"the bench has no iam.{operation}")
        results = "".join(
            f"<member><EvalActionName>{escape(action)}</EvalActionName>"
            f"<EvalResourceName>{escape(resource)}</EvalResourceName><EvalDecision>"
            f"{'implicitDeny' if action in self.denied else 'allowed'}</EvalDecision></member>"
            for action in words["ActionNames"]
            for resource in words.get("ResourceArns", ["*"])
        )
        return (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>"
            f"{results}</EvaluationResults></SimulatePrincipalPolicyResult><ResponseMetadata>"
            "<RequestId>bench</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
        ).encode()
