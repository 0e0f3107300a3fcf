"""Elastic Load Balancing whose balancers balance: targets are asked for their health over HTTP, and
listeners are proxies (proxy.py). What moto keeps are balancers, listeners, rules and groups; where
it would only keep them, elb_moto.py has them act.

Time is compressed: a group's health is looked at every HEALTH_SECONDS whatever its interval says
(its thresholds hold), and deregistration takes at most DRAIN_SECONDS.
"""

import concurrent.futures
import http.client
import threading
import time

from moto.elbv2.models import FakeHealthStatus, elbv2_backends

from elb_moto import take_over
from figures import ACCOUNT
from proxy import Proxy

HEALTH_SECONDS, DRAIN_SECONDS, TIMEOUT_SECONDS = 0.2, 1.0, 1.0
REASONS = {
    "initial": ("Elb.RegistrationInProgress", "Target registration is in progress"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    "not in use": ("Target.NotInUse", "Target group is not configured to receive traffic"),
    "unused": ("Target.NotRegistered", "Target is not registered to the target group"),
    "timeout": ("Target.Timeout", "Request timed out"),
    "refused": ("Target.FailedHealthChecks", "Health checks failed"),
}


def matches(matcher, status):
    """`200`, `200,202` or `200-299`."""
    for part in str(matcher.get("HttpCode", "200")).split(","):
        low, _, high = part.partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False


class Target:
    def __init__(self, group, name, port, address):
        self.group, self.name, self.port, self.address = group, name, int(port), address
        self.good = self.bad = 0
        self.state, self.why = "initial", REASONS["initial"]
        self.draining_since = None

    def drain(self):
        self.draining_since = time.monotonic()
        self.state, self.why = "draining", REASONS["draining"]

    def note(self, why):
        """`why` is None for an answer as it should be."""
        if self.draining_since is not None:
            return
        if why is None:
            self.good, self.bad = self.good + 1, 0
            needed = 1 if self.state == "initial" else int(self.group.healthy_threshold_count)
            if self.good >= needed and self.state != "healthy":
                self.state, self.why = "healthy", (None, None)
            return
        self.good, self.bad = 0, self.bad + 1
        if self.bad >= int(self.group.unhealthy_threshold_count):
            self.state, self.why = "unhealthy", why

    def ask(self):
        port = self.group.health_check_port
        port = self.port if port in (None, "traffic-port") else int(port)
        connection = http.client.HTTPConnection(self.address, port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", self.group.health_check_path or "/")
            status = connection.getresponse().status
        except TimeoutError:
            return self.note(REASONS["timeout"])
        except (OSError, http.client.HTTPException):
            return self.note(REASONS["refused"])
        finally:
            connection.close()
        if matches(self.group.matcher, status):
            return self.note(None)
        return self.note((
            "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]",
        ))


class Balancers:
    """All regions'. `instances` says where a target that is an instance's id can be reached."""

    def __init__(self, addresses, figures):
        self.addresses, self.figures = addresses, figures
        self.lock = threading.RLock()
        self.targets = {}  # by group's ARN, then by (id, port)
        self.instances, self.labels, self.troubles = {}, {}, []
        self.proxies = {}
        self.health_seconds, self.drain_seconds = HEALTH_SECONDS, DRAIN_SECONDS
        self.askers = concurrent.futures.ThreadPoolExecutor(16)
        take_over(self)

    # ---- what the calls ask for ----

    def enter(self, group, name, port):
        with self.lock:
            known = self.targets.setdefault(group.arn, {})
            target = known.get((name, int(port)))
            if target is None or target.draining_since is not None:
                address = self.instances.get(name, name)
                known[name, int(port)] = Target(group, name, port, address)

    def leave(self, group, name, port):
        with self.lock:
            for key, target in self.targets.get(group.arn, {}).items():
                if key[0] == name and port in (None, key[1]) and target.draining_since is None:
                    target.drain()

    def in_use(self, group):
        return elbv2_backends[ACCOUNT][group.region_name]._any_listener_using(group.arn)

    def health(self, group, asked):
        with self.lock:
            known = self.targets.get(group.arn, {})
            if not asked:
                found = list(known.values())
            else:
                found = [self.one(group, known, words) for words in asked]
            used = self.in_use(group)
            return [status(target, used) for target in found]

    @staticmethod
    def one(group, known, words):
        for (name, port), target in known.items():
            if name == words["Id"] and int(words.get("Port", port)) == port:
                return target
        absent = Target(group, words["Id"], words.get("Port") or group.port, None)
        absent.state, absent.why = "unused", REASONS["unused"]
        return absent

    def state(self, arn, name, port):
        with self.lock:
            target = self.targets.get(arn, {}).get((name, int(port)))
            return target.state if target else "unused"

    def receivers(self, arn):
        """Those that get requests: the healthy ones; where all have failed, all of them."""
        with self.lock:
            serving = [t for t in self.targets.get(arn, {}).values() if t.draining_since is None]
            healthy = [t for t in serving if t.state == "healthy"]
            failed = serving and all(t.state == "unhealthy" for t in serving)
            return healthy or (serving if failed else [])

    # ---- what goes on by itself ----

    def look(self):
        """Asks every target of a group in use; takes away what has drained."""
        now, asked = time.monotonic(), []
        with self.lock:
            for known in self.targets.values():
                for key, target in list(known.items()):
                    since = target.draining_since
                    delay = float(target.group.attributes["deregistration_delay.timeout_seconds"])
                    if since is None:
                        asked.append(target)
                    elif now - since > min(delay, self.drain_seconds):
                        del known[key]
            asked = [target for target in asked if self.in_use(target.group)]
        concurrent.futures.wait([self.askers.submit(target.ask) for target in asked])

    def count_hosts(self):
        with self.lock:
            for known in self.targets.values():
                states = [target.state for target in known.values()]
                group = next((target.group for target in known.values()), None)
                for arn in group.load_balancer_arns if group else ():
                    for name, word in (("HealthyHostCount", "healthy"),
                                       ("UnHealthyHostCount", "unhealthy")):
                        self.figures.count(
                            group.region_name, "AWS/ApplicationELB", name,
                            [("TargetGroup", group.arn.rpartition(":")[2]),
                             ("LoadBalancer", arn.partition(":loadbalancer/")[2])],
                            states.count(word),
                        )

    # ---- listeners ----

    def open(self, backend, listener):
        balancer = backend.load_balancers[listener.load_balancer_arn]
        try:
            self.proxies[listener.arn] = Proxy(self, backend, balancer, listener)
        except OSError as error:
            self.troubles.append(f"{balancer.dns_name}:{listener.port}: {error}")

    def shut(self, arn):
        proxy = self.proxies.pop(arn, None)
        if proxy:
            proxy.close()

    def urls(self):
        return {arn: proxy.url for arn, proxy in self.proxies.items()}

    def close(self):
        for arn in list(self.proxies):
            self.shut(arn)
        self.askers.shutdown(cancel_futures=True)


def status(target, used):
    state, why = target.state, target.why
    if not used and state not in ("draining", "unused"):
        state, why = "unused", REASONS["not in use"]
    return FakeHealthStatus(
        target.name, str(target.port), str(target.port), state, why[0], why[1]
    )
