"""Faults that a test orders for an operation: each meets one request, or `times` of them.

FAULT is one of, or several together,
{"status": N, "message": TEXT, "headers": {…}}     instead of the effect
{"after": true, "status": N, …}                    the effect is there, the answer is lost
{"cut": "before" | "after"}                        the connection ends, without or with the effect
{"delay": SECONDS}                                 the answer comes late
{"secondary": SECONDS | null, "status": 403|429}   the secondary limit, with Retry-After or without
{"exhausted": SECONDS, "status": 403|429}          the primary limit, until so many seconds from now
{"stale": true}                                    a reading answers what it did the last time
{"malformed": true}                                the JSON of the answer ends in its middle
{"first": [ACT, …]}                                what people do just before (people.py)
{"skip": N}                                        lets N requests pass before

"graphql" is the name of what is asked there.
"""

import collections

from refusal import Refused

WORDS = {
    "status", "message", "headers", "after", "cut", "delay", "secondary", "exhausted", "stale",
    "malformed", "first", "skip", "times",
}
NONE = {}


class Faults:
    def __init__(self):
        self.forget()

    def forget(self):
        self.waiting = {}
        self.met = collections.Counter()

    def order(self, orders):
        for name, faults in orders.items():
            for fault in faults:
                unknown = fault.keys() - WORDS
                if unknown:
                    raise Refused(422, f"no faults of the bench: {sorted(unknown)}")
        self.waiting = {name: [dict(one) for one in faults] for name, faults in orders.items()}

    def of(self, name):
        """The fault that this request meets; "*" stands for every operation."""
        for key in (name, "*"):
            waiting = self.waiting.get(key)
            if not waiting:
                continue
            fault = waiting[0]
            if fault.get("skip", 0) > 0:
                fault["skip"] -= 1
                continue
            if fault.get("times", 1) > 1:
                fault["times"] -= 1
            else:
                waiting.pop(0)
            for word in sorted(fault.keys() & (WORDS - {"skip", "times", "message", "headers"})):
                self.met[f"{name} {word}"] += 1
            return fault
        return NONE


def refusal(fault):
    """The answer that a fault puts in place of the right one; None where it does not."""
    if "status" not in fault or "secondary" in fault or "exhausted" in fault:
        return None
    status = fault["status"]
    words = fault.get("message", "Server Error" if status >= 500 else "by the bench")
    return Refused(status, words, headers=fault.get("headers", {}))
