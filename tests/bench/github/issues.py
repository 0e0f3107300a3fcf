"""Issues with their labels; what a pull request has as an issue is here too."""

from operations import Part, operation
from refusal import Refused, absent, invalid

BODY_CHARS = 65536
TITLE_CHARS = 256


def check_body(resource, body):
    if len(body or "") > BODY_CHARS:
        words = f"body is too long (maximum is {BODY_CHARS} characters)"
        raise invalid(resource, "body", "custom", words, True)


def issue_of(call):
    """The issue that a call names; one that was deleted or never was is absent."""
    rows = call.repository.kept["issues"]
    if call.path["issue_number"] not in rows:
        raise absent()
    return rows[call.path["issue_number"]]


class Issues(Part):
    def add(self, repository, login, title, body=None, labels=(), assignees=(), app=None):
        """An issue, by whoever it is."""
        number, id_, now = next(repository.numbers), self.world.id(), self.world.stamp()
        url = f"{self.make.repository_url(repository)}/issues/{number}"
        issue = {
            "url": url, "repository_url": self.make.repository_url(repository),
            "labels_url": url + "/labels{/name}", "comments_url": f"{url}/comments",
            "events_url": f"{url}/events", "id": id_, "node_id": self.make.node("I", id_),
            "html_url": self.make.page(repository, f"/issues/{number}"),
            "number": number, "title": title, "user": self.make.user(login),
            "labels": [self.label(repository, one) for one in labels], "state": "open",
            "locked": False, "assignee": None, "assignees": [], "milestone": None, "comments": 0,
            "created_at": now, "updated_at": now, "closed_at": None, "closed_by": None,
            "author_association": self.world.association(repository, login), "body": body,
            "active_lock_reason": None, "state_reason": None,
            "performed_via_github_app": self.make.app(app),
        }
        self.assign(issue, assignees)
        repository.kept["issues"][number] = issue
        return issue

    def assign(self, issue, logins):
        issue["assignees"] = [self.make.user(login) for login in logins]
        issue["assignee"] = issue["assignees"][0] if issue["assignees"] else None

    def label(self, repository, given):
        """A label by its name, made where there is none, as GitHub does."""
        name = given["name"] if isinstance(given, dict) else given
        labels = repository.kept["labels"]
        if name.lower() not in labels:
            number = self.world.id()
            labels[name.lower()] = {
                "id": number, "node_id": self.make.node("LA", number), "name": name,
                "url": f"{self.make.repository_url(repository)}/labels/{name}",
                "description": None, "color": "ededed", "default": False,
            }
        return labels[name.lower()]

    def may_manage(self, call):
        """Labels and assignees of those without a right to push are dropped in silence."""
        if call.token.app is not None:
            return True
        return self.world.role(call.repository, call.login) not in ("none", "read")

    # ---- issues ----------------------------------------------------------------------------------

    @operation("issues/create", issues="write")
    def create(self, call):
        body = call.body
        check_body("Issue", body.get("body"))
        self.check_title(str(body["title"]))
        manages = self.may_manage(call)
        return 201, self.add(
            call.repository, call.login, str(body["title"]), body.get("body"),
            body.get("labels", ()) if manages else (),
            body.get("assignees", ()) if manages else (), call.token.app,
        )

    def check_title(self, title):
        if not title or len(title) > TITLE_CHARS:
            words = f"title is missing or too long (maximum is {TITLE_CHARS} characters)"
            raise invalid("Issue", "title", "custom", words, True)

    @operation("issues/list-for-repo", issues="read", pull_requests="read")
    def list(self, call):
        query, rows = call.query, list(call.repository.kept["issues"].values())
        wanted = [name for name in query.get("labels", "").split(",") if name]
        state = query.get("state", "open")

        def matches(issue):
            names = {label["name"].lower() for label in issue["labels"]}
            return (
                state in ("all", issue["state"])
                and all(name.lower() in names for name in wanted)
                and query.get("creator", issue["user"]["login"]) == issue["user"]["login"]
                and issue["updated_at"] >= query.get("since", "")
            )
        key = {"updated": "updated_at", "comments": "comments"}.get(query.get("sort"), "number")
        rows = [issue for issue in rows if matches(issue)]
        rows.sort(key=lambda one: (one[key], one["number"]),
                  reverse=query.get("direction", "desc") == "desc")
        return 200, rows

    @operation("issues/get", issues="read", pull_requests="read")
    def get(self, call):
        return 200, issue_of(call)

    @operation("issues/update", issues="write", pull_requests="write")
    def update(self, call):
        issue, body = issue_of(call), call.body
        check_body("Issue", body.get("body"))
        if "title" in body:
            self.check_title(str(body["title"]))
        self.change(call.repository, issue, call.login, body)
        return 200, issue

    def change(self, repository, issue, login, body):
        for name in ("title", "body"):
            if name in body:
                issue[name] = body[name]
        if "labels" in body:
            issue["labels"] = [self.label(repository, one) for one in body["labels"]]
        if "assignees" in body:
            self.assign(issue, body["assignees"])
        if "state" in body:
            is_closed = body["state"] == "closed"
            if is_closed and issue["state"] == "open":
                issue["closed_at"] = self.world.stamp()
                issue["closed_by"] = self.make.user(login)
            if not is_closed:
                issue["closed_at"] = issue["closed_by"] = None
            reason = body.get("state_reason") or ("completed" if is_closed else "reopened")
            issue["state_reason"] = reason if is_closed or issue["state"] == "closed" else None
            issue["state"] = body["state"]
        issue["updated_at"] = self.world.stamp_after(issue["updated_at"])

    @operation("issues/lock", issues="write", pull_requests="write")
    def lock(self, call):
        issue = issue_of(call)
        issue.update(locked=True, active_lock_reason=call.body.get("lock_reason"))
        return 204, None

    @operation("issues/unlock", issues="write", pull_requests="write")
    def unlock(self, call):
        issue_of(call).update(locked=False, active_lock_reason=None)
        return 204, None

    @operation("issues/add-assignees", issues="write", pull_requests="write")
    def add_assignees(self, call):
        issue = issue_of(call)
        known = [one["login"] for one in issue["assignees"]]
        more = [name for name in call.body.get("assignees", ()) if name not in known]
        self.assign(issue, known + more)
        return 201, issue

    # ---- labels ----------------------------------------------------------------------------------

    @operation("issues/list-labels-on-issue", issues="read", pull_requests="read")
    def labels_of(self, call):
        return 200, issue_of(call)["labels"]

    def names(self, call):
        body = call.body
        return body.get("labels", []) if isinstance(body, dict) else body

    @operation("issues/add-labels", issues="write", pull_requests="write")
    def add_labels(self, call):
        issue = issue_of(call)
        known = [label["name"] for label in issue["labels"]]
        added = [self.label(call.repository, one) for one in self.names(call)]
        issue["labels"] = issue["labels"] + [one for one in added if one["name"] not in known]
        return 200, issue["labels"]

    @operation("issues/set-labels", issues="write", pull_requests="write")
    def set_labels(self, call):
        issue = issue_of(call)
        issue["labels"] = [self.label(call.repository, one) for one in self.names(call)]
        return 200, issue["labels"]

    @operation("issues/remove-label", issues="write", pull_requests="write")
    def remove_label(self, call):
        issue, name = issue_of(call), call.path["name"].lower()
        left = [label for label in issue["labels"] if label["name"].lower() != name]
        if len(left) == len(issue["labels"]):
            raise Refused(404, "Label does not exist")
        issue["labels"] = left
        return 200, left

    @operation("issues/list-labels-for-repo", issues="read", pull_requests="read")
    def labels(self, call):
        return 200, list(call.repository.kept["labels"].values())

    @operation("issues/create-label", issues="write", pull_requests="write")
    def create_label(self, call):
        body = call.body
        if body["name"].lower() in call.repository.kept["labels"]:
            raise invalid("Label", "name", "already_exists")
        label = self.label(call.repository, body["name"])
        label.update({name: body[name] for name in ("color", "description") if name in body})
        return 201, label
