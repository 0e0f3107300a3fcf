"""Which lines a change is charged with, on histories made by git itself. The coverage report says of
every line of every file that it was not run, so the gate names all changed lines as uncovered."""

import json
import os
import subprocess

import pytest

from conftest import SLUICE

CONFIG = """version: 1
evidence: {coverage: {reports: cov/lcov.info}}
gate: {coverage: {changed: 100%}}
"""
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "GIT_"))},
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "NO_COLOR": "1",
    "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t", "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@t", "GIT_ALLOW_PROTOCOL": "file",
}
BODY = "".join(f"def number_{n}(argument):\n    return argument * {n}\n\n" for n in range(20))


class Repository:
    def __init__(self, folder):
        self.folder = folder
        self.tick = 1_790_000_000

    def git(self, *words, at=None):
        self.tick += 60
        when = f"{at or self.tick} +0000"
        env = {**ENVIRONMENT, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        done = subprocess.run(["git", *words], cwd=self.folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, **files):
        for path, text in files.items():
            self.put(path.replace("__", "/") + ".py", text)

    def put(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, message="change", at=None):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, at=at)
        return self.git("rev-parse", "HEAD")

    def report(self, prefix="", more=()):
        """Beside the tree; every line of every Python file, of HEAD or of `more`."""
        records = []
        listed = self.git("ls-tree", "-r", "--name-only", "HEAD").splitlines()
        for path in [*(p for p in listed if p.endswith(".py")), *more]:
            lines = "".join(f"DA:{n},0\n" for n in range(1, 400))
            records.append(f"SF:{prefix}{path}\n{lines}end_of_record\n")
        self.put("cov/lcov.info", "".join(records))

    def run(self, *words, code=None, env=None, folder=None):
        done = subprocess.run([SLUICE, "gate", *words], cwd=folder or self.folder,
                              env={**ENVIRONMENT, **(env or {})}, capture_output=True, text=True,
                              timeout=120)
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        assert code is None or done.returncode == code, f"{done.stdout}\n{done.stderr}"
        return done

    def findings(self, *words, **more):
        done = self.run("--format", "json", *words, **more)
        assert done.stdout, done.stderr
        return {one["id"]: one for one in json.loads(done.stdout)["findings"]}

    def changed(self, *words, **more):
        """{"a.py": "3 7"}: where what the gate charges to the change begins."""
        self.report()
        finding = self.findings(*words, **more)["coverage.changed"]
        lines = {}
        for place in finding.get("where", []):
            lines.setdefault(place["path"], []).append(str(place["line"]))
        return {path: " ".join(spans) for path, spans in lines.items()}


@pytest.fixture
def repo(tmp_path):
    repo = Repository(tmp_path / "work")
    repo.folder.mkdir()
    repo.git("init", "-q", "-b", "main")
    repo.put(".github/sluice.yml", CONFIG)
    repo.put(".gitignore", "/cov/\n")
    repo.write(app=BODY)
    repo.commit("base")
    return repo


def edit(text, line, new="    changed = 'this line is new'"):
    lines = text.split("\n")
    lines[line - 1] = new
    return "\n".join(lines)


# ---- what one commit changes ---------------------------------------------------------------------
def test_an_edited_line_and_an_added_one(repo):
    repo.write(app=edit(BODY, 5) + "last = 1\n")
    repo.commit()
    assert repo.changed() == {"app.py": "5 61"}


def test_a_rename_with_an_edit_is_charged_with_the_edit_only(repo):
    repo.git("mv", "app.py", "core.py")
    repo.write(core=edit(BODY, 8))
    repo.commit()
    assert repo.changed() == {"core.py": "8"}


def test_a_rename_from_a_name_without_an_ending(repo):
    repo.put("tool", BODY + "tool = True\n")
    repo.commit()
    repo.git("mv", "tool", "tool.py")
    repo.commit()
    assert repo.changed() == {}


def test_a_block_that_moved_to_another_file(repo):
    repo.write(app="\n".join(BODY.split("\n")[30:]), other="\n".join(BODY.split("\n")[:30]) + "\n")
    repo.commit()
    assert repo.changed() == {}


def test_line_ends_and_a_missing_last_one(repo):
    repo.put("app.py", BODY.replace("\n", "\r\n"))
    repo.commit()
    assert repo.changed() == {}, "only the line ends are others"
    repo.put("app.py", BODY.replace("\n", "\r\n") + "last = 'a line without a line end'")
    repo.commit()
    assert repo.changed() == {"app.py": "61"}
    repo.put("app.py", BODY.replace("\n", "\r\n") + "last = 'a line without a line end'\r\n")
    repo.commit()
    assert repo.changed() == {}


