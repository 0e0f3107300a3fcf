"""GitHub's limits: requests an hour, contents a minute, and the pauses that it asks for.

What comes faster than GitHub advises is let pass and written down: a test asserts that the lists
are empty.
"""

import collections

from refusal import Refused

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
CONTENT = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content "
    "creation. Please retry your request again later."
)
USUAL = {"limit": 5000, "content_limit": 80, "least_gap": 0.95, "window": 3600}


class Account:
    """What one token has used."""

    def __init__(self, reset):
        self.used, self.reset = 0, reset
        self.contents = collections.deque()
        self.written = 0.0
        self.blocked_until = 0.0


class Limits:
    def __init__(self, world):
        self.world = world
        self.forget()

    def forget(self):
        self.settings = dict(USUAL)
        self.accounts = {}
        self.too_fast, self.too_early = [], []

    def account(self, key):
        now = self.world.seconds()
        account = self.accounts.get(key)
        if account is None or account.reset <= now:
            fresh = Account(int(now + self.settings["window"]))
            if account:
                fresh.contents, fresh.written = account.contents, account.written
                fresh.blocked_until = account.blocked_until
            account = self.accounts[key] = fresh
        return account

    def headers(self, key):
        account = self.account(key)
        limit = self.settings["limit"]
        return {
            "x-ratelimit-limit": limit, "x-ratelimit-remaining": max(0, limit - account.used),
            "x-ratelimit-used": account.used, "x-ratelimit-reset": account.reset,
            "x-ratelimit-resource": "core",
        }

    def take(self, key, name, writes):
        """Counts a request; raises Refused where there is none left."""
        account, now = self.account(key), self.world.seconds()
        if now < account.blocked_until:
            self.too_early.append(f"{name}: {account.blocked_until - now:.2f} s too early")
        account.used += 1
        if account.used > self.settings["limit"]:
            self.exhaust(key)
        if not writes:
            return
        if now - account.written < self.settings["least_gap"]:
            self.too_fast.append(f"{name}: {now - account.written:.2f} s after another write")
        account.written = now
        while account.contents and account.contents[0] <= now - 60:
            account.contents.popleft()
        if len(account.contents) >= self.settings["content_limit"]:
            wait = max(1, int(account.contents[0] + 60 - now))
            account.blocked_until = now + wait
            raise Refused(403, CONTENT, headers={"Retry-After": wait})
        account.contents.append(now)

    def give_back(self, key):
        """An answer "304 Not Modified" costs nothing."""
        self.account(key).used -= 1

    def exhaust(self, key, status=403, seconds=None):
        """Says that no request is left until the reset, or from now for so many seconds."""
        account = self.account(key)
        if seconds is not None:
            account.reset = int(self.world.seconds() + seconds + 0.999)
        account.used = max(account.used, self.settings["limit"])
        account.blocked_until = account.reset
        raise Refused(status, "API rate limit exceeded for installation ID 4711.")

    def secondary(self, key, status=403, seconds=None):
        """With Retry-After, or with words only: then a minute is to be waited."""
        now = self.world.seconds()
        self.account(key).blocked_until = now + (60 if seconds is None else seconds)
        headers = {} if seconds is None else {"Retry-After": seconds}
        raise Refused(status, SECONDARY, headers=headers)
