"""Comments on issues and pull requests, and the reactions to them."""

import collections

from issues import check_body, issue_of
from operations import Part, operation
from refusal import Refused, absent, invalid


CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


class Comments(Part):
    def kept(self, call):
        return call.repository.kept["comments"]

    def of(self, call):
        if call.path["comment_id"] not in self.kept(call):
            raise absent()
        return self.kept(call)[call.path["comment_id"]]

    def add(self, repository, issue, login, body, app=None):
        """A comment, by whoever it is."""
        number, now = self.world.id(), self.world.stamp()
        url = self.make.repository_url(repository)
        comment = {
            "url": f"{url}/issues/comments/{number}", "id": number,
            "node_id": self.make.node("IC", number),
            "html_url": f"{issue['html_url']}#issuecomment-{number}",
            "issue_url": f"{url}/issues/{issue['number']}", "user": self.make.user(login),
            "created_at": now, "updated_at": now, "body": body,
            "author_association": self.world.association(repository, login),
            "performed_via_github_app": self.make.app(app),
        }
        repository.kept["comments"][number] = comment
        issue["comments"] += 1
        issue["updated_at"] = now
        return comment

    def edit(self, comment, body):
        comment.update(body=body, updated_at=self.world.stamp_after(comment["created_at"]))

    def remove(self, repository, comment):
        number = int(comment["issue_url"].rpartition("/")[2])
        repository.kept["issues"][number]["comments"] -= 1
        del repository.kept["comments"][comment["id"]]
        repository.kept["reactions"].pop(f"comment {comment['id']}", None)

    # ---- comments --------------------------------------------------------------------------------

    @operation("issues/create-comment", issues="write", pull_requests="write")
    def create(self, call):
        issue = issue_of(call)
        self.check(call)
        manages = call.token.app or self.world.role(call.repository, call.login) in (
            "write", "maintain", "admin")
        if issue["locked"] and not manages:
            raise Refused(403, "Unable to create comment because issue is locked.")
        return 201, self.add(call.repository, issue, call.login, call.body["body"],
                             call.token.app)

    def check(self, call):
        check_body("IssueComment", call.body["body"])
        if not call.body["body"].strip():
            raise invalid("IssueComment", "body", "custom", "body can't be blank", True)

    @operation("issues/list-comments", issues="read", pull_requests="read")
    def list(self, call):
        """In the order of their making; since when they were changed, not made."""
        issue = issue_of(call)
        ending = f"/issues/{issue['number']}"
        return 200, [
            {**one, "reactions": self.rollup(call.repository, one)}
            for one in self.kept(call).values() if one["issue_url"].endswith(ending)
            and one["updated_at"] >= call.query.get("since", "")
        ]

    def rollup(self, repository, comment):
        """How often each reaction was given to it."""
        rows = self.reactions(repository, "comment", comment["id"])
        counts = collections.Counter(row["content"] for row in rows)
        return {
            "url": f"{comment['url']}/reactions", "total_count": len(rows),
            **{name: counts[name] for name in CONTENTS},
        }

    @operation("issues/list-comments-for-repo", issues="read", pull_requests="read")
    def list_all(self, call):
        key = call.query.get("sort", "created") + "_at"
        rows = [one for one in self.kept(call).values()
                if one["updated_at"] >= call.query.get("since", "")]
        rows.sort(key=lambda one: (one[key], one["id"]),
                  reverse=call.query.get("direction", "asc") == "desc")
        return 200, rows

    @operation("issues/get-comment", issues="read", pull_requests="read")
    def get(self, call):
        return 200, self.of(call)

    @operation("issues/update-comment", issues="write", pull_requests="write")
    def update(self, call):
        comment = self.of(call)
        self.check(call)
        is_own = comment["user"]["login"] == call.login
        role = self.world.role(call.repository, call.login)
        if not is_own and call.token.app is None and role not in ("write", "maintain", "admin"):
            raise Refused(403, "Must have write access to edit the comment of somebody else")
        self.edit(comment, call.body["body"])
        return 200, comment

    @operation("issues/delete-comment", issues="write", pull_requests="write")
    def delete(self, call):
        self.remove(call.repository, self.of(call))
        return 204, None

    # ---- reactions -------------------------------------------------------------------------------

    def reactions(self, repository, kind, number):
        return repository.kept["reactions"].setdefault(f"{kind} {number}", [])

    def react(self, repository, kind, number, login, content):
        """A reaction; the same one twice is one. Whether it is new, and it."""
        rows = self.reactions(repository, kind, number)
        for row in rows:
            if row["content"] == content and row["user"]["login"] == login:
                return False, row
        id_ = self.world.id()
        row = {
            "id": id_, "node_id": self.make.node("REA", id_), "user": self.make.user(login),
            "content": content, "created_at": self.world.stamp(),
        }
        rows.append(row)
        return True, row

    def subject(self, call):
        if "comment_id" in call.path:
            return "comment", self.of(call)["id"]
        return "issue", issue_of(call)["number"]

    @operation("reactions/create-for-issue-comment", "reactions/create-for-issue",
               issues="write", pull_requests="write")
    def create_reaction(self, call):
        is_new, row = self.react(
            call.repository, *self.subject(call), call.login, call.body["content"]
        )
        return 201 if is_new else 200, row

    @operation("reactions/list-for-issue-comment", "reactions/list-for-issue",
               issues="read", pull_requests="read")
    def list_reactions(self, call):
        rows = self.reactions(call.repository, *self.subject(call))
        content = call.query.get("content")
        return 200, [row for row in rows if content in (None, row["content"])]

    @operation("reactions/delete-for-issue-comment", "reactions/delete-for-issue",
               issues="write", pull_requests="write")
    def delete_reaction(self, call):
        rows = self.reactions(call.repository, *self.subject(call))
        for row in rows:
            if row["id"] == call.path["reaction_id"]:
                rows.remove(row)
                return 204, None
        raise absent()
