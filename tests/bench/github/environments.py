"""Environments with their protection, and runs that wait for a review."""

from operations import Part, operation
from refusal import Refused, absent, invalid

REVIEWERS = 6
NAME_CHARS = 255


class Environments(Part):
    def seed(self, repository, words):
        """{"environments": {"production": {"reviewers": [LOGIN or "team:SLUG", …],
        "prevent_self_review": true, "wait_timer": MINUTES}}}"""
        for name, own in words.pop("environments", {}).items():
            reviewers = [
                {"type": "Team", "slug": one[5:]} if one.startswith("team:")
                else {"type": "User", "login": one} for one in own.get("reviewers", ())
            ]
            self.set(repository, name, {**own, "reviewers": reviewers})

    def set(self, repository, name, words):
        rows = repository.kept["environments"]
        row = rows.setdefault(name, {
            "id": self.world.id(), "name": name, "created_at": self.world.stamp(),
        })
        row.update({
            "updated_at": self.world.stamp(), "reviewers": words.get("reviewers") or [],
            "wait_timer": words.get("wait_timer", 0),
            "prevent_self_review": words.get("prevent_self_review", False),
            "policy": words.get("deployment_branch_policy"),
        })
        return row

    def team(self, repository, slug):
        url = f"{self.make.api}/orgs/{repository.owner}/teams/{slug}"
        number = 1 + sum(map(ord, slug))
        return {
            "id": number, "node_id": self.make.node("T", number), "url": url, "name": slug,
            "html_url": f"{self.make.html}/orgs/{repository.owner}/teams/{slug}", "slug": slug,
            "description": None, "privacy": "closed", "notification_setting":
            "notifications_enabled", "permission": "pull", "parent": None,
            "type": "organization", "organization_id": 1,
            "members_url": url + "/members{/member}", "repositories_url": f"{url}/repos",
        }

    def reviewers(self, repository, row):
        return [{
            "type": one["type"], "reviewer": self.make.user(one["login"])
            if one["type"] == "User" else self.team(repository, one["slug"]),
        } for one in row["reviewers"]]

    def shared(self, repository, row):
        number, name = row["id"], row["name"]
        return {
            "id": number, "node_id": self.make.node("EN", number), "name": name,
            "url": f"{self.make.repository_url(repository)}/environments/{name}",
            "html_url": self.make.page(
                repository, f"/deployments/activity_log?environments_filter={name}"),
        }

    def tree(self, repository, row):
        number, rules = row["id"], []
        if row["wait_timer"]:
            rules.append({"id": number + 1, "node_id": self.make.node("GA", number + 1),
                          "type": "wait_timer", "wait_timer": row["wait_timer"]})
        if row["reviewers"]:
            rules.append({
                "id": number + 2, "node_id": self.make.node("GA", number + 2),
                "type": "required_reviewers", "prevent_self_review": row["prevent_self_review"],
                "reviewers": self.reviewers(repository, row),
            })
        if row["policy"]:
            rules.append({"id": number + 3, "node_id": self.make.node("GA", number + 3),
                          "type": "branch_policy"})
        return {
            **self.shared(repository, row), "created_at": row["created_at"],
            "updated_at": row["updated_at"], "protection_rules": rules,
            "deployment_branch_policy": row["policy"],
        }

    def of(self, call):
        rows = call.repository.kept["environments"]
        if call.path["environment_name"] not in rows:
            raise absent()
        return rows[call.path["environment_name"]]

    @operation("repos/get-all-environments", actions="read")
    def list(self, call):
        rows = call.repository.kept["environments"].values()
        return 200, ("environments", [self.tree(call.repository, row) for row in rows])

    @operation("repos/get-environment", actions="read")
    def get(self, call):
        return 200, self.tree(call.repository, self.of(call))

    @operation("repos/create-or-update-environment", administration="write")
    def create(self, call):
        name, body = call.path["environment_name"], call.body or {}
        if len(name) > NAME_CHARS:
            raise invalid("Environment", "name", "custom", "name is too long", True)
        wanted = body.get("reviewers") or []
        if len(wanted) > REVIEWERS:
            raise invalid("Environment", "reviewers", "custom", "at most six reviewers", True)
        logins = {user.id: user.login for user in self.world.users.values()}
        slugs = {self.team(call.repository, slug)["id"]: slug for _, slug in self.world.teams}
        reviewers = []
        for one in wanted:
            names = logins if one["type"] == "User" else slugs
            if one["id"] not in names:
                raise invalid("Environment", "reviewers")
            word = "login" if one["type"] == "User" else "slug"
            reviewers.append({"type": one["type"], word: names[one["id"]]})
        row = self.set(call.repository, name, {**body, "reviewers": reviewers})
        return 200, self.tree(call.repository, row)

    # ---- reviews ---------------------------------------------------------------------------------

    def wait(self, repository, run, name):
        if name not in repository.kept["environments"]:
            raise Refused(422, f"the bench has no environment {name!r}")
        repository.kept["waiting"].setdefault(run["id"], []).append(name)

    def may_review(self, repository, row, run, login):
        if row["prevent_self_review"] and run["actor"]["login"].lower() == login.lower():
            return False
        for one in row["reviewers"]:
            members = self.world.teams.get((repository.owner.lower(), one.get("slug")), {})
            if one.get("login", "").lower() == login.lower() or login.lower() in members:
                return True
        return False

    def waiting(self, repository, run):
        names = repository.kept["waiting"].get(run["id"], [])
        return [repository.kept["environments"][name] for name in names]

    def run_of(self, call):
        return self.bench.runs.of(call)

    @operation("actions/get-pending-deployments-for-run", actions="read")
    def pending(self, call):
        repository, run = call.repository, self.run_of(call)
        return 200, [{
            "environment": self.shared(repository, row), "wait_timer": row["wait_timer"],
            "wait_timer_started_at": run["created_at"], "reviewers":
            self.reviewers(repository, row),
            "current_user_can_approve": self.may_review(repository, row, run, call.login),
        } for row in self.waiting(repository, run)]

    @operation("actions/review-pending-deployments-for-run", deployments="write")
    def review(self, call):
        repository, run, body = call.repository, self.run_of(call), call.body
        rows = [row for row in self.waiting(repository, run)
                if row["id"] in body["environment_ids"]]
        if len(rows) != len(set(body["environment_ids"])):
            raise Refused(422, "There were one or more errors with the environments: not pending")
        made = [self.decide(repository, run, row, call.login, body["state"], body["comment"])
                for row in rows]
        return 200, made

    def decide(self, repository, run, row, login, state, comment):
        """One review; the deployment that it is of."""
        if not self.may_review(repository, row, run, login):
            raise Refused(422, "There were one or more errors: you are not a required reviewer")
        repository.kept["waiting"][run["id"]].remove(row["name"])
        repository.kept["reviews"].setdefault(run["id"], []).append({
            "state": state, "comment": comment, "user": self.make.user(login),
            "environments": [{**self.shared(repository, row), "created_at": row["created_at"],
                              "updated_at": row["updated_at"]}],
        })
        if state == "rejected":
            run.update(status="completed", conclusion="failure")
        elif not repository.kept["waiting"][run["id"]]:
            run.update(status="in_progress", conclusion=None)
        number, now = self.world.id(), self.world.stamp()
        url = f"{self.make.repository_url(repository)}/deployments/{number}"
        return {
            "url": url, "id": number, "node_id": self.make.node("DE", number),
            "sha": run["head_sha"], "ref": run["head_branch"], "task": "deploy", "payload": {},
            "original_environment": row["name"], "environment": row["name"],
            "description": None, "creator": run["actor"], "created_at": now, "updated_at": now,
            "statuses_url": f"{url}/statuses", "production_environment": True,
            "repository_url": self.make.repository_url(repository),
            "transient_environment": False,
        }

    @operation("actions/get-reviews-for-run", actions="read")
    def reviews(self, call):
        return 200, call.repository.kept["reviews"].get(self.run_of(call)["id"], [])

    # ---- what people do --------------------------------------------------------------------------

    def act_approve(self, repository, login, act, state="approved"):
        run = self.bench.runs.run(repository, act["run"])
        rows = [row for row in self.waiting(repository, run)
                if act.get("environment") in (None, row["name"])]
        if not rows:
            raise Refused(422, f"run {run['id']} does not wait for that")
        for row in rows:
            self.decide(repository, run, row, login, state, act.get("comment", ""))

    def act_reject(self, repository, login, act):
        self.act_approve(repository, login, act, "rejected")