def test_indentation_is_a_change_and_blank_lines_are_none(repo):
    repo.write(app=edit(BODY, 5, "        return argument * 1"))
    repo.commit()
    assert repo.changed() == {"app.py": "5"}
    repo.write(app=edit(BODY, 5, "        return argument * 1\n\n   \t\n"))
    repo.commit()
    assert repo.changed() == {}


def test_modes_links_and_binary_files(repo):
    os.chmod(repo.folder / "app.py", 0o755)
    (repo.folder / "link.py").symlink_to("app.py")
    repo.put("picture.png", b"\x89PNG\0\0\n" * 40)
    repo.commit()
    assert repo.changed() == {}
    (repo.folder / "link.py").unlink()
    repo.write(link="was = 'a link'\n")
    repo.commit()
    assert repo.changed() == {"link.py": "1"}


def test_a_nul_does_not_make_source_binary(repo):
    repo.put("app.py", edit(BODY, 5).encode() + b"# \0\n")
    repo.commit()
    assert repo.changed() == {"app.py": "5 61"}


@pytest.mark.parametrize("said", ["*.py -diff", "*.py binary", "*.py diff=none", "app.py -text"])
def test_attributes_of_the_change_hide_nothing(repo, said):
    repo.put(".gitattributes", said + "\n")
    repo.git("config", "diff.none.binary", "true")
    repo.write(app=edit(BODY, 5))
    repo.commit()
    assert repo.changed() == {"app.py": "5"}


def test_generated_code_is_what_the_base_calls_so(repo):
    repo.write(api_pb2="old = 1\n")
    repo.put(".gitattributes", "*_pb2.py linguist-generated\n")
    repo.put(".github/sluice.yml", CONFIG.replace("100%}", "100%, ignore: [generated]}"))
    repo.commit()
    repo.put(".gitattributes", "*.py linguist-generated\n")
    repo.write(api_pb2="new = 2\n", app=edit(BODY, 5))
    repo.commit()
    assert repo.changed() == {"app.py": "5"}


def test_files_that_no_report_speaks_of_cost_nothing_and_change_nothing(repo):
    repo.put("notes.txt", "words\n" * 50)
    repo.put("locale/de.po", "words\n" * 50)
    repo.write(unmeasured="one = 1\ntwo = 2\n")
    repo.commit()
    repo.put("cov/lcov.info", "SF:app.py\nDA:1,1\nend_of_record\n")
    finding = repo.findings()["coverage.changed"]
    assert [(place["path"], place["line"]) for place in finding["where"]] == [("unmeasured.py", 1)]


def test_lines_are_those_of_git_diff(repo):
    """The same lines as `git diff -U0` on edits that repeat and shift one another."""
    text = [f"line number {n % 7} of a file that repeats itself, {n // 3}" for n in range(200)]
    repo.write(app="\n".join(text) + "\n")
    repo.commit()
    for n in (3, 40, 41, 90, 150):
        text[n] = f"edited {n}"
    text[60:60] = [f"inserted {n}" for n in range(5)]
    del text[120:130]
    repo.write(app="\n".join(text) + "\n")
    repo.commit()
    lines, total = [], 0
    for hunk in repo.git("diff", "-U0", "HEAD~1", "HEAD", "--", "app.py").splitlines():
        if hunk.startswith("@@"):
            first, _, count = hunk.split("+")[1].split(" ")[0].partition(",")
            total += int(count or 1)
            lines += [first] if count != "0" else []
    assert repo.changed() == {"app.py": " ".join(lines)}
    assert f"of {total} " in repo.findings()["coverage.changed"]["message"]


# ---- where the change began ----------------------------------------------------------------------
def branch_off(repo):
    """main and feature have both gone on since."""
    repo.git("checkout", "-q", "-b", "feature")
    repo.write(mine="mine = 1\n")
    head = repo.commit("mine")
    repo.git("checkout", "-q", "main")
    repo.write(theirs="theirs = 1\n")
    base = repo.commit("theirs")
    return base, head


def test_the_merge_base_not_the_tip_of_the_base(repo):
    branch_off(repo)
    repo.git("checkout", "-q", "feature")
    assert repo.changed("--base", "main") == {"mine.py": "1"}
    repo.git("checkout", "-q", "--detach")
    assert repo.changed("--base", "main") == {"mine.py": "1"}


def pull_request(tmp_path, repo, base, head, **more):
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}))
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(path), "GITHUB_SHA": repo.git("rev-parse", "HEAD"),
            "GITHUB_REF": "refs/pull/1/merge", **more}


