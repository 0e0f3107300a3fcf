"""Applications, their installation, and the tokens that last an hour; and the limits as told."""

from operations import Part, operation
from refusal import Refused, absent


class Apps(Part):
    def add(self, apps):
        """Registers applications, installed in all repositories; what a test must know of them."""
        answer = {}
        for slug, words in apps.items():
            app = self.bench.tokens.add_app(
                slug, words.get("owner", "bench"), words.get("permissions", {})
            )
            answer[slug] = {"id": app.id, "installation": app.installation, "key": app.key}
        return answer

    def installation(self, app):
        url = f"{self.make.api}/app/installations/{app.installation}"
        return {
            "id": app.installation, "account": self.make.user(app.owner),
            "access_tokens_url": f"{url}/access_tokens", "app_id": app.id,
            "repositories_url": f"{self.make.api}/installation/repositories",
            "html_url": f"{self.make.html}/settings/installations/{app.installation}",
            "target_id": 1, "target_type": "Organization", "permissions": dict(app.permissions),
            "events": [], "created_at": app.created_at, "updated_at": app.created_at,
            "single_file_name": None, "has_multiple_single_files": False,
            "single_file_paths": [], "app_slug": app.slug, "suspended_by": None,
            "suspended_at": None, "repository_selection": "all",
        }

    @operation("apps/get-authenticated", only="app")
    def myself(self, call):
        return 200, {**self.make.app(call.token.app), "installations_count": 1}

    @operation("apps/list-installations", only="app")
    def installations(self, call):
        return 200, [self.installation(call.token.app)]

    @operation("apps/get-installation", only="app")
    def get_installation(self, call):
        self.check(call)
        return 200, self.installation(call.token.app)

    @operation("apps/get-repo-installation", "apps/get-org-installation", only="app")
    def of_repository(self, call):
        return 200, self.installation(call.token.app)

    def check(self, call):
        if call.path["installation_id"] != call.token.app.installation:
            raise absent()

    @operation("apps/create-installation-access-token", only="app")
    def create_token(self, call):
        self.check(call)
        app, names = call.token.app, call.body.get("repositories")
        full = None if names is None else [f"{app.owner}/{name}" for name in names]
        for name in full or ():
            if name.lower() not in self.world.repositories:
                raise Refused(422, "There is at least one repository that does not exist or is "
                              "not accessible to the parent installation.")
        text, expires = self.bench.tokens.install(app, call.body.get("permissions", {}), full)
        return 201, {
            "token": text, "expires_at": self.world.stamp(expires),
            "permissions": dict(self.bench.tokens.known[text].permissions),
            "repository_selection": "all" if full is None else "selected",
        }

    @operation("rate-limit/get")
    def rate_limit(self, call):
        self.bench.limits.give_back(call.token.account)  # asking for the limit does not count
        told = self.bench.limits.headers(call.token.account)
        core = {name: told[f"x-ratelimit-{name}"] for name in (
            "limit", "remaining", "reset", "used")}
        return 200, {"resources": {"core": core, "search": core}, "rate": core}

    @operation("meta/get")
    def meta(self, call):
        tree = {"verifiable_password_authentication": False}
        if self.bench.version:
            tree["installed_version"] = self.bench.version
        return 200, tree
