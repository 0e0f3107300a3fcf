"""The trees that many answers contain: accounts, applications, repositories, commits."""


class Trees:
    def __init__(self, url, prefix, contract, world):
        self.html, self.api = url, url + prefix
        self.contract, self.world = contract, world

    def repository_url(self, repository):
        return f"{self.api}/repos/{repository.full_name}"

    def page(self, repository, path=""):
        return f"{self.html}/{repository.full_name}{path}"

    def node(self, word, number):
        return f"{word}_bench{number}"

    def user(self, login):
        user = self.world.user(login)
        url = f"{self.api}/users/{user.login}"
        links = {
            f"{name}_url": f"{url}/{path}" for name, path in {
                "followers": "followers", "following": "following{/other_user}",
                "gists": "gists{/gist_id}", "starred": "starred{/owner}{/repo}",
                "subscriptions": "subscriptions", "organizations": "orgs", "repos": "repos",
                "events": "events{/privacy}", "received_events": "received_events",
            }.items()
        }
        return {
            "login": user.login, "id": user.id, "node_id": self.node("U", user.id),
            "avatar_url": f"{self.html}/avatars/{user.id}", "gravatar_id": "", "url": url,
            "html_url": f"{self.html}/{user.login}", **links, "type": user.kind,
            "site_admin": False,
        }

    def app(self, app):
        """An application as it stands in check runs and comments; `app` may be None."""
        if app is None:
            return None
        return {
            "id": app.id, "slug": app.slug, "node_id": self.node("A", app.id),
            "client_id": f"Iv1.{app.id:016x}", "owner": self.user(app.owner), "name": app.name,
            "description": "", "external_url": f"{self.html}/apps/{app.slug}",
            "html_url": f"{self.html}/apps/{app.slug}", "created_at": app.created_at,
            "updated_at": app.created_at, "permissions": dict(app.permissions), "events": [],
        }

    def repository(self, repository, example="full-repository-default-response"):
        tree = self.contract.example(example)
        if "repository" in tree:  # one within something else
            tree = tree["repository"]
        url = self.repository_url(repository)
        old = tree["url"]
        tree = {
            name: url + text.removeprefix(old)
            if isinstance(text, str) and text.startswith(old) else text
            for name, text in tree.items()
        }
        for name in ("parent", "source", "template_repository", "organization"):
            tree.pop(name, None)
        tree.update({
            "id": repository.id, "node_id": self.node("R", repository.id), "url": url,
            "name": repository.name, "full_name": repository.full_name,
            "owner": self.user(repository.owner), "html_url": self.page(repository),
        })
        if "default_branch" in tree:
            tree.setdefault("language", None)
            tree["default_branch"] = repository.default_branch
        return tree

    def activity(self, given):
        return {**given, "node_id": self.node("PUSH", given["id"]),
                "actor": self.user(given["actor"])}

    def commit(self, repository, commit):
        url = f"{self.repository_url(repository)}/commits/{commit.sha}"
        person = {"name": commit.author, "date": commit.at, "email": commit.email}
        tree = {"sha": commit.sha, "url": f"{self.repository_url(repository)}/git/trees/"
                                          f"{commit.sha}"}
        return {
            "url": url, "sha": commit.sha, "node_id": self.node("C", commit.sha[:12]),
            "html_url": self.page(repository, f"/commit/{commit.sha}"),
            "comments_url": f"{url}/comments",
            "commit": {
                "url": url, "author": person, "committer": person, "message": commit.message,
                "tree": tree, "comment_count": 0, "verification": {
                    "verified": False, "reason": "unsigned", "signature": None, "payload": None,
                    "verified_at": None,
                },
            },
            "author": self.user(commit.author), "committer": self.user(commit.author),
            "parents": [{
                "sha": sha, "url": f"{self.repository_url(repository)}/commits/{sha}",
                "html_url": self.page(repository, f"/commit/{sha}"),
            } for sha in commit.parents],
        }
