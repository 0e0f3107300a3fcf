"""The GitHub bench itself (tests/bench/github): GitHub's own client passes it, damaged requests do
not, and its tokens, limits, faults and people are as GitHub's."""

import http.client
import io
import json
import subprocess
import urllib.request
import zipfile

import pytest

from github_bench import (
    BENCH, ENTERPRISE, EVERYTHING, NODE, PLACE, REPOSITORY, TOKEN, GithubBench, Refusal,
)

COMMENTS = "issues/1/comments"
RULESET = {"name": "main", "rules": [
    {"type": "deletion"},
    {"type": "required_status_checks", "parameters": {
        "required_status_checks": [{"context": "sluice"}],
        "strict_required_status_checks_policy": False,
    }},
]}


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    bench = GithubBench(tmp_path_factory.mktemp("github") / "log")
    yield bench
    bench.stop()


@pytest.fixture(scope="module")
def enterprise(tmp_path_factory):
    bench = GithubBench(tmp_path_factory.mktemp("enterprise") / "log", ENTERPRISE)
    yield bench
    bench.stop()


@pytest.fixture
def bench(process):
    process.begin()
    return process


def node(bench, what, argument="", token=TOKEN):
    done = subprocess.run(
        [NODE, BENCH / "client.mjs", PLACE, bench.api_url, token, what, argument],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def refused(bench, *words, **more):
    with pytest.raises(Refusal) as refusal:
        bench.api(*words, **more)
    return refusal.value


def deploy(bench, **more):
    body = {"ref": bench.head(), "auto_merge": False, "required_contexts": [],
            "environment": "staging", "payload": {"key": "one"}, **more}
    return bench.api("POST", "deployments", body).tree


# ---- GitHub's own client -------------------------------------------------------------------------


def ask_everything(bench):
    bench.begin(
        roles={"ada": "admin", "rita": "write"}, workflows=["release.yml", "rollback.yml"],
        files={"docs/one.md": "One\n"}, rulesets=[RULESET],
        environments={"production": {"reviewers": ["rita", "team:releasers"]}},
    )
    bench.control(settings={"content_limit": 1000})
    bench.act("ada", "pull", head="change", title="A change", commits=[
        {"message": "Change", "files": [{"filename": "a.c"}], "co_authors": ["bob"]}])
    bench.act("ada", "run", workflow="release.yml", environment="production",
              artifacts={"report": {"comment.json": "{}"}})
    told = node(bench, "endpoints")
    assert len(set(told["done"])) >= 50 and told["archive"] > 100
    assert told["deployment"] == {"key": "one"} and told["login"] == "github-actions[bot]"
    assert bench.violations() == []
    assert len(bench.effects("issues/create-comment")) == 1


def test_octokit_asks_everything(process):
    ask_everything(process)


def test_octokit_asks_enterprise_server(enterprise):
    ask_everything(enterprise)
    answer = enterprise.api("GET", "/meta")
    assert answer.tree["installed_version"] == "3.19.0"
    assert answer.headers["X-GitHub-Enterprise-Version"] == "3.19.0"


def test_octokit_reads_all_pages(bench):
    bench.act("ada", "issue", title="Rollout")
    ids = bench.act("bob", "comment", body="Me too", times=130)
    assert node(bench, "pages", "1")["ids"] == ids
    assert bench.told()["ok"]["issues/list-comments"] == 4 and bench.violations() == []


def test_octokit_waits_for_limits(bench):
    bench.fault("issues/create", {"secondary": 2}, {"exhausted": 1})
    told = node(bench, "limits", "Once")
    assert [row["name"] for row in told["waited"]] == ["secondary", "primary"]
    assert len(bench.effects("issues/create")) == 1 and bench.told()["too_early"] == []
    assert bench.told()["faults"]["issues/create secondary"] == 1


def test_octokit_is_an_app(bench):
    bench.control(teams={"bench/releasers": {"rita": "maintainer"}})
    app = bench.control(apps={"gatekeeper": {"permissions": {"members": "read"}}})["apps"]
    told = node(bench, "app", json.dumps(app["gatekeeper"]))
    assert told == {"state": "active", "role": "maintainer"} and bench.violations() == []


# ---- damaged requests ----------------------------------------------------------------------------

SHA = "0" * 40
NOTE = {"path": "a.c", "start_line": 1, "end_line": 1, "annotation_level": "notice",
        "message": "look"}


def check_run(**output):
    return {"name": "x", "head_sha": "HEAD", "output": {"title": "t", "summary": "s", **output}}


def with_notes(*notes):
    return check_run(annotations=list(notes))


DAMAGED = {
    "no ref": ("POST", "deployments", {"environment": "x"}),
    "ref is a number": ("POST", "deployments", {"ref": 5}),
    "unknown field": ("POST", "deployments", {"ref": "main", "enviroment": "x"}),
    "contexts are words": ("POST", "deployments", {"ref": "main", "required_contexts": "ci"}),
    "merge is a word": ("POST", "deployments", {"ref": "main", "auto_merge": "false"}),
    "long description": ("POST", "deployments", {"ref": "main", "required_contexts": [],
                                                 "description": "x" * 141}),
    "no state": ("POST", "deployments/DEPLOYMENT/statuses", {"description": "x"}),
    "no such state": ("POST", "deployments/DEPLOYMENT/statuses", {"state": "done"}),
    "long status": ("POST", "deployments/DEPLOYMENT/statuses",
                    {"state": "success", "description": "x" * 141}),
    "deployment is a word": ("GET", "deployments/latest", None),
    "unknown filter": ("GET", "deployments?commit=x", None),
    "a filter twice": ("GET", "deployments?sha=x&sha=y", None),
    "too many a page": ("GET", "deployments?per_page=101", None),
    "page is a word": ("GET", "deployments?page=two", None),
    "no check name": ("POST", "check-runs", {"head_sha": "HEAD"}),
    "no such conclusion": ("POST", "check-runs", {"name": "x", "head_sha": "HEAD",
                                                  "status": "completed", "conclusion": "good"}),
    "completed without conclusion": ("POST", "check-runs", {
        "name": "x", "head_sha": "HEAD", "status": "completed"}),
    "too many annotations": ("POST", "check-runs", with_notes(*[NOTE] * 51)),
    "no level": ("POST", "check-runs", with_notes({**NOTE, "annotation_level": "error"})),
    "line is a word": ("POST", "check-runs", with_notes({**NOTE, "start_line": "1"})),
    "ends before it starts": ("POST", "check-runs", with_notes({**NOTE, "start_line": 9})),
    "columns of many lines": ("POST", "check-runs", with_notes(
        {**NOTE, "end_line": 3, "start_column": 1})),
    "absolute path": ("POST", "check-runs", with_notes({**NOTE, "path": "/a.c"})),
    "no message": ("POST", "check-runs", with_notes(
        {name: NOTE[name] for name in NOTE if name != "message"})),
    "long summary": ("POST", "check-runs", check_run(summary="x" * 65536)),
    "no title": ("POST", "issues", {"body": "x"}),
    "long title": ("POST", "issues", {"title": "x" * 257}),
    "long body": ("POST", "issues", {"title": "x", "body": "x" * 65537}),
    "no such issue state": ("PATCH", "issues/1", {"state": "done"}),
    "no such reason": ("PATCH", "issues/1", {"state": "closed", "state_reason": "bored"}),
    "no comment": ("POST", COMMENTS, {}),
    "comment is empty": ("POST", COMMENTS, {"body": " "}),
    "long comment": ("POST", COMMENTS, {"body": "x" * 65537}),
    "since is no time": ("GET", COMMENTS + "?since=yesterday", None),
    "no such reaction": ("POST", "issues/1/reactions", {"content": "thumbs"}),
    "no such lock": ("PUT", "issues/1/lock", {"lock_reason": "why"}),
    "inputs are a list": ("POST", "actions/workflows/release.yml/dispatches",
                          {"ref": "main", "inputs": ["x"]}),
    "no ref to dispatch": ("POST", "actions/workflows/release.yml/dispatches", {"inputs": {}}),
    "no event type": ("POST", "dispatches", {"client_payload": {}}),
    "long event type": ("POST", "dispatches", {"event_type": "x" * 101}),
    "too much payload": ("POST", "dispatches", {
        "event_type": "x", "client_payload": {str(n): n for n in range(11)}}),
    "no such path": ("GET", "deployment", None),
    "no such verb": ("PUT", "deployments", {"ref": "main"}),
    "body where none is": ("DELETE", "issues/comments/5", {"body": "x"}),
    "no such archive": ("GET", "actions/artifacts/5/zip/x", None),
}
HEADERS = {
    "no user agent": {"User-Agent": ""},
    "no such version": {"X-GitHub-Api-Version": "2021-01-01"},
    "wants XML": {"Accept": "application/xml"},
    "sends a form": {"Content-Type": "application/x-www-form-urlencoded"},
    "other scheme": {"Authorization": "Basic YTpi"},
}


@pytest.fixture(scope="module")
def prepared(process):
    process.begin(workflows=["release.yml"])
    process.control(settings={"content_limit": 10000})
    process.act("ada", "issue", title="Rollout")
    return process, {"HEAD": process.head(), "DEPLOYMENT": str(deploy(process)["id"])}


@pytest.fixture(scope="module")
def damaged(prepared):
    """What came of each; all at once, as the bench is shared with the other tests."""
    bench, names = prepared
    came = {}
    rows = {name: (*row, {}) for name, row in DAMAGED.items()}
    rows.update({name: ("POST", COMMENTS, {"body": "x"}, headers)
                 for name, headers in HEADERS.items()})
    for name, (verb, path, body, headers) in rows.items():
        path = path.replace("DEPLOYMENT", names["DEPLOYMENT"])
        raw = body and json.dumps(body).replace('"HEAD"', f'"{names["HEAD"]}"').encode()
        came[name] = look(bench, verb, path, raw, headers)
    for name, raw in (("no JSON", b'{"body": '), ("twice", b'{"body": "x", "body": "y"}')):
        came[name] = look(bench, "POST", COMMENTS, raw, {})
    return came


def look(bench, verb, path, raw, headers):
    before = len(bench.told()["violations"])
    effects = len([row for row in bench.told()["writes"] if row["effect"]])
    try:
        status = bench.api(verb, path, raw=raw, headers=headers).status
    except Refusal as why:
        status = why.status
    told = bench.told()
    return status, told["violations"][before:], \
        len([row for row in told["writes"] if row["effect"]]) - effects


@pytest.mark.parametrize("name", [*DAMAGED, *HEADERS, "no JSON", "twice"])
def test_damaged_requests_are_refused(damaged, name):
    status, violations, effects = damaged[name]
    assert 400 <= status < 500 and len(violations) == 1 and effects == 0, damaged[name]
    assert "the bench itself" not in violations[0]


# ---- what GitHub does ----------------------------------------------------------------------------


def test_a_success_puts_earlier_ones_away(bench):
    def states(deployment):
        rows = bench.api("GET", f"deployments/{deployment['id']}/statuses").tree
        return [row["state"] for row in rows]
    for place, expected in (("staging", ["inactive", "success"]), ("production", ["success"])):
        first, second = deploy(bench, environment=place), deploy(bench, environment=place)
        for one in (first, second):
            bench.api("POST", f"deployments/{one['id']}/statuses", {"state": "success"})
        assert states(first) == expected and states(second) == ["success"]
    bench.api("POST", f"statuses/{bench.head()}", {"state": "pending", "context": "ci"})
    why = refused(bench, "POST", "deployments", {"ref": "main"})
    assert why.status == 409 and "required_contexts" in why.body


def test_annotations_add_up(bench):
    body = {"name": "x", "head_sha": bench.head(),
            "output": {"title": "t", "summary": "s", "annotations": [NOTE] * 50}}
    run = bench.api("POST", "check-runs", body).tree
    output = {"title": "t", "summary": "s", "annotations": [NOTE] * 7}
    run = bench.api("PATCH", f"check-runs/{run['id']}", {"output": output}).tree
    assert run["output"]["annotations_count"] == 57
    rows = bench.api("GET", f"check-runs/{run['id']}/annotations?per_page=50&page=2").tree
    assert len(rows) == 7


def test_comments_by_people(bench):
    bench.act("ada", "issue", title="Rollout")
    first, = bench.act("rita", "comment", body="/approve")
    own = bench.api("POST", COMMENTS, {"body": "Thank you"}).tree
    assert (own["user"]["type"], own["performed_via_github_app"]["slug"]) == (
        "Bot", "github-actions")
    rows = bench.api("GET", COMMENTS)
    tag = {"If-None-Match": rows.headers["ETag"]}
    used = int(rows.headers["x-ratelimit-used"])
    same = bench.api("GET", COMMENTS, headers=tag)
    assert same.status == 304 and int(same.headers["x-ratelimit-used"]) == used
    bench.act("rita", "edit", comment=first, body="/deny")
    edited = bench.api("GET", COMMENTS, headers=tag).tree[0]
    assert edited["body"] == "/deny" and edited["updated_at"] > edited["created_at"]
    assert (edited["user"]["type"], edited["performed_via_github_app"]) == ("User", None)
    bench.act("rita", "delete", comment=first)
    assert refused(bench, "GET", f"issues/comments/{first}").status == 404
    reaction = {"content": "rocket"}
    path = f"issues/comments/{own['id']}/reactions"
    assert [bench.api("POST", path, reaction).status for _ in range(2)] == [201, 200]
    state = bench.ask("state")[REPOSITORY]
    assert state["reactions"][f"comment {own['id']}"][0]["content"] == "rocket"
    assert bench.violations() == []


def test_permissions_and_teams(bench):
    bench.begin({"issues": "read"}, roles={"ada": "admin", "tom": "triage", "max": "maintain"},
                team_roles={"releasers": "write"})
    bench.control(teams={"bench/releasers": {"rita": "member"}}, users={"eve": "User"},
                  tokens={"pat": {"kind": "user", "login": "ada",
                                  "permissions": {"members": "read"}}})

    def levels(login):
        tree = bench.api("GET", f"collaborators/{login}/permission").tree
        return tree["permission"], tree["role_name"]
    assert [levels(login) for login in ("ada", "tom", "max", "rita", "eve")] == [
        ("admin", "admin"), ("read", "triage"), ("write", "maintain"), ("write", "write"),
        ("none", "none")]
    assert refused(bench, "GET", "collaborators/nobody/permission").status == 404
    why = refused(bench, "POST", "issues", {"title": "x"})
    assert why.status == 403 and "not accessible by integration" in why.body
    assert why.headers["X-Accepted-GitHub-Permissions"] == "issues=write"
    member = "/orgs/bench/teams/releasers/memberships/"
    assert refused(bench, "GET", member + "rita").status == 403
    assert bench.api("GET", member + "rita", token="pat").tree["state"] == "active"
    assert refused(bench, "GET", member + "ada", token="pat").status == 404
    assert bench.violations() == []


def test_tokens_end(bench):
    app = bench.control(apps={"gate": {"permissions": {"issues": "write"}}})["apps"]["gate"]
    bench.control(tokens={"short": {"permissions": {}, "expires_in": 60}})
    assert bench.api("GET", f"/repos/{REPOSITORY}", token="short").status == 200
    assert app["key"].startswith("-----BEGIN PRIVATE KEY-----")
    bench.control(advance=61)
    assert refused(bench, "GET", f"/repos/{REPOSITORY}", token="short").status == 401
    assert refused(bench, "GET", f"/repos/{REPOSITORY}", token="other").status == 401


def test_limits(bench):
    bench.control(settings={"limit": 4, "content_limit": 2})
    for _ in range(2):
        bench.api("POST", "issues", {"title": "x"})
    assert len(bench.told()["too_fast"]) == 1
    why = refused(bench, "POST", "issues", {"title": "x"})
    assert why.status == 403 and "content creation" in why.body and why.headers["Retry-After"]
    bench.api("GET", "issues")
    assert len(bench.told()["too_early"]) == 1
    why = refused(bench, "GET", "issues")
    assert why.status == 403 and why.headers["x-ratelimit-remaining"] == "0"
    bench.control(advance=3700)
    assert len(bench.api("GET", "issues").tree) == 2


def test_faults(bench):
    bench.act("ada", "issue", title="Rollout")
    create = "issues/create-comment"
    bench.fault(create, {"status": 502}, {"status": 502, "after": True}, {"cut": "before"},
                {"cut": "after"}, {"malformed": True}, {"secondary": None, "status": 429})
    for wanted in (502, 502):
        assert refused(bench, "POST", COMMENTS, {"body": "x"}).status == wanted
    for _ in range(2):
        with pytest.raises((http.client.HTTPException, OSError)):
            bench.api("POST", COMMENTS, {"body": "x"})
    with pytest.raises(ValueError):
        bench.api("POST", COMMENTS, {"body": "x"})
    why = refused(bench, "POST", COMMENTS, {"body": "x"})
    assert why.status == 429 and "Retry-After" not in why.headers
    assert [row["how"] for row in bench.writes(create)] == [
        "refused before", "lost", "cut before", "cut after", "answered"]
    assert len(bench.effects(create)) == 3
    stranger = {"as": "eve", "do": "comment", "body": "spam", "times": 20}
    bench.fault("issues/list-comments", {"first": [stranger]}, {"stale": True})
    assert len(bench.api("GET", COMMENTS).tree) == 23
    bench.act("eve", "comment", body="late")
    assert len(bench.api("GET", COMMENTS).tree) == 23
    assert len(bench.api("GET", COMMENTS).tree) == 24
    assert sum(bench.told()["faults"].values()) >= 8 and bench.violations() == []


def test_a_run_waits_for_its_reviewers(bench):
    bench.begin(workflows=["release.yml"], environments={
        "production": {"reviewers": ["ada", "team:releasers"], "prevent_self_review": True}})
    bench.control(teams={"bench/releasers": {"rita": "member"}},
                  tokens={name: {"kind": "user", "login": name} for name in ("ada", "rita")})
    run = bench.act("ada", "run", workflow="release.yml", environment="production")["id"]
    place = f"actions/runs/{run}"
    row, = bench.api("GET", f"{place}/pending_deployments", token="rita").tree
    assert row["current_user_can_approve"]
    words = {"environment_ids": [row["environment"]["id"]], "state": "approved", "comment": "ok"}
    why = refused(bench, "POST", f"{place}/pending_deployments", words, token="ada")
    assert why.status == 422
    bench.api("POST", f"{place}/pending_deployments", words, token="rita")
    review, = bench.api("GET", f"{place}/approvals").tree
    assert (review["user"]["login"], review["state"]) == ("rita", "approved")
    assert bench.api("GET", place).tree["status"] == "in_progress" and bench.violations() == []


def test_artifacts_come_from_a_storage(bench):
    bench.begin(workflows=["gate.yml"])
    made = bench.act("ada", "run", workflow="gate.yml", artifacts={"gate": {"a.json": "[1]"}})
    place = bench.api("GET", f"actions/artifacts/{made['artifacts']['gate']}/zip")
    assert place.status == 302
    with urllib.request.urlopen(place.headers["Location"], timeout=30) as answer:
        assert zipfile.ZipFile(io.BytesIO(answer.read())).read("a.json") == b"[1]"
    request = urllib.request.Request(
        place.headers["Location"], headers={"Authorization": f"Bearer {TOKEN}"})
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=30)
    assert bench.violations() == ["a token of GitHub was sent to the storage"]


