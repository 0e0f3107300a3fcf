"""Check runs and their annotations."""

import copy

from operations import Part, operation
from refusal import Refused, absent, invalid

TEXT_BYTES = 65535


class Checks(Part):
    def runs(self, call):
        return call.repository.kept["check_runs"]

    def of(self, call):
        if call.path["check_run_id"] not in self.runs(call):
            raise absent()
        return self.runs(call)[call.path["check_run_id"]]

    def annotations(self, call, run):
        return call.repository.kept["annotations"].setdefault(run["id"], [])

    @operation("checks/create", checks="write", only="apps")
    def create(self, call):
        repository, body = call.repository, call.body
        if repository.resolve(body["head_sha"]) != body["head_sha"]:
            raise Refused(422, f"No commit found for SHA: {body['head_sha']}")
        number, now = self.world.id(), self.world.stamp()
        url = f"{self.make.repository_url(repository)}/check-runs/{number}"
        run = {
            "id": number, "node_id": self.make.node("CR", number), "head_sha": body["head_sha"],
            "external_id": "", "name": body["name"], "url": url, "details_url": None,
            "html_url": self.make.page(repository, f"/runs/{number}"), "status": "queued",
            "conclusion": None, "started_at": now, "completed_at": None,
            "app": self.make.app(call.token.app), "check_suite": {"id": self.suite(call)},
            "pull_requests": [], "output": {
                "title": None, "summary": None, "text": None, "annotations_count": 0,
                "annotations_url": f"{url}/annotations",
            },
        }
        self.change(call, run)
        self.runs(call)[number] = run
        return 201, run

    def suite(self, call):
        """One suite for each application and commit."""
        suites = call.repository.kept["check_suites"]
        return suites.setdefault(f"{call.body['head_sha']} {call.login}", self.world.id())

    @operation("checks/update", checks="write", only="apps")
    def update(self, call):
        run = self.of(call)
        if run["app"]["id"] != call.token.app.id:
            raise Refused(403, "Invalid app_id: check runs can only be changed by the app that "
                          "made them")
        self.change(call, run)
        return 200, run

    def change(self, call, run):
        body = call.body
        changes = {name: body[name] for name in (
            "name", "status", "conclusion", "details_url", "external_id", "started_at",
            "completed_at",
        ) if name in body}
        if "conclusion" in changes:
            changes["status"] = "completed"
            changes.setdefault("completed_at", self.world.stamp())
        elif changes.get("status") == "completed":
            raise invalid("CheckRun", "conclusion", "missing_field",
                          "conclusion is missing", True)
        output = dict(body.get("output") or {})
        for name in ("summary", "text"):
            if len((output.get(name) or "").encode()) > TEXT_BYTES:
                raise invalid("CheckRun", name, "custom",
                              f"{name} exceeds a maximum bytesize of {TEXT_BYTES}", True)
        if output and run["output"]["summary"] is None and "summary" not in output:
            raise invalid("CheckRun", "summary", "missing_field", "summary is missing", True)
        added = [self.annotation(call, one) for one in output.pop("annotations", [])]
        output.pop("images", None)
        rows = self.annotations(call, run)
        rows += added
        run.update(changes)
        run["output"].update(output, annotations_count=len(rows))

    def annotation(self, call, given):
        if given["end_line"] < given["start_line"]:
            raise invalid("CheckRun", "annotations", "custom",
                          "end_line must not be before start_line", True)
        is_wide = given["start_line"] != given["end_line"]
        if is_wide and ("start_column" in given or "end_column" in given):
            raise invalid("CheckRun", "annotations", "custom",
                          "columns are only for annotations of one line", True)
        if not given["path"] or given["path"].startswith("/"):
            raise invalid("CheckRun", "annotations", "custom", "path is not relative", True)
        if len(given["message"].encode()) > 65536:
            raise invalid("CheckRun", "annotations", "custom", "message is too long", True)
        page = self.make.page(call.repository, f"/blob/HEAD/{given['path']}")
        return {
            "blob_href": page, "start_column": None, "end_column": None, "title": None,
            "raw_details": None, **given,
        }

    @operation("checks/get", checks="read")
    def get(self, call):
        return 200, self.of(call)

    @operation("checks/list-annotations", checks="read")
    def list_annotations(self, call):
        return 200, self.annotations(call, self.of(call))

    @operation("checks/list-for-ref", checks="read")
    def list_for_ref(self, call):
        sha = call.repository.resolve(call.path["ref"])
        if sha is None:
            raise Refused(422, f"No commit found for SHA: {call.path['ref']}")
        query = call.query
        rows = [
            run for run in reversed(self.runs(call).values()) if run["head_sha"] == sha
            and query.get("check_name") in (None, run["name"])
            and query.get("status") in (None, run["status"])
            and query.get("app_id") in (None, run["app"]["id"])
        ]
        if query.get("filter", "latest") == "latest":
            latest = {}
            for run in rows:
                latest.setdefault((run["name"], run["app"]["id"]), run)
            rows = list(latest.values())
        return 200, ("check_runs", rows)

    # ---- what people do --------------------------------------------------------------------------

    def act_check(self, repository, login, act):
        """Other jobs with checks like the last one: the same commit, name and application."""
        runs = repository.kept["check_runs"]
        for _ in range(act.get("times", 1)):
            number = self.world.id()
            runs[number] = {**copy.deepcopy(list(runs.values())[-1]), "id": number,
                            "external_id": f"{login} {number}"}
