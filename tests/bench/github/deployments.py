"""Deployments, their statuses, and the statuses of commits that they wait for."""

from operations import Part, operation
from refusal import Refused, absent, invalid

DESCRIPTION_CHARS = 140
STATUSES_OF_ONE_CONTEXT = 1000


class Deployments(Part):
    def kept(self, call):
        return call.repository.kept["deployments"]

    def of(self, call):
        rows = self.kept(call)
        if call.path["deployment_id"] not in rows:
            raise absent()
        return rows[call.path["deployment_id"]]

    def states(self, repository, deployment):
        return repository.kept["deployment_statuses"].setdefault(deployment["id"], [])

    # ---- deployments -----------------------------------------------------------------------------

    @operation("repos/create-deployment", deployments="write")
    def create(self, call):
        repository, body = call.repository, call.body
        sha = repository.resolve(body["ref"])
        if sha is None:
            raise Refused(422, f"No ref found for: {body['ref']}")
        self.check_contexts(call, sha, body)
        if len(body.get("description") or "") > DESCRIPTION_CHARS:
            raise invalid("Deployment", "description", "custom",
                          "description is too long (maximum is 140 characters)", True)
        place = body.get("environment", "production")
        number, now = self.world.id(), self.world.stamp()
        url = f"{self.make.repository_url(repository)}/deployments/{number}"
        deployment = {
            "url": url, "id": number, "node_id": self.make.node("DE", number), "sha": sha,
            "ref": body["ref"], "task": body.get("task", "deploy"),
            "payload": body.get("payload", {}), "original_environment": place,
            "environment": place, "description": body.get("description") or None,
            "creator": self.make.user(call.login), "created_at": now, "updated_at": now,
            "statuses_url": f"{url}/statuses",
            "repository_url": self.make.repository_url(repository),
            "transient_environment": body.get("transient_environment", False),
            "production_environment": body.get("production_environment", place == "production"),
            "performed_via_github_app": self.make.app(call.token.app),
        }
        self.kept(call)[number] = deployment
        return 201, deployment

    def check_contexts(self, call, sha, body):
        """Without "required_contexts" every status and check of the commit must be a success."""
        last = {}
        for status in call.repository.kept["statuses"].get(sha, []):
            last[status["context"]] = status["state"]
        for run in call.repository.kept["check_runs"].values():
            if run["head_sha"] == sha:
                passed = run["conclusion"] in ("success", "neutral", "skipped")
                last[run["name"]] = "success" if passed else run["conclusion"] or "pending"
        wanted = body.get("required_contexts")
        wanted = list(last) if wanted is None else wanted
        bad = [name for name in wanted if last.get(name) != "success"]
        if bad:
            contexts = [{"context": name, "state": last.get(name, "pending")} for name in bad]
            raise Refused(
                409, f"Conflict: Commit status checks failed for {body['ref']}.",
                errors=[{"contexts": contexts, "resource": "Deployment",
                         "field": "required_contexts", "code": "invalid"}],
            )

    @operation("repos/list-deployments", deployments="read")
    def list(self, call):
        def matches(deployment):
            return all(
                call.query.get(name, "none") in ("none", deployment[name])
                for name in ("sha", "ref", "task", "environment")
            )
        return 200, [one for one in reversed(self.kept(call).values()) if matches(one)]

    @operation("repos/get-deployment", deployments="read")
    def get(self, call):
        return 200, self.of(call)

    @operation("repos/delete-deployment", deployments="write")
    def delete(self, call):
        deployment = self.of(call)
        states = self.states(call.repository, deployment)
        is_active = states and states[-1]["state"] != "inactive"
        if is_active and len(self.kept(call)) > 1:
            raise Refused(422, "We cannot delete an active deployment unless it is the only "
                          "deployment in a given environment.")
        del self.kept(call)[deployment["id"]]
        return 204, None

    # ---- their statuses --------------------------------------------------------------------------

    @operation("repos/create-deployment-status", deployments="write")
    def create_status(self, call):
        deployment, body = self.of(call), call.body
        if len(body.get("description", "")) > DESCRIPTION_CHARS:
            raise invalid("DeploymentStatus", "description", "custom",
                          "description is too long (maximum is 140 characters)", True)
        if "environment" in body:
            deployment["environment"] = body["environment"]
        status = self.add_status(call, deployment, body["state"], body)
        if body["state"] == "success" and body.get("auto_inactive", True):
            self.put_away_others(call, deployment)
        return 201, status

    def add_status(self, call, deployment, state, body):
        number, now = self.world.id(), self.world.stamp()
        log = body.get("log_url") or body.get("target_url", "")
        status = {
            "url": f"{deployment['url']}/statuses/{number}", "id": number,
            "node_id": self.make.node("DES", number), "state": state,
            "creator": self.make.user(call.login), "description": body.get("description", ""),
            "environment": deployment["environment"], "target_url": log, "log_url": log,
            "environment_url": body.get("environment_url", ""), "created_at": now,
            "updated_at": now, "deployment_url": deployment["url"],
            "repository_url": deployment["repository_url"],
            "performed_via_github_app": self.make.app(call.token.app),
        }
        self.states(call.repository, deployment).append(status)
        deployment["updated_at"] = now
        return status

    def put_away_others(self, call, deployment):
        """The earlier successes in the same environment become inactive; transient environments
        and those of production keep theirs, as the documents of "auto_inactive" say."""
        for other in list(self.kept(call).values()):
            states = self.states(call.repository, other)
            if (
                other["id"] != deployment["id"] and not other["transient_environment"]
                and not other["production_environment"]
                and other["environment"] == deployment["environment"]
                and states and states[-1]["state"] == "success"
            ):
                self.add_status(call, other, "inactive", {})

    @operation("repos/list-deployment-statuses", deployments="read")
    def list_statuses(self, call):
        return 200, self.states(call.repository, self.of(call))[::-1]

    @operation("repos/get-deployment-status", deployments="read")
    def get_status(self, call):
        for status in self.states(call.repository, self.of(call)):
            if status["id"] == call.path["status_id"]:
                return 200, status
        raise absent()

    # ---- statuses of commits ---------------------------------------------------------------------

    @operation("repos/create-commit-status", statuses="write")
    def create_commit_status(self, call):
        body, sha = call.body, call.path["sha"]
        if sha not in call.repository.commits:
            raise Refused(422, f"No commit found for SHA: {sha}")
        if len(body.get("description") or "") > DESCRIPTION_CHARS:
            raise invalid("Status", "description", "custom",
                          "description is too long (maximum is 140 characters)", True)
        rows = call.repository.kept["statuses"].setdefault(sha, [])
        name = body.get("context", "default")
        if sum(row["context"] == name for row in rows) >= STATUSES_OF_ONE_CONTEXT:
            raise Refused(422, "This SHA and context has reached the maximum number of statuses.")
        number, now = self.world.id(), self.world.stamp()
        status = {
            "url": f"{self.make.repository_url(call.repository)}/statuses/{sha}",
            "avatar_url": self.make.user(call.login)["avatar_url"], "id": number,
            "node_id": self.make.node("SC", number), "state": body["state"],
            "description": body.get("description"), "target_url": body.get("target_url"),
            "context": name, "created_at": now, "updated_at": now,
            "creator": self.make.user(call.login),
        }
        rows.append(status)
        return 201, status

    def of_commit(self, call):
        sha = call.repository.resolve(call.path["ref"])
        if sha is None:
            raise Refused(422, f"No commit found for SHA: {call.path['ref']}")
        return sha, call.repository.kept["statuses"].get(sha, [])[::-1]

    @operation("repos/list-commit-statuses-for-ref", statuses="read")
    def list_commit_statuses(self, call):
        return 200, self.of_commit(call)[1]

    @operation("repos/get-combined-status-for-ref", statuses="read")
    def combined_status(self, call):
        sha, rows = self.of_commit(call)
        latest = {}
        for row in rows:
            latest.setdefault(row["context"], row)
        states = {row["state"] for row in latest.values()}
        worst = "failure" if states & {"failure", "error"} else "pending"
        url = f"{self.make.repository_url(call.repository)}/commits/{sha}"
        return 200, {
            "state": "success" if states == {"success"} else worst, "sha": sha,
            "statuses": list(latest.values()), "total_count": len(latest), "commit_url": url,
            "url": f"{url}/status",
            "repository": self.make.repository(call.repository),
        }