def test_a_dispatch_has_the_inputs_that_are_declared(bench):
    bench.begin(workflows={"rollback.yml": {"reason": {"required": True}, "to": {}}, "bare.yml": {},
                           "set.yml": {"stage": {"required": True, "default": "production"}}})

    def start(file, inputs=None):
        body = {"ref": "main", **({} if inputs is None else {"inputs": inputs})}
        return "POST", f"actions/workflows/{file}.yml/dispatches", body
    for words, told in (
        (start("rollback", {"reason": "x", "stage": "live", "why": "y"}),
         r'Unexpected inputs provided: [\"stage\", \"why\"]'),
        (start("rollback", {"to": "v1"}), "Required input 'reason' not provided"),
        (start("bare", {"to": "v1"}), r'Unexpected inputs provided: [\"to\"]'),
    ):
        why = refused(bench, *words)
        assert why.status == 422 and told in why.body, why
    assert "dispatches" not in bench.ask("state")[REPOSITORY]
    for words in (start("rollback", {"reason": "x", "to": "v1"}), start("rollback", {"reason": "x"}),
                  start("bare"), start("set")):
        assert bench.api(*words).status == 204
    assert len(bench.ask("state")[REPOSITORY]["dispatches"]) == 4
    assert bench.violations() == []


def test_dispatches_rules_and_identity(bench):
    bench.begin({**EVERYTHING}, workflows=["rollback.yml"], rulesets=[RULESET],
                protection={"main": ["sluice"]})
    bench.api("POST", "actions/workflows/rollback.yml/dispatches",
              {"ref": "main", "inputs": {"service": "web"}})
    bench.api("POST", "dispatches", {"event_type": "resume"})
    rows = list(bench.ask("state")[REPOSITORY]["dispatches"].values())
    assert rows[0]["inputs"] == {"service": "web"} and rows[1]["event_type"] == "resume"
    rules = bench.api("GET", "rules/branches/main").tree
    assert [rule["type"] for rule in rules] == ["deletion", "required_status_checks"]
    assert refused(bench, "GET", "branches/main/protection").status == 403
    bench.control(tokens={"boss": {"kind": "user", "login": "bench"}})
    tree = bench.api("GET", "branches/main/protection", token="boss").tree
    assert tree["required_status_checks"]["contexts"] == ["sluice"]
    told = bench.environment()
    request = urllib.request.Request(
        told["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=cloud",
        headers={"Authorization": f"bearer {told['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["value"].count(".") == 2
    assert bench.violations() == []
