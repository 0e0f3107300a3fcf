"""Two processes write to one ledger at once, each from a clone of its own, over HTTP, SSH and a path:
no entry is lost, every sequence is there once, and the ledger verifies."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(
    os.environ.get("SLUICE", str(ROOT / "build/asan/sluice"))
).parent / "tests/e2e"
ENTRIES = 50

if not (PROGRAMS / "ledger_writer").exists():
    pytest.skip("ledger_writer is not built", allow_module_level=True)


class Bench:
    """A program of tests/bench, which says where it is and ends with its standard input."""

    def __init__(self, name):
        self.process = subprocess.Popen(
            [ROOT / "tests/bench" / name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.told = json.loads(self.process.stdout.readline())

    def __getitem__(self, key):
        return self.told[key]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


@pytest.fixture
def bench(request):
    bench = Bench(request.param)
    yield bench
    bench.close()


def git(*words, **more):
    return subprocess.run(
        ["git", *map(str, words)], check=True, capture_output=True, text=True, **more
    ).stdout


def clone(tmp_path, name):
    folder = tmp_path / name
    git("init", "-q", folder)
    return folder


def writer(folder, url, name, *words, env=None):
    return subprocess.Popen(
        [PROGRAMS / "ledger_writer", folder, url, name, str(ENTRIES), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )


def finish(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "Sanitizer" not in err and "runtime error" not in err, err
    return json.loads(out)


def check_whole(tmp_path, url, repository, *words, env=None):
    folder = clone(tmp_path, "checker")
    finish(
        subprocess.Popen(
            [PROGRAMS / "ledger_writer", folder, url, "checker", "0", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )
    )
    checked = finish(
        subprocess.Popen(
            [PROGRAMS / "ledger_check", folder, url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )
    assert checked["entries"] == 2 * ENTRIES
    git("-C", repository, "fsck", "--strict")
    names = git("-C", repository, "ls-tree", "-r", "--name-only", "release-ledger", "events")
    sequences = sorted(int(Path(n).name.partition("-")[0]) for n in names.split())
    assert sequences == list(range(1, 2 * ENTRIES + 1))
    seen = {"one": [], "two": []}
    for name in sorted(names.split(), key=lambda n: Path(n).name):
        event = json.loads(git("-C", repository, "show", f"release-ledger:{name}"))
        seen[event["rollout"]].append(event["body"]["number"])
    assert seen == {"one": list(range(ENTRIES)), "two": list(range(ENTRIES))}


def race(tmp_path, url, repository, *words, env=None):
    pair = [
        writer(clone(tmp_path, name), url, name, "every=2", *words, env=env)
        for name in ("one", "two")
    ]
    for process in pair:
        finish(process)
    check_whole(tmp_path, url, repository, *words, env=env)


@pytest.mark.parametrize("bench", ["git_http"], indirect=True)
def test_over_http(tmp_path, bench):
    race(tmp_path, bench["url"], bench["repository"])


@pytest.mark.parametrize("bench", ["git_http"], indirect=True)
def test_over_http_with_a_token(tmp_path, bench):
    race(
        tmp_path,
        bench["locked_url"],
        bench["repository"],
        env={"LEDGER_TOKEN": bench["token"]},
    )


@pytest.mark.parametrize("bench", ["git_http"], indirect=True)
@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_token_that_does_not_fit_is_refused_at_once(tmp_path, bench, token):
    process = writer(
        clone(tmp_path, "one"),
        bench["locked_url"],
        "one",
        "every=2",
        env={"LEDGER_TOKEN": token},
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "login" in err or "token" in err, err


@pytest.mark.parametrize("bench", ["sshd"], indirect=True)
def test_over_ssh(tmp_path, bench):
    repository = tmp_path / "ledger.git"
    git("init", "-q", "--bare", repository)
    url = f"ssh://{bench['user']}@127.0.0.1:{bench['port']}{repository}"
    race(
        tmp_path,
        url,
        repository,
        f"hosts={bench['known_hosts']}",
        f"ssh={bench['key']}",
        # libgit2 1.5.1 loses 56 bytes of its own look into known_hosts with every connection
        env={"ASAN_OPTIONS": "detect_leaks=0"},
    )


@pytest.mark.parametrize("bench", ["sshd"], indirect=True)
@pytest.mark.parametrize("hosts", ["wrong_hosts", "empty_hosts"])
def test_a_host_that_is_not_known_is_refused(tmp_path, bench, hosts):
    repository = tmp_path / "ledger.git"
    git("init", "-q", "--bare", repository)
    url = f"ssh://{bench['user']}@127.0.0.1:{bench['port']}{repository}"
    process = writer(
        clone(tmp_path, "one"),
        url,
        "one",
        "every=2",
        f"hosts={bench[hosts]}",
        f"ssh={bench['key']}",
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "127.0.0.1" in err, err
    assert not git("-C", repository, "for-each-ref")


def test_over_a_path(tmp_path):
    repository = tmp_path / "ledger.git"
    git("init", "-q", "--bare", repository)
    race(tmp_path, str(repository), repository)


@pytest.mark.parametrize("bench", ["git_http"], indirect=True)
def test_killed_writers_lose_nothing_that_was_acknowledged(tmp_path, bench):
    """SIGKILL at any moment: what `every=1` had on the remote stays, and the next process goes on."""
    folder = clone(tmp_path, "one")
    for moment in range(6):
        process = writer(folder, bench["url"], f"r{moment}", "every=1")
        try:
            process.communicate(timeout=0.15 + 0.13 * moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    last = finish(writer(folder, bench["url"], "last", "every=10"))
    assert last["entries"] >= ENTRIES
    git("-C", folder / ".git/sluice/ledger.git", "fsck", "--strict")
    checked = finish(
        subprocess.Popen(
            [PROGRAMS / "ledger_check", folder, bench["url"]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )
    assert checked["entries"] == last["entries"]
    tip = git("-C", bench["repository"], "rev-parse", "release-ledger").strip()
    assert tip == checked["tip"]


def sluice(folder, *words):
    program = os.environ.get("SLUICE", str(ROOT / "build/asan/sluice"))
    return subprocess.run(
        [Path(program).resolve(), *words], cwd=folder, capture_output=True, text=True
    )


def ledger_of_five(tmp_path, remote="-"):
    folder = clone(tmp_path, "one")
    (folder / ".github").mkdir()
    section = "" if remote == "-" else f"ledger: {{remote: {remote}}}\n"
    (folder / ".github/sluice.yml").write_text("version: 1\n" + section)
    git("-C", folder, "add", "-A")
    git("-C", folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    program = [PROGRAMS / "ledger_writer", folder, remote, "one", "5"]
    subprocess.run(program, check=True, capture_output=True)
    assert sluice(folder, "verify").returncode == 0
    return folder


def test_a_damaged_object_is_named_by_the_command(tmp_path):
    folder = ledger_of_five(tmp_path)
    commit = git("-C", folder, "rev-parse", "release-ledger~2").strip()
    path = folder / ".git/objects" / commit[:2] / commit[2:]
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[30] ^= 1
    path.write_bytes(content)
    done = sluice(folder, "verify")
    assert done.returncode == 1, done
    assert commit in done.stdout and not done.stderr


def test_a_rewritten_remote_is_no_whole_ledger(tmp_path):
    remote = tmp_path / "ledger.git"
    git("init", "-q", "--bare", remote)
    folder = ledger_of_five(tmp_path, str(remote))
    git("-C", remote, "update-ref", "refs/heads/release-ledger", "release-ledger~2")
    done = sluice(folder, "verify")
    assert done.returncode == 1, done
    assert "rewritten" in done.stdout, done
