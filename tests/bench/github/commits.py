"""Commits, branches, references and files of the repositories."""

import base64
import hashlib

from operations import Part, operation
from refusal import Refused, absent
from world import required

LINES = "@@ -1 +1 @@\n-before\n+after"


class Commits(Part):
    def find(self, call, ref):
        sha = call.repository.resolve(ref)
        if sha is None:
            raise Refused(422, f"No commit found for SHA: {ref}")
        return call.repository.commits[sha]

    def file(self, repository, commit, given):
        """A changed file as it stands in commits, comparisons and pull requests."""
        path = given["filename"]
        url = self.make.repository_url(repository)
        return {
            "sha": hashlib.sha1(path.encode()).hexdigest(), "filename": path,
            "status": given.get("status", "modified"), "additions": given.get("additions", 1),
            "deletions": given.get("deletions", 1),
            "changes": given.get("additions", 1) + given.get("deletions", 1),
            "blob_url": self.make.page(repository, f"/blob/{commit.sha}/{path}"),
            "raw_url": self.make.page(repository, f"/raw/{commit.sha}/{path}"),
            "contents_url": f"{url}/contents/{path}?ref={commit.sha}",
            "patch": given.get("patch", LINES),
        }

    def history(self, repository, sha, until=()):
        """A commit and all before it, the newest first, but those that `until` holds."""
        rows, waiting, known = [], [sha], set(until)
        while waiting:
            one = waiting.pop(0)
            if one in known or one not in repository.commits:
                continue
            known.add(one)
            rows.append(repository.commits[one])
            waiting += repository.commits[one].parents
        return rows

    # ---- commits ---------------------------------------------------------------------------------

    @operation("repos/list-commits", contents="read")
    def list(self, call):
        repository, query = call.repository, call.query
        tip = self.find(call, query.get("sha", repository.default_branch))
        rows = self.history(repository, tip.sha)
        if "path" in query:
            rows = [one for one in rows if any(
                file["filename"].startswith(query["path"]) for file in one.files)]
        if "author" in query:
            wanted = query["author"].lower()
            rows = [one for one in rows if wanted in (one.author.lower(), one.email.lower())]
        return 200, [self.make.commit(repository, one) for one in rows]

    @operation("repos/list-activities", contents="read")
    def activities(self, call):
        rows, query = call.repository.activities, call.query
        named = query.get("ref", "").removeprefix("refs/heads/")
        for name, wanted in (("ref", named and f"refs/heads/{named}"), ("actor", query.get("actor")),
                             ("activity_type", query.get("activity_type"))):
            rows = [one for one in rows if not wanted or one[name] == wanted]
        if query.get("direction", "desc") == "desc":
            rows = rows[::-1]
        return 200, [self.make.activity(one) for one in rows]

    @operation("repos/get-commit", contents="read")
    def get(self, call):
        commit = self.find(call, call.path["ref"])
        files = [self.file(call.repository, commit, one) for one in commit.files]
        added = sum(one["additions"] for one in files)
        gone = sum(one["deletions"] for one in files)
        return 200, {
            **self.make.commit(call.repository, commit), "files": files,
            "stats": {"additions": added, "deletions": gone, "total": added + gone},
        }

    @operation("repos/compare-commits-with-basehead", contents="read")
    def compare(self, call):
        repository = call.repository
        base, dots, head = call.path["basehead"].partition("...")
        if not dots:
            raise absent()
        base, head = self.find(call, base), self.find(call, head)
        before = {one.sha for one in self.history(repository, base.sha)}
        after = {one.sha for one in self.history(repository, head.sha)}
        ahead = self.history(repository, head.sha, before)[::-1]
        behind = len(before - after)
        shared = [one for one in self.history(repository, base.sha) if one.sha in after]
        url = f"{self.make.repository_url(repository)}/compare/{call.path['basehead']}"
        page = self.make.page(repository, f"/compare/{call.path['basehead']}")
        status = "diverged" if ahead and behind else "ahead" if ahead else \
            "behind" if behind else "identical"
        files = {file["filename"]: self.file(repository, head, file)
                 for one in ahead for file in one.files}
        size, page_number = call.query.get("per_page", 250), call.query.get("page", 1)
        start = (page_number - 1) * size
        return 200, {
            "url": url, "html_url": page, "permalink_url": page, "diff_url": page + ".diff",
            "patch_url": page + ".patch", "base_commit": self.make.commit(repository, base),
            "merge_base_commit": self.make.commit(repository, shared[0] if shared else base),
            "status": status, "ahead_by": len(ahead), "behind_by": behind,
            "total_commits": len(ahead), "files": list(files.values()),
            "commits": [self.make.commit(repository, one) for one in ahead[start:start + size]],
        }

    # ---- branches and references -----------------------------------------------------------------

    @operation("repos/get-branch", contents="read")
    def branch(self, call):
        repository, name = call.repository, call.path["branch"]
        if f"heads/{name}" not in repository.refs:
            raise Refused(404, "Branch not found")
        commit = repository.commits[repository.refs[f"heads/{name}"]]
        url = f"{self.make.repository_url(repository)}/branches/{name}"
        is_protected = name in repository.kept["protection"]
        return 200, {
            "name": name, "commit": self.make.commit(repository, commit),
            "_links": {"html": self.make.page(repository, f"/tree/{name}"), "self": url},
            "protected": is_protected, "protection": {"enabled": is_protected},
            "protection_url": f"{url}/protection",
        }

    def ref(self, repository, name):
        sha = repository.refs[name]
        url = self.make.repository_url(repository)
        return {
            "ref": f"refs/{name}", "node_id": self.make.node("REF", name.replace("/", "-")),
            "url": f"{url}/git/refs/{name}",
            "object": {"type": "commit", "sha": sha, "url": f"{url}/git/commits/{sha}"},
        }

    @operation("git/get-ref", contents="read")
    def get_ref(self, call):
        if call.path["ref"] not in call.repository.refs:
            raise absent()
        return 200, self.ref(call.repository, call.path["ref"])

    @operation("git/list-matching-refs", contents="read")
    def matching_refs(self, call):
        return 200, [self.ref(call.repository, name) for name in call.repository.refs
                     if name.startswith(call.path["ref"])]

    @operation("git/create-ref", contents="write")
    def create_ref(self, call):
        repository, name = call.repository, call.body["ref"].removeprefix("refs/")
        if not call.body["ref"].startswith("refs/") or name.count("/") < 1:
            raise Refused(422, "Reference name must start with 'refs' and have at least two "
                          "slashes", violation=True)
        if name in repository.refs:
            raise Refused(422, "Reference already exists")
        self.set_ref(repository, name, call.body["sha"])
        return 201, self.ref(repository, name)

    def set_ref(self, repository, name, sha):
        if sha not in repository.commits:
            raise Refused(422, "Object does not exist")
        repository.refs[name] = sha

    @operation("git/update-ref", contents="write")
    def update_ref(self, call):
        repository, name, sha = call.repository, call.path["ref"], call.body["sha"]
        if name not in repository.refs:
            raise Refused(422, "Reference does not exist")
        before = [one.sha for one in self.history(repository, sha)]
        if not call.body.get("force") and repository.refs[name] not in before:
            raise Refused(422, "Update is not a fast forward")
        self.set_ref(repository, name, sha)
        return 200, self.ref(repository, name)

    @operation("git/delete-ref", contents="write")
    def delete_ref(self, call):
        if call.repository.refs.pop(call.path["ref"], None) is None:
            raise Refused(422, "Reference does not exist")
        return 204, None

    # ---- files -----------------------------------------------------------------------------------

    @operation("repos/get-content", contents="read")
    def content(self, call):
        repository, path = call.repository, call.path["path"]
        if path not in repository.files:
            raise absent()
        ref = call.query.get("ref", repository.default_branch)
        self.find(call, ref)
        data = repository.files[path].encode()
        sha = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        url = self.make.repository_url(repository)
        here, page = f"{url}/contents/{path}?ref={ref}", self.make.page(
            repository, f"/blob/{ref}/{path}")
        return 200, {
            "type": "file", "encoding": "base64", "size": len(data),
            "name": path.rpartition("/")[2], "path": path, "sha": sha, "url": here,
            "content": base64.encodebytes(data).decode(), "git_url": f"{url}/git/blobs/{sha}",
            "html_url": page, "download_url": self.make.page(repository, f"/raw/{ref}/{path}"),
            "_links": {"git": f"{url}/git/blobs/{sha}", "html": page, "self": here},
        }

    @operation("repos/get", metadata="read")
    def repository(self, call):
        return 200, self.make.repository(call.repository)

    # ---- what people do --------------------------------------------------------------------------

    def act_commit(self, repository, login, act):
        message, = required(act, "message")
        more = {name: act[name] for name in ("files", "co_authors", "sha", "parents", "email", "pusher",
                                              "activity", "unpushed") if name in act}
        return self.world.add_commit(
            repository, message, login, act.get("branch", repository.default_branch), **more
        ).sha
