"""What moto does about balancers, replaced by what has effects (elb.py)."""

import contextlib

from moto.elbv2.exceptions import TargetGroupNotFoundError, ValidationError
from moto.elbv2.models import ELBv2Backend, FakeAction, FakeTargetGroup, elbv2_backends

from figures import ACCOUNT

MOST_WEIGHT = 999


def find_group(backend, arn):
    group = backend.target_groups.get(arn)
    if group is None:
        raise TargetGroupNotFoundError()
    return group


def groups_have_health(balancers):
    def register(self, targets):
        for target in targets:
            balancers.enter(self, target["Id"], target.get("Port") or self.port)

    def deregister(self, targets):
        for target in targets:
            port = target.get("Port")
            balancers.leave(self, target["Id"], port and int(port))

    def balancers_of(self):
        backend = elbv2_backends[ACCOUNT][self.region_name]
        return sorted({
            listener.load_balancer_arn
            for balancer in list(backend.load_balancers.values())
            for listener in list(balancer.listeners.values())
            for rule in listener.rules.values()
            for action in rule.actions
            if self.arn in backend._get_target_group_arns_from(action_data=action.data)
        })

    def describe_target_health(self, target_group_arn, targets):
        return balancers.health(find_group(self, target_group_arn), targets)

    FakeTargetGroup.register, FakeTargetGroup.deregister = register, deregister
    FakeTargetGroup.load_balancer_arns = property(balancers_of, lambda self, value: None)
    ELBv2Backend.describe_target_health = describe_target_health


def weights_are_checked():
    """ELB takes 0 to 999; moto takes anything, and in ModifyListener even absent groups."""
    validate, modify_listener = ELBv2Backend._validate_actions, ELBv2Backend.modify_listener

    def validate_weights(self, actions):
        validate(self, actions)
        for action in actions:
            for group in action.data.get("ForwardConfig", {}).get("TargetGroups", []):
                if not 0 <= int(group.get("Weight", 1)) <= MOST_WEIGHT:
                    raise ValidationError(f"Weight must be between 0 and {MOST_WEIGHT}")

    def validated_listener(self, arn, port, protocol, policy, certificates, actions):
        validate_weights(self, [FakeAction(action) for action in actions])
        return modify_listener(self, arn, port, protocol, policy, certificates, actions)

    ELBv2Backend._validate_actions = validate_weights
    ELBv2Backend.modify_listener = validated_listener


def listeners_are_open(balancers):
    create_balancer, delete_balancer = (
        ELBv2Backend.create_load_balancer, ELBv2Backend.delete_load_balancer,
    )
    create_listener, delete_listener = (
        ELBv2Backend.create_listener, ELBv2Backend.delete_listener,
    )

    def new_balancer(self, *words, **more):
        balancer = create_balancer(self, *words, **more)
        balancer.dns_name, balancer.state = balancers.addresses.next(), "active"
        return balancer

    def no_balancer(self, arn):
        with contextlib.suppress(KeyError):
            for listener in list(self.load_balancers[arn].listeners):
                balancers.shut(listener)
        delete_balancer(self, arn)

    def new_listener(self, *words, **more):
        listener = create_listener(self, *words, **more)
        balancers.open(self, listener)
        return listener

    def no_listener(self, arn):
        balancers.shut(arn)
        return delete_listener(self, arn)

    ELBv2Backend.create_load_balancer, ELBv2Backend.delete_load_balancer = new_balancer, no_balancer
    ELBv2Backend.create_listener, ELBv2Backend.delete_listener = new_listener, no_listener


def take_over(balancers):
    """moto's own functions give way to those that have effects."""
    groups_have_health(balancers)
    weights_are_checked()
    listeners_are_open(balancers)
