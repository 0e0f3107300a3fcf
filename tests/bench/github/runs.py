"""Workflows, their runs and artifacts, and the two ways to start them by the API."""

import base64
import io
import json
import zipfile

from operations import Part, operation
from refusal import Refused, absent

INPUTS = 25
PAYLOAD_KEYS = 10
LIFE = 90 * 86400


class Runs(Part):
    def seed(self, repository, words):
        """Workflows by their files: {"workflows": ["release.yml"]}; all can be dispatched. Or with the
        inputs that the file declares for that: {"release.yml": {"release": {"required": true}}};
        where nobody has said which there are, any are taken."""
        files = words.pop("workflows", ())
        for file in files:
            number, now = self.world.id(), self.world.stamp()
            url = f"{self.make.repository_url(repository)}/actions/workflows/{number}"
            path = f".github/workflows/{file}"
            repository.kept["workflows"][file] = {
                "id": number, "node_id": self.make.node("W", number),
                "name": file.partition(".")[0], "path": path, "state": "active",
                "created_at": now, "updated_at": now, "url": url,
                "html_url": self.make.page(repository, f"/blob/main/{path}"),
                "badge_url": self.make.page(repository, f"/workflows/{file}/badge.svg"),
            }
            if isinstance(files, dict):
                repository.kept["inputs"][path] = files[file]

    def workflow(self, call):
        wanted = call.path["workflow_id"]
        for file, workflow in call.repository.kept["workflows"].items():
            if str(wanted) in (file, str(workflow["id"])):
                return workflow
        raise absent()

    def of(self, call):
        return self.run(call.repository, call.path["run_id"])

    def run(self, repository, number):
        if number not in repository.kept["runs"]:
            raise absent()
        return repository.kept["runs"][number]

    # ---- workflows and their runs ----------------------------------------------------------------

    @operation("actions/list-repo-workflows", actions="read")
    def workflows(self, call):
        return 200, ("workflows", list(call.repository.kept["workflows"].values()))

    @operation("actions/get-workflow", actions="read")
    def get_workflow(self, call):
        return 200, self.workflow(call)

    @operation("actions/list-workflow-runs", "actions/list-workflow-runs-for-repo",
               actions="read")
    def list(self, call):
        query, rows = call.query, list(call.repository.kept["runs"].values())[::-1]
        if "workflow_id" in call.path:
            number = self.workflow(call)["id"]
            rows = [one for one in rows if one["workflow_id"] == number]
        return 200, ("workflow_runs", [
            one for one in rows
            if query.get("branch") in (None, one["head_branch"])
            and query.get("event") in (None, one["event"])
            and query.get("head_sha") in (None, one["head_sha"])
            and query.get("status") in (None, one["status"], one["conclusion"])
            and query.get("actor") in (None, one["actor"]["login"])
        ])

    @operation("actions/get-workflow-run", actions="read")
    def get(self, call):
        return 200, self.of(call)

    @operation("actions/cancel-workflow-run", actions="write")
    def cancel(self, call):
        run = self.of(call)
        if run["status"] == "completed":
            raise Refused(409, "Cannot cancel a workflow run that is completed.")
        run.update(status="completed", conclusion="cancelled")
        return 202, {}

    def add(self, repository, workflow, event, branch, login, **more):
        number, now = self.world.id(), self.world.stamp()
        url = f"{self.make.repository_url(repository)}/actions/runs/{number}"
        runs = repository.kept["runs"]
        sha = more.get("sha") or repository.refs[f"heads/{branch}"]
        commit = repository.commits[sha]
        minimal = self.make.contract.example("workflow-run")
        person = {"name": commit.author, "email": f"{commit.author}@users.noreply.github.com"}
        tree = {
            **minimal, "id": number, "name": workflow["name"], "run_number": len(runs) + 1,
            "node_id": self.make.node("WFR", number), "head_branch": branch, "head_sha": sha,
            "path": workflow["path"], "display_title": more.get("title", workflow["name"]),
            "event": event, "status": more.get("status", "completed"),
            "conclusion": more.get("conclusion", "success"), "run_attempt": 1,
            "workflow_id": workflow["id"], "workflow_url": workflow["url"], "url": url,
            "html_url": self.make.page(repository, f"/actions/runs/{number}"),
            "pull_requests": [], "created_at": now, "updated_at": now, "run_started_at": now,
            "actor": self.make.user(login), "triggering_actor": self.make.user(login),
            **{f"{name}_url": f"{url}/{name}" for name in (
                "jobs", "logs", "artifacts", "cancel", "rerun")},
            "head_commit": {
                "id": sha, "tree_id": sha, "message": commit.message, "timestamp": commit.at,
                "author": person, "committer": person,
            },
            "repository": self.make.repository(repository, "workflow-run"),
            "head_repository": self.make.repository(repository, "workflow-run"),
        }
        if tree["status"] != "completed":
            tree["conclusion"] = None
        runs[number] = tree
        return tree

    # ---- starting them ---------------------------------------------------------------------------

    def check_inputs(self, declared, given):
        unexpected = [name for name in given if name not in declared]
        if unexpected:
            raise Refused(422, f"Unexpected inputs provided: {json.dumps(unexpected)}")
        for name, words in declared.items():
            needed = words and words.get("required") in (True, "true") and "default" not in words
            if needed and name not in given:
                raise Refused(422, f"Required input '{name}' not provided")

    @operation("actions/create-workflow-dispatch", actions="write")
    def dispatch(self, call):
        workflow, body = self.workflow(call), call.body
        branch = body["ref"].removeprefix("refs/heads/")
        if f"heads/{branch}" not in call.repository.refs:
            raise Refused(422, f"No ref found for: {body['ref']}")
        if len(body.get("inputs") or {}) > INPUTS:
            raise Refused(422, f"Only {INPUTS} inputs are allowed", violation=True)
        declared = call.repository.kept["inputs"].get(workflow["path"])
        if declared is not None:
            self.check_inputs(declared, body.get("inputs") or {})
        run = self.add(call.repository, workflow, "workflow_dispatch", branch, call.login,
                       status="queued")
        call.repository.kept["dispatches"][run["id"]] = {
            "workflow": workflow["path"], "ref": body["ref"], "by": call.login,
            "inputs": body.get("inputs") or {},
        }
        if body.get("return_run_details"):
            return 200, {"workflow_run_id": run["id"], "run_url": run["url"],
                         "html_url": run["html_url"]}
        return 204, None

    @operation("repos/create-dispatch-event", contents="write")
    def repository_dispatch(self, call):
        body = call.body
        if len(body.get("client_payload", {})) > PAYLOAD_KEYS:
            raise Refused(422, f"No more than {PAYLOAD_KEYS} properties are allowed; "
                          f"{len(body['client_payload'])} were supplied.", violation=True)
        call.repository.kept["dispatches"][self.world.id()] = {
            "event_type": body["event_type"], "by": call.login,
            "client_payload": body.get("client_payload", {}),
        }
        return 204, None

    # ---- artifacts -------------------------------------------------------------------------------

    def add_artifact(self, repository, run, name, files):
        """`files` are texts by their names, or the whole archive in base64."""
        if isinstance(files, str):
            data = base64.b64decode(files)
        else:
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for path, text in files.items():
                    archive.writestr(path, text)
            data = packed.getvalue()
        number, now = self.world.id(), self.world.stamp()
        url = f"{self.make.repository_url(repository)}/actions/artifacts/{number}"
        repository.kept["archives"][number] = base64.b64encode(data).decode()
        repository.kept["artifacts"][number] = {
            "id": number, "node_id": self.make.node("AR", number), "name": name,
            "size_in_bytes": len(data), "url": url, "archive_download_url": f"{url}/zip",
            "expired": False, "created_at": now, "updated_at": now,
            "expires_at": self.world.stamp(self.world.seconds() + LIFE),
            "workflow_run": {
                "id": run["id"], "repository_id": repository.id, "head_sha": run["head_sha"],
                "head_repository_id": repository.id, "head_branch": run["head_branch"],
            },
        }
        return number

    @operation("actions/list-artifacts-for-repo", "actions/list-workflow-run-artifacts",
               actions="read")
    def artifacts(self, call):
        rows = list(call.repository.kept["artifacts"].values())[::-1]
        if "run_id" in call.path:
            number = self.of(call)["id"]
            rows = [one for one in rows if one["workflow_run"]["id"] == number]
        name = call.query.get("name")
        return 200, ("artifacts", [one for one in rows if name in (None, one["name"])])

    def artifact(self, call):
        rows = call.repository.kept["artifacts"]
        if call.path["artifact_id"] not in rows:
            raise absent()
        return rows[call.path["artifact_id"]]

    @operation("actions/get-artifact", actions="read")
    def get_artifact(self, call):
        return 200, self.artifact(call)

    @operation("actions/download-artifact", actions="read")
    def download(self, call):
        artifact = self.artifact(call)
        if call.path["archive_format"] != "zip":
            raise Refused(422, "The archive format must be zip", violation=True)
        if artifact["expired"]:
            raise Refused(410, "Artifact has expired")
        place = f"{self.bench.storage_url}/_archives/{call.repository.full_name}/{artifact['id']}"
        return 302, None, {"Location": f"{place}?sig=bench"}

    def archive(self, request):
        """The storage that a download is sent to. It has its own signature in the address, and
        refuses the token of GitHub, which was not meant for it."""
        owner, name, number = request.path.split("/")[2:5]
        with self.bench.lock:
            if "authorization" in request.headers:
                self.bench.violations.append("a token of GitHub was sent to the storage")
                raise Refused(401, "InvalidAuthenticationInfo")
            if request.query != "sig=bench":
                raise Refused(403, "AuthenticationFailed")
            data = self.world.repository(f"{owner}/{name}").kept["archives"][int(number)]
        return 200, None, {"Content-Type": "application/zip"}, base64.b64decode(data)

    # ---- what people do --------------------------------------------------------------------------

    def act_run(self, repository, login, act):
        """A run of a workflow, with artifacts by their names; one with an "environment" that has
        reviewers waits for them."""
        workflow = repository.kept["workflows"].get(act["workflow"])
        if workflow is None:
            raise Refused(422, f"the bench has no workflow {act['workflow']!r}")
        more = {name: act[name] for name in ("status", "conclusion", "sha", "title")
                if name in act}
        if "environment" in act:
            more["status"] = "waiting"
        run = self.add(repository, workflow, act.get("event", "push"),
                       act.get("branch", repository.default_branch), login, **more)
        artifacts = {name: self.add_artifact(repository, run, name, files)
                     for name, files in act.get("artifacts", {}).items()}
        if "environment" in act:
            self.bench.people.parts("Environments").wait(repository, run, act["environment"])
        return {"id": run["id"], "artifacts": artifacts}