def test_the_merge_commit_of_a_pull_request(repo, tmp_path):
    base, head = branch_off(repo)
    repo.git("checkout", "-q", "--detach", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "feature")
    assert repo.changed(env=pull_request(tmp_path, repo, base, head)) == {"mine.py": "1"}
    assert repo.changed("--base", "main") == {"mine.py": "1"}


def test_a_base_that_went_on_after_the_payload_was_written(repo, tmp_path):
    """GitHub merges with the base's tip of today, while base.sha of the payload may be older: what
    others merged in between is not the pull request's."""
    old = repo.git("rev-parse", "HEAD")
    base, head = branch_off(repo)
    repo.git("checkout", "-q", "--detach", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "feature")
    assert repo.changed(env=pull_request(tmp_path, repo, old, head)) == {"mine.py": "1"}
    # The branch itself, where it has merged the base once, is no such merge.
    repo.git("checkout", "-q", "feature")
    repo.git("merge", "-q", "--no-ff", "-m", "catch up", "main")
    own = repo.git("rev-parse", "HEAD")
    assert repo.changed(env=pull_request(tmp_path, repo, base, own)) == {"mine.py": "1"}
    # Nor is a merge whose other side does not hold the payload's base.
    other = repo.git("commit-tree", "-m", "unrelated", "HEAD^{tree}")
    done = repo.run(env=pull_request(tmp_path, repo, other, own), code=2)
    assert "no commit in common" in done.stderr


def test_criss_cross_merges_have_a_base_all_the_same(repo):
    branch_off(repo)
    one, two = repo.git("rev-parse", "main"), repo.git("rev-parse", "feature")
    repo.git("merge", "-q", "--no-ff", "-m", "x", two)
    repo.git("checkout", "-q", "feature")
    repo.git("merge", "-q", "--no-ff", "-m", "y", one)
    repo.write(newest="newest = 1\n")
    repo.commit()
    assert repo.git("merge-base", "--all", "main", "HEAD").count("\n") == 1
    assert "newest.py" in repo.changed("--base", "main")


# ---- clones and checkouts ------------------------------------------------------------------------
def clone(repo, tmp_path, *words, name="clone"):
    repo.git("clone", "-q", *words, f"file://{repo.folder}", str(tmp_path / name))
    return Repository(tmp_path / name)


def test_a_shallow_clone_is_refused_with_the_remedy(repo, tmp_path):
    branch_off(repo)
    shallow = clone(repo, tmp_path, "--depth", "1", "--no-single-branch", "--branch", "feature")
    shallow.report()
    done = shallow.run("--base", "origin/main", code=2)
    assert "fetch-depth: 0" in done.stderr
    assert "fetch-depth: 0" in shallow.run(code=2).stderr, "the commit before HEAD is cut off"
    assert "fetch-depth: 0" in shallow.run("--base", repo.git("rev-parse", "main~1"), code=2).stderr
    # Deep enough for both branches, not for where they part.
    repo.git("checkout", "-q", "feature")
    repo.commit("more")
    repo.git("checkout", "-q", "main")
    repo.commit("more of theirs")
    deeper = clone(repo, tmp_path, "--depth", "2", "--no-single-branch", "--branch", "feature",
                   name="deeper")
    deeper.report()
    done = deeper.run("--base", "origin/main", code=2)
    assert "merge base" in done.stderr and "fetch-depth: 0" in done.stderr
    # A merge commit and its parents are enough.
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "feature")
    merged = clone(repo, tmp_path, "--depth", "2", "--branch", "main", name="merged")
    assert merged.changed("--base", "HEAD^1") == {"mine.py": "1"}
    assert merged.changed() == {"mine.py": "1"}
    repo.git("reset", "-q", "--hard", "HEAD^1")
    whole = clone(repo, tmp_path, "--branch", "feature", name="whole")
    assert whole.changed("--base", "origin/main") == {"mine.py": "1"}


def test_a_partial_clone_is_judged_when_it_can_be_and_refused_when_not(repo, tmp_path):
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.write(app=edit(BODY, 5))
    repo.commit()
    partial = clone(repo, tmp_path, "--filter=blob:none")
    partial.report()
    done = partial.run(code=2)
    assert "is partial" in done.stderr and "`filter`" in done.stderr
    repo.git("rm", "-q", "app.py")
    repo.write(fresh="fresh = 1\n")
    repo.commit()
    repo.git("commit", "-q", "--allow-empty", "-m", "nothing")
    unchanged = clone(repo, tmp_path, "--filter=blob:none", name="unchanged")
    assert unchanged.changed() == {}


