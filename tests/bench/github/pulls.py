"""Pull requests: their commits, files, reviews, and to which a commit belongs."""

from operations import Part, operation
from refusal import Refused, absent

LINKS = ("html", "issue", "comments", "review_comments", "review_comment", "commits", "statuses")


class Pulls(Part):
    def of(self, call):
        rows = call.repository.kept["pulls"]
        number = call.path["pull_number"]
        if number not in rows:
            raise absent()
        return rows[number]

    def commits_part(self):
        return self.bench.people.parts("Commits")

    def own_commits(self, repository, pull):
        """From the oldest on: what the head has and the base did not."""
        history = self.commits_part().history
        base = {one.sha for one in history(repository, pull["base_sha"])}
        return history(repository, repository.refs[pull["head_ref"]], base)[::-1]

    # ---- trees -----------------------------------------------------------------------------------

    def side(self, repository, owner, branch, sha):
        return {
            "label": f"{owner}:{branch}", "ref": branch, "sha": sha,
            "user": self.make.user(owner),
            "repo": {
                **self.make.repository(repository),
                "full_name": f"{owner}/{repository.name}", "owner": self.make.user(owner),
                "fork": owner != repository.owner,
            },
        }

    def simple(self, repository, pull):
        issue, number = repository.kept["issues"][pull["number"]], pull["number"]
        url = f"{self.make.repository_url(repository)}/pulls/{number}"
        page = self.make.page(repository, f"/pull/{number}")
        head = repository.refs[pull["head_ref"]]
        links = {
            "html": page, "issue": issue["url"], "comments": issue["comments_url"],
            "review_comments": f"{url}/comments", "commits": f"{url}/commits",
            "review_comment": f"{self.make.repository_url(repository)}/pulls/comments{{/number}}",
            "statuses": f"{self.make.repository_url(repository)}/statuses/{head}",
        }
        shared = {name: issue[name] for name in (
            "number", "state", "locked", "title", "user", "body", "labels", "milestone",
            "created_at", "updated_at", "closed_at", "assignee", "assignees",
            "author_association", "active_lock_reason",
        )}
        return {
            **shared, "url": url, "id": pull["id"], "node_id": self.make.node("PR", pull["id"]),
            "diff_url": f"{page}.diff", "patch_url": f"{page}.patch",
            **{f"{name}_url": links[name] for name in LINKS},
            "merged_at": pull["merged_at"], "merge_commit_sha": pull["merge_commit_sha"],
            "requested_reviewers": [], "requested_teams": [], "draft": False, "auto_merge": None,
            "head": self.side(repository, pull["head_owner"], pull["head_ref"][6:], head),
            "base": self.side(repository, repository.owner, pull["base"], pull["base_sha"]),
            "_links": {name: {"href": link} for name, link in {**links, "self": url}.items()},
        }

    def whole(self, repository, pull):
        commits = self.own_commits(repository, pull)
        files = self.files_of(repository, pull)
        return {
            **self.simple(repository, pull), "merged": pull["merged_at"] is not None,
            "mergeable": True, "rebaseable": True, "mergeable_state": "clean",
            "merged_by": None, "comments": repository.kept["issues"][pull["number"]]["comments"],
            "review_comments": 0, "maintainer_can_modify": False, "commits": len(commits),
            "additions": sum(one["additions"] for one in files),
            "deletions": sum(one["deletions"] for one in files), "changed_files": len(files),
        }

    def files_of(self, repository, pull):
        part = self.commits_part()
        files = {}
        for commit in self.own_commits(repository, pull):
            for one in commit.files:
                files[one["filename"]] = part.file(repository, commit, one)
        return list(files.values())

    # ---- operations ------------------------------------------------------------------------------

    @operation("pulls/list", pull_requests="read")
    def list(self, call):
        query = call.query
        rows = [self.simple(call.repository, one)
                for one in reversed(call.repository.kept["pulls"].values())]
        return 200, [
            one for one in rows if query.get("state", "open") in ("all", one["state"])
            and query.get("head") in (None, one["head"]["label"])
            and query.get("base") in (None, one["base"]["ref"])
        ]

    @operation("pulls/get", pull_requests="read")
    def get(self, call):
        return 200, self.whole(call.repository, self.of(call))

    @operation("pulls/list-commits", pull_requests="read")
    def list_commits(self, call):
        rows = self.own_commits(call.repository, self.of(call))
        return 200, [self.make.commit(call.repository, one) for one in rows[:250]]

    @operation("pulls/list-files", pull_requests="read")
    def list_files(self, call):
        return 200, self.files_of(call.repository, self.of(call))[:3000]

    @operation("pulls/list-reviews", pull_requests="read")
    def list_reviews(self, call):
        return 200, self.of(call)["reviews"]

    @operation("repos/list-pull-requests-associated-with-commit", pull_requests="read",
               contents="read")
    def of_commit(self, call):
        repository, sha = call.repository, call.path["commit_sha"]
        if sha not in repository.commits:
            raise Refused(422, f"No commit found for SHA: {sha}")
        return 200, [
            self.simple(repository, one) for one in repository.kept["pulls"].values()
            if sha == one["merge_commit_sha"]
            or sha in [own.sha for own in self.own_commits(repository, one)]
        ]

    # ---- what people do --------------------------------------------------------------------------

    def act_pull(self, repository, login, act):
        base = act.get("base", repository.default_branch)
        base_sha = repository.refs[f"heads/{base}"]
        owner = act.get("from_fork", repository.owner)
        ref = f"heads/{act['head']}" if owner == repository.owner else f"forks/{act['head']}"
        if ref not in repository.refs:
            repository.refs[ref] = base_sha
        for words in act.get("commits", [{"message": act["title"]}]):
            words = dict(words)
            commit = self.world.add_commit(
                repository, words.pop("message"), words.pop("author", login),
                parents=[repository.refs[ref]], **words)
            repository.refs[ref] = commit.sha
        issue = self.bench.people.parts("Issues").add(
            repository, login, act["title"], act.get("body"))
        issue["pull_request"] = {
            "url": f"{self.make.repository_url(repository)}/pulls/{issue['number']}",
            "html_url": self.make.page(repository, f"/pull/{issue['number']}"),
            "diff_url": self.make.page(repository, f"/pull/{issue['number']}.diff"),
            "patch_url": self.make.page(repository, f"/pull/{issue['number']}.patch"),
            "merged_at": None,
        }
        repository.kept["pulls"][issue["number"]] = {
            "number": issue["number"], "id": self.world.id(), "head_ref": ref, "base": base,
            "base_sha": base_sha, "head_owner": owner, "merged_at": None,
            "merge_commit_sha": None, "reviews": [],
        }
        return {"number": issue["number"], "sha": repository.refs[ref]}

    def act_merge(self, repository, login, act):
        """The pull request `number`, by a merge commit; answers its sha."""
        pull = repository.kept["pulls"][act["number"]]
        base = f"heads/{pull['base']}"
        merge = self.world.add_commit(
            repository, f"Merge pull request #{pull['number']}", login,
            parents=[repository.refs[base], repository.refs[pull["head_ref"]]])
        repository.refs[base] = merge.sha
        pull.update(merged_at=self.world.stamp(), merge_commit_sha=merge.sha)
        issue = repository.kept["issues"][pull["number"]]
        issue["pull_request"]["merged_at"] = pull["merged_at"]
        self.bench.people.parts("Issues").change(repository, issue, login, {"state": "closed"})
        return merge.sha
