"""Rulesets and the protection of branches, to be read."""

import fnmatch

from operations import Part, operation
from refusal import Refused, absent


class Rules(Part):
    def seed(self, repository, words):
        """{"rulesets": [{"name", "branches": ["refs/heads/main", "~DEFAULT_BRANCH", …],
        "enforcement", "rules": [as GitHub writes them]}],
        "protection": {BRANCH: [the contexts that must pass, …]}}"""
        for one in words.pop("rulesets", ()):
            number, now = self.world.id(), self.world.stamp()
            url = f"{self.make.repository_url(repository)}/rulesets/{number}"
            repository.kept["rulesets"][number] = {
                "id": number, "name": one["name"], "target": one.get("target", "branch"),
                "source_type": "Repository", "source": repository.full_name,
                "enforcement": one.get("enforcement", "active"),
                "bypass_actors": one.get("bypass_actors", []),
                "conditions": {"ref_name": {
                    "include": one.get("branches", ["~DEFAULT_BRANCH"]),
                    "exclude": one.get("exclude", []),
                }},
                "rules": one.get("rules", []), "node_id": self.make.node("RRS", number),
                "created_at": now, "updated_at": now, "_links": {
                    "self": {"href": url},
                    "html": {"href": self.make.page(repository, f"/rules/{number}")},
                },
            }
        for branch, contexts in words.pop("protection", {}).items():
            repository.kept["protection"][branch] = self.protected(repository, branch, contexts)

    def protected(self, repository, branch, contexts):
        url = f"{self.make.repository_url(repository)}/branches/{branch}/protection"
        no = {"enabled": False}
        return {
            "url": url, "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": True},
            "required_status_checks": {
                "url": f"{url}/required_status_checks", "strict": False,
                "contexts": contexts, "contexts_url": f"{url}/required_status_checks/contexts",
                "checks": [{"context": name, "app_id": None} for name in contexts],
            },
            "required_linear_history": no, "allow_force_pushes": no, "allow_deletions": no,
        }

    def rulesets(self, call):
        return call.repository.kept["rulesets"]

    def covers(self, repository, ruleset, branch):
        condition, name = ruleset["conditions"]["ref_name"], f"refs/heads/{branch}"

        def matches(pattern):
            if pattern == "~ALL":
                return True
            if pattern == "~DEFAULT_BRANCH":
                return branch == repository.default_branch
            return fnmatch.fnmatchcase(name, pattern)
        return any(map(matches, condition["include"])) and not any(
            map(matches, condition["exclude"]))

    @operation("repos/get-branch-rules", metadata="read")
    def of_branch(self, call):
        """The rules that are in force, whichever rulesets they come from."""
        return 200, [
            {**rule, "ruleset_source_type": "Repository", "ruleset_source": one["source"],
             "ruleset_id": one["id"]}
            for one in self.rulesets(call).values()
            if one["enforcement"] == "active" and one["target"] == "branch"
            and self.covers(call.repository, one, call.path["branch"])
            for rule in one["rules"]
        ]

    @operation("repos/get-repo-rulesets", metadata="read")
    def list(self, call):
        left_out = ("rules", "conditions", "bypass_actors")
        return 200, [
            {name: value for name, value in one.items() if name not in left_out}
            for one in self.rulesets(call).values()
        ]

    @operation("repos/get-repo-ruleset", metadata="read")
    def get(self, call):
        """Who may bypass the rules is told only to those who may change them."""
        number = call.path["ruleset_id"]
        if number not in self.rulesets(call):
            raise absent()
        ruleset = dict(self.rulesets(call)[number])
        if not call.token.has("administration", "write"):
            del ruleset["bypass_actors"]
        return 200, ruleset

    @operation("repos/get-branch-protection", administration="read")
    def protection(self, call):
        branch = call.path["branch"]
        if f"heads/{branch}" not in call.repository.refs:
            raise Refused(404, "Branch not found")
        if branch not in call.repository.kept["protection"]:
            raise Refused(404, "Branch not protected")
        return 200, call.repository.kept["protection"][branch]