def test_a_sparse_checkout(repo):
    repo.write(one__a="a = 1\n", two__b="b = 1\n")
    repo.commit()
    repo.write(one__a="a = 2\n", two__b="b = 2\n")
    repo.commit()
    repo.git("sparse-checkout", "set", "one", ".github")
    assert not (repo.folder / "two/b.py").exists()
    assert repo.changed() == {"one/a.py": "1", "two/b.py": "1"}


def test_a_worktree(repo, tmp_path):
    branch_off(repo)
    repo.git("worktree", "add", "-q", str(tmp_path / "tree"), "feature")
    assert (tmp_path / "tree/.git").is_file()
    assert Repository(tmp_path / "tree").changed("--base", "main") == {"mine.py": "1"}


def test_a_submodule_is_not_source_and_its_paths_are_said(repo, tmp_path):
    other = Repository(tmp_path / "library")
    other.folder.mkdir()
    other.git("init", "-q", "-b", "main")
    other.write(lib="lib = 1\n")
    other.commit()
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.folder), "vendor/lib")
    repo.commit("with a submodule")
    other.write(lib="lib = 2\n")
    tip = other.commit()
    checked_out = repo.folder / "vendor/lib"
    subprocess.run(["git", "-c", "protocol.file.allow=always", "fetch", "-q"], cwd=checked_out,
                   env=ENVIRONMENT, check=True)
    subprocess.run(["git", "checkout", "-q", tip], cwd=checked_out, env=ENVIRONMENT, check=True)
    repo.write(app=edit(BODY, 5))
    repo.commit("the submodule moves")
    assert repo.changed() == {"app.py": "5"}
    repo.report(more=["vendor/lib/lib.py"])
    said = repo.findings()["evidence.coverage.submodules"]
    assert "1 of 2 covered files lie in a submodule (vendor/lib)" in said["message"]
    assert "evidence.coverage.unmatched" not in repo.findings()


def test_a_bare_repository_is_said_so(repo, tmp_path):
    repo.git("clone", "-q", "--bare", str(repo.folder), str(tmp_path / "bare.git"))
    done = repo.run(code=2, folder=tmp_path / "bare.git")
    assert "no working tree" in done.stderr


def test_another_users_repository_names_safe_directory(repo):
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    repo.report()
    for folder, folders, files in os.walk(repo.folder):
        for name in [".", *folders, *files]:
            os.chown(os.path.join(folder, name), 12345, 12345)
    done = repo.run(code=1)
    assert "safe.directory" in done.stderr and str(repo.folder) in done.stderr
    home = repo.folder.parent / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {repo.folder}\n")
    env = {"HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    assert "safe.directory" not in repo.run(env=env).stderr


def test_gits_environment_does_not_point_the_gate_elsewhere(repo, tmp_path):
    other = Repository(tmp_path / "other")
    other.folder.mkdir()
    other.git("init", "-q")
    other.commit()
    repo.write(app=edit(BODY, 5))
    repo.commit()
    env = {"GIT_DIR": str(other.folder / ".git"), "GIT_WORK_TREE": str(other.folder),
           "GIT_INDEX_FILE": "/nonexistent", "GIT_OBJECT_DIRECTORY": str(other.folder),
           "GIT_COMMON_DIR": str(other.folder / ".git"), "GIT_NAMESPACE": "x"}
    assert repo.changed(env=env) == {"app.py": "5"}


def test_replace_refs_and_grafts_do_not_rewrite_what_is_judged(repo):
    repo.write(app=edit(BODY, 5))
    head = repo.commit()
    tree = repo.git("rev-parse", "HEAD~1^{tree}")
    fake = repo.git("commit-tree", "-m", "fake", "-p", "HEAD~1", tree)
    repo.git("replace", head, fake)
    repo.report()
    assert repo.changed() == {"app.py": "5"}


def test_a_sha256_repository_is_refused_by_name(tmp_path):
    repo = Repository(tmp_path / "work")
    repo.folder.mkdir()
    repo.git("init", "-q", "--object-format=sha256")
    repo.put(".github/sluice.yml", CONFIG)
    repo.commit()
    assert "SHA-256" in repo.run(code=2).stderr


def test_nothing_is_committed_yet(tmp_path):
    repo = Repository(tmp_path / "work")
    repo.folder.mkdir()
    repo.git("init", "-q")
    repo.put(".github/sluice.yml", CONFIG)
    repo.put("app.py", "x = 1\n")
    repo.put("cov/lcov.info", "SF:app.py\nDA:1,1\nend_of_record\n")
    found = repo.findings()["evidence.changes.missing"]
    assert "nothing is committed yet" in found["message"] and found["verdict"] == "block"
