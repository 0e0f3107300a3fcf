"""Accounts, teams and what they may; and what people do by themselves.

ACT is {"as": LOGIN, "in": "bench/app", "do": WHAT, …} with, for each WHAT,
    "issue"     title, body, labels          answers its number
    "comment"   issue, body, times           answers the ids; times > 1 is a flood
    "edit"      comment (an id or "last"), body
    "delete"    comment
    "react"     comment, content
    "close", "reopen", "lock", "unlock"      issue
    "pull"      head (a branch), title, base, body, commits, from_fork: LOGIN
    "commit"    branch, message, files, co_authors, sha, email; pusher and activity of its push, or
                unpushed: the next push brings it
    "check"     times: as many as the last one there is, under other ids
    "run"       workflow, event, branch, artifacts, environment …   answers its id (runs.py)
    "approve", "reject"                      run, environment, comment
"""

from operations import Part, operation
from refusal import Refused, absent
from world import PERMISSION, ROLES, required


class People(Part):
    # ---- what the API says of them ---------------------------------------------------------------

    @operation("users/get-authenticated")
    def myself(self, call):
        if call.token.kind != "user":
            raise Refused(403, "Resource not accessible by integration")
        return 200, self.public(call.login)

    @operation("users/get-by-username")
    def get(self, call):
        return 200, self.public(self.world.known_user(call.path["username"]).login)

    def public(self, login):
        now = self.world.stamp(0)
        nothing = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio"))
        return {
            **self.make.user(login), **nothing, "public_repos": 0, "public_gists": 0,
            "followers": 0, "following": 0, "created_at": now, "updated_at": now,
        }

    def collaborator(self, repository, login):
        role = self.world.role(repository, login)
        rank = ROLES.index(role)
        rights = {name: rank >= ROLES.index(least) for name, least in {
            "pull": "read", "triage": "triage", "push": "write", "maintain": "maintain",
            "admin": "admin",
        }.items()}
        return {**self.make.user(login), "permissions": rights, "role_name": role}

    @operation("repos/get-collaborator-permission-level", metadata="read")
    def permission(self, call):
        login = self.world.known_user(call.path["username"]).login
        role = self.world.role(call.repository, login)
        return 200, {
            "permission": PERMISSION[role], "role_name": role,
            "user": self.collaborator(call.repository, login),
        }

    @operation("repos/check-collaborator", metadata="read")
    def check(self, call):
        role = self.world.role(call.repository, call.path["username"])
        if role == "none":
            raise absent()
        return 204, None

    @operation("repos/list-collaborators", metadata="read")
    def collaborators(self, call):
        rows = [user.login for user in self.world.users.values()
                if self.world.role(call.repository, user.login) != "none"]
        return 200, [self.collaborator(call.repository, login) for login in rows]

    def team(self, call):
        key = (call.path["org"].lower(), call.path["team_slug"])
        if key not in self.world.teams:
            raise absent()
        return self.world.teams[key]

    @operation("teams/get-membership-for-user-in-org", members="read")
    def membership(self, call):
        members, login = self.team(call), call.path["username"]
        if login.lower() not in members:
            raise absent()
        place = f"{self.make.api}/orgs/{call.path['org']}/teams/{call.path['team_slug']}"
        return 200, {
            "url": f"{place}/memberships/{login}", "role": members[login.lower()],
            "state": "active",
        }

    @operation("teams/list-members-in-org", members="read")
    def members(self, call):
        role = call.query.get("role", "all")
        return 200, [self.make.user(login) for login, own in self.team(call).items()
                     if role in ("all", own)]

    # ---- what tests order ------------------------------------------------------------------------

    def add_users(self, users):
        for login, kind in users.items():
            self.world.user(login, kind)

    def add_teams(self, teams):
        for name, members in teams.items():
            org, slug = name.split("/")
            for login in members:
                self.world.user(login)
            self.world.teams[(org.lower(), slug)] = {
                login.lower(): role for login, role in members.items()
            }

    def add_repositories(self, rows):
        for name, words in rows.items():
            repository = self.world.repositories.get(name.lower())
            if repository is None:
                repository = self.world.add_repository(name)
                self.world.add_commit(repository, "The first commit", repository.owner, "main")
            for login, role in words.pop("roles", {}).items():
                self.world.user(login)
                repository.roles[login.lower()] = ROLES[ROLES.index(role)]
            repository.team_roles.update(words.pop("team_roles", {}))
            for path, text in words.pop("files", {}).items():
                repository.files[path] = text
            for part in self.bench.parts.values():
                if hasattr(part, "seed"):
                    part.seed(repository, words)
            if words:
                raise Refused(422, f"the bench knows no {sorted(words)} of a repository")

    def acts(self, acts):
        return [self.act(act) for act in acts]

    def act(self, act):
        what, login = required(act, "do", "as")
        repository = self.world.repository(act.get("in", "bench/app"))
        self.world.user(login)
        work = getattr(self, f"act_{what}", None)
        if work is None:
            for part in self.bench.parts.values():
                work = work or getattr(part, f"act_{what}", None)
        if work is None:
            raise Refused(422, f"people do not {what!r} here")
        return work(repository, login, act)

    def parts(self, name):
        return next(part for kind, part in self.bench.parts.items() if kind.__name__ == name)

    def act_issue(self, repository, login, act):
        return self.parts("Issues").add(
            repository, login, act["title"], act.get("body"), act.get("labels", ())
        )["number"]

    def issue(self, repository, act):
        issues = repository.kept["issues"]
        number = max(issues, default=0) if act.get("issue", "last") == "last" else act["issue"]
        if number not in issues:
            raise Refused(422, f"the bench has no issue {number}")
        return issues[number]

    def act_comment(self, repository, login, act):
        issue, body = self.issue(repository, act), act["body"]
        comments = self.parts("Comments")
        return [comments.add(repository, issue, login, body)["id"]
                for _ in range(act.get("times", 1))]

    def comment(self, repository, act):
        rows = repository.kept["comments"]
        number = max(rows, default=0) if act.get("comment", "last") == "last" else act["comment"]
        if number not in rows:
            raise Refused(422, f"the bench has no comment {number}")
        return rows[number]

    def act_edit(self, repository, login, act):
        self.parts("Comments").edit(self.comment(repository, act), act["body"])

    def act_delete(self, repository, login, act):
        self.parts("Comments").remove(repository, self.comment(repository, act))

    def act_react(self, repository, login, act):
        number = self.comment(repository, act)["id"]
        self.parts("Comments").react(repository, "comment", number, login, act["content"])

    def act_close(self, repository, login, act):
        issue = self.issue(repository, act)
        self.parts("Issues").change(repository, issue, login, {"state": "closed"})

    def act_reopen(self, repository, login, act):
        issue = self.issue(repository, act)
        self.parts("Issues").change(repository, issue, login, {"state": "open"})

    def act_lock(self, repository, login, act):
        self.issue(repository, act)["locked"] = True

    def act_unlock(self, repository, login, act):
        self.issue(repository, act)["locked"] = False
