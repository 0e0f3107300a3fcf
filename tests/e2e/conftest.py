"""The built binary against real parts: git, gunicorn, HAProxy, sshd, Prometheus; loopback only.

SLUICE names the binary (default: build/asan/sluice). Every process that a test starts is ended by
its id, also when the test fails.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SLUICE = os.environ.get("SLUICE", str(ROOT / "build/asan/sluice"))
sys.path.insert(0, str(ROOT / "actions/demo"))

from scene import Scene  # noqa: E402

os.environ.setdefault(
    "LSAN_OPTIONS", f"suppressions={ROOT / 'tests/lsan.supp'}:print_suppressions=0"
)
for name in [name for name in os.environ if name.startswith("GITHUB_")]:
    del os.environ[name]  # also in a workflow, a test is somebody at a terminal
os.environ.pop("CI", None)


# Of what is left to chance; the processes of one run share it.
SEED = int(os.environ.setdefault("SLUICE_SEED", str(random.SystemRandom().randrange(1, 10**6))))


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"SLUICE_SEED={SEED} repeats what was left to chance")


class Kept:
    """What is the same in every test is made once, by whichever process needs it first."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def only_one(self, name):
        with open(self.folder / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.folder / name

    def database(self, scene):
        """The demo's tables and courses, in a file of its own for each scene."""
        mine = scene.directory / "database/learn.sqlite3"
        with self.only_one("learn.sqlite3") as kept:
            if not kept.exists():
                Scene.make_database(scene)
                shutil.copyfile(mine, kept.with_suffix(".new"))
                kept.with_suffix(".new").rename(kept)
            else:
                shutil.copyfile(kept, mine)

    def reports(self, scene):
        """What the application's own tests report of the commit at hand."""
        entries = scene.git("ls-tree", "-r", "HEAD").splitlines()
        code = "\n".join(entry for entry in entries if "\t.github/" not in entry)
        here, place = str(scene.repository), "/the/repository"
        with self.only_one(hashlib.sha256(code.encode()).hexdigest()[:16]) as kept:
            if not kept.exists():
                tests = subprocess.run(
                    [scene.repository / "test"], cwd=scene.repository, capture_output=True, text=True
                )
                assert tests.returncode == 0, tests.stdout + tests.stderr
                fresh = kept.with_suffix(".new")
                fresh.mkdir()
                for report in (scene.repository / "reports").glob("*.xml"):
                    text = report.read_text().replace(here, place)
                    (fresh / report.name).write_text(text)
                fresh.rename(kept)
        shutil.rmtree(scene.repository / "reports", ignore_errors=True)
        (scene.repository / "reports").mkdir()
        for report in kept.glob("*.xml"):
            text = report.read_text().replace(place, here)
            (scene.repository / "reports" / report.name).write_text(text)


class KeptScene(Scene):
    def __init__(self, kept, directory, hosts):
        super().__init__(directory, hosts)
        self.kept = kept

    def make_database(self):
        self.kept.database(self)


class Done:
    """What a run of sluice came to."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Site:
    """The demo's scene with sluice in its repository."""

    def __init__(self, scene):
        self.scene = scene
        self.repository = scene.repository

    def start(self, *words, **more):
        environment = {**os.environ, **more.pop("env", {})}
        return subprocess.Popen(
            [SLUICE, *map(str, words)],
            cwd=self.repository,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(self, *words, timeout=120, **more):
        child = self.start(*words, **more)
        try:
            out, err = child.communicate(timeout=timeout)
        except BaseException:
            child.kill()
            child.communicate()
            raise
        done = Done(child.returncode, out, err)
        assert "AddressSanitizer" not in err and "runtime error:" not in err, done
        assert "LeakSanitizer" not in err, done
        return done

    def must(self, *words, code=0, **more):
        done = self.run(*words, **more)
        assert done.code == code, done
        return done

    def config(self, old, new, *more):
        """Changes the configuration and commits it; `more` are further pairs."""
        path = self.repository / ".github/sluice.yml"
        text = path.read_text()
        for old, new in [(old, new), *zip(more[::2], more[1::2])]:
            assert old in text, f"{old!r} is not in the configuration"
            text = text.replace(old, new)
        path.write_text(text)
        self.scene.git("commit", "--quiet", "--all", "--message=Configuration")
        self.scene.git("push", "--quiet", "origin", "HEAD")

    def name_a_watcher(self, every="30s", late="0s"):
        """Then a rollout may be left held, or waiting, with traffic on the release."""
        watch = f"watch: {{by: sluice watch on ops1, every: {every}, late: {late}}}\n"
        self.config("incidents:", watch + "incidents:")

    def release(self, patch):
        """A change as a commit that the gate has let pass; gives its id."""
        commit = self.scene.commit(patch)
        self.decide()
        return commit

    def decide(self):
        self.scene.kept.reports(self.scene)
        self.must("gate", "--record")

    def serving(self):
        return {release.rsplit("-", 1)[0] for release in self.scene.serving().values()}

    def events(self):
        """Every event of the ledger, oldest first, as the repository has them."""
        remote = self.scene.directory / "learn.git"
        entries = self.scene.git("ls-tree", "-r", "release-ledger", "events/", cwd=remote)
        blobs = "".join(entry.split()[2] + "\n" for entry in entries.splitlines())
        told = subprocess.run(
            ["git", "cat-file", "--batch"], input=blobs.encode(), cwd=remote, stdout=-1, check=True
        ).stdout
        events = []
        while told:
            head, _, told = told.partition(b"\n")
            size = int(head.split()[2])
            events.append(json.loads(told[:size]))
            told = told[size + 1 :]
        return sorted(events, key=lambda event: event["time"])

    def ledger_tip(self):
        """Changes with every entry that a process of this repository writes."""
        try:
            ledger = self.repository / ".git/sluice/ledger.git/refs/heads/release-ledger"
            return ledger.read_text()
        except OSError:
            return None

    def go_out(self, patch, name):
        """Brings a release out at once, where how it goes out is not what a test is about."""
        steps, page = "steps: [50%, 100%]", "every: 1s, requests: 20}"
        self.config(steps, "steps: [100%]", page, "every: 1s, requests: 20, max: 5%}")
        self.release(patch)
        self.must("rollout", name)
        self.config("steps: [100%]", steps, "every: 1s, requests: 20, max: 5%}", page)


@pytest.fixture
def short_path():
    """A folder with a short name: the path of a Unix socket has room for about a hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent  # that of the whole run
    return Kept(folder / "kept")


@pytest.fixture
def site(short_path, kept):
    scene = KeptScene(kept, short_path / "scene", hosts=2)
    with scene:
        site = Site(scene)
        site.config(
            "steps: [25%, 50%, 100%]", "steps: [50%, 100%]",
            "step_bake: 4s", "step_bake: 3s",
            "    bake: 4s", "    bake: 2s",
        )
        site.must("adopt")
        yield site


def end(child):
    """Ends a process that the test started; what it said."""
    if child.poll() is None:
        child.send_signal(signal.SIGKILL)
    return child.communicate()
