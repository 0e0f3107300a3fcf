"""What there is on this GitHub: people, teams, repositories, and a clock that tests may advance."""

import collections
import hashlib
import itertools
import threading
import time

from refusal import Refused, absent

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
# What the permission endpoint says of a role in its older field.
PERMISSION = {"none": "none", "read": "read", "triage": "read", "write": "write",
              "maintain": "write", "admin": "admin"}


class User:
    def __init__(self, number, login, kind):
        self.id, self.login, self.kind = number, login, kind


class Commit:
    def __init__(self, sha, message, author, at, parents=(), files=(), co_authors=(), email=None):
        self.sha, self.author, self.at = sha, author, at
        self.email = email or f"{author}@users.noreply.github.com"
        self.parents, self.files = list(parents), [dict(one) for one in files]
        trailers = [f"Co-authored-by: {name} <{name}@users.noreply.github.com>"
                    for name in co_authors]
        self.message = "\n".join([message, "", *trailers]) if trailers else message


class Repository:
    """The parts of the API keep their things here, each in its own `kept[...]`."""

    def __init__(self, number, owner, name):
        self.id, self.owner, self.name = number, owner, name
        self.default_branch = "main"
        self.roles, self.team_roles = {}, {}
        self.commits, self.refs = {}, {}
        self.files = {}  # (path, ref) → bytes
        self.activities = []  # pushes and merges, the oldest first
        self.unpushed = {}  # branch: where it was when the last push was over
        self.kept = collections.defaultdict(dict)
        self.numbers = itertools.count(1)  # issues and pull requests share them

    @property
    def full_name(self):
        return f"{self.owner}/{self.name}"

    def resolve(self, ref):
        """The commit that a sha, a branch or a tag names; its sha, or None."""
        if ref in self.commits:
            return ref
        short = ref.removeprefix("refs/")
        for name in (short, f"heads/{short}", f"tags/{short}"):
            if name in self.refs:
                return self.refs[name]
        found = [sha for sha in self.commits if len(ref) >= 7 and sha.startswith(ref)]
        return found[0] if len(found) == 1 else None


class World:
    def __init__(self):
        self.lock = threading.RLock()
        self.ahead = 0.0
        self.forget()

    def forget(self):
        self.ids = itertools.count(1001)
        self.users, self.teams, self.repositories = {}, {}, {}

    # ---- time ------------------------------------------------------------------------------------

    def seconds(self):
        return time.time() + self.ahead

    def stamp(self, seconds=None):
        moment = self.seconds() if seconds is None else seconds
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))

    def stamp_after(self, stamp):
        """Of an edit: GitHub counts in seconds, and an edit is never at the moment of creation."""
        now = self.stamp()
        if now > stamp:
            return now
        before = time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ")
        return self.stamp(time.mktime(before) - time.timezone + 1)

    # ---- people ----------------------------------------------------------------------------------

    def id(self):
        return next(self.ids)

    def user(self, login, kind=None):
        """The account of that name, made where there is none."""
        if login.lower() not in self.users:
            usual = "Bot" if login.endswith("[bot]") else "User"
            self.users[login.lower()] = User(self.id(), login, kind or usual)
        elif kind:
            self.users[login.lower()].kind = kind
        return self.users[login.lower()]

    def known_user(self, login):
        if login.lower() not in self.users:
            raise absent()
        return self.users[login.lower()]

    def role(self, repository, login):
        """The best of one's own role and those of one's teams."""
        own = [repository.roles.get(login.lower(), "none")]
        for slug, role in repository.team_roles.items():
            members = self.teams.get((repository.owner.lower(), slug), {})
            if login.lower() in members:
                own.append(role)
        return max(own, key=ROLES.index)

    def association(self, repository, login):
        role = self.role(repository, login)
        if login.lower() == repository.owner.lower():
            return "OWNER"
        if any(login.lower() in members for (org, _), members in self.teams.items()
               if org == repository.owner.lower()):
            return "MEMBER"
        return "NONE" if role == "none" else "COLLABORATOR"

    # ---- repositories ----------------------------------------------------------------------------

    def add_repository(self, full_name):
        owner, name = full_name.split("/")
        repository = Repository(self.id(), owner, name)
        self.repositories[full_name.lower()] = repository
        return repository

    def repository(self, full_name):
        if full_name.lower() not in self.repositories:
            raise absent()
        return self.repositories[full_name.lower()]

    def add_commit(self, repository, message="A change", author="ada", branch=None, sha=None,
                   **more):
        """A commit on top of a branch, or beside all branches."""
        parents = more.pop("parents", None)
        pusher, kind = more.pop("pusher", None), more.pop("activity", None)
        unpushed = more.pop("unpushed", False)
        tip = repository.refs.get(f"heads/{branch}") if branch else None
        parents = parents if parents is not None else [tip] if tip else []
        seed = f"{message}{author}{parents}{self.id()}"
        sha = sha or hashlib.sha1(seed.encode()).hexdigest()
        self.user(author)
        commit = Commit(sha, message, author, self.stamp(), parents, **more)
        repository.commits[sha] = commit
        if branch:
            repository.refs[f"heads/{branch}"] = sha
            before = repository.unpushed.pop(branch, tip)
            if unpushed:
                repository.unpushed[branch] = before
            else:
                self.push(repository, branch, before, sha, pusher or author, kind)
        return commit

    def push(self, repository, branch, before, after, login, kind=None):
        """What the list of a repository's activities says of it."""
        self.user(login)
        usual = "push" if before else "branch_creation"
        repository.activities.append({
            "id": self.id(), "before": before or "0" * 40, "after": after, "actor": login,
            "ref": f"refs/heads/{branch}", "timestamp": self.stamp(), "activity_type": kind or usual,
        })


def required(tree, *names):
    """Of words to the bench itself, which must be complete."""
    missing = [name for name in names if name not in tree]
    if missing:
        raise Refused(422, f"the bench needs {', '.join(missing)} in {tree}")
    return [tree[name] for name in names]
