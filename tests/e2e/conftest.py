"""The built binary against real parts: git, gunicorn, HAProxy, sshd, Prometheus; loopback only.

SLUICE names the binary (default: build/asan/sluice). Every process that a test starts is ended by
its id, also when the test fails.
"""

import json
import os
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

    def config(self, old, new):
        """Changes the configuration and commits it."""
        path = self.repository / ".github/sluice.yml"
        text = path.read_text()
        assert old in text, f"{old!r} is not in the configuration"
        path.write_text(text.replace(old, new))
        self.scene.git("commit", "--quiet", "--all", "--message=Configuration")
        self.scene.git("push", "--quiet", "origin", "HEAD")

    def release(self, patch):
        """A change as a commit that the gate has let pass; gives its id."""
        commit = self.scene.commit(patch)
        self.decide()
        return commit

    def decide(self):
        tests = subprocess.run(
            [self.repository / "test"], cwd=self.repository, capture_output=True, text=True
        )
        assert tests.returncode == 0, tests.stdout + tests.stderr
        self.must("gate", "--record")

    def serving(self):
        return {release.rsplit("-", 1)[0] for release in self.scene.serving().values()}

    def events(self):
        """Every event of the ledger, oldest first, as the repository has them."""
        git = self.scene.git
        names = git("ls-tree", "-r", "--name-only", "release-ledger", "events/",
                    cwd=self.scene.directory / "learn.git").splitlines()
        show = lambda name: json.loads(  # noqa: E731
            git("show", f"release-ledger:{name}", cwd=self.scene.directory / "learn.git")
        )
        return sorted(map(show, names), key=lambda event: event["time"])


@pytest.fixture
def short_path():
    """A folder with a short name: the path of a Unix socket has room for about a hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        yield Path(folder)


@pytest.fixture
def site(short_path):
    scene = Scene(short_path / "scene", hosts=2)
    with scene:
        site = Site(scene)
        site.config("steps: [25%, 50%, 100%]", "steps: [50%, 100%]")
        site.config("step_bake: 4s", "step_bake: 3s")
        site.config("    bake: 4s", "    bake: 2s")
        site.must("adopt")
        yield site


def end(child):
    """Ends a process that the test started; what it said."""
    if child.poll() is None:
        child.send_signal(signal.SIGKILL)
    return child.communicate()
