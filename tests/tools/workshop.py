"""Where the tools are installed and run. Nothing outside of its folder is changed."""
import json
import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
FIXTURES = HERE / "fixtures"
PYTHON = "/usr/bin/python3"


class CannotMake(Exception):
    """A tool that is not to be had on this machine, with the reason."""


@dataclass
class Report:
    """What a tool made, and what is known to be true of the program that it looked at."""
    tool: str
    version: str
    file: Path
    format: str
    totals: dict
    suspect: list = field(default_factory=list)

    @property
    def folder(self):
        return f"{self.tool}-{self.version}"


class Workshop:
    """`root` keeps the installed tools between runs; `bench` is emptied before each."""

    def __init__(self, root):
        self.root = Path(root)
        self.bench = self.root / "bench"
        shutil.rmtree(self.bench, ignore_errors=True)
        self.bench.mkdir(parents=True)

    def program(self, name, for_tool):
        """A fresh copy of one of our programs."""
        return Path(shutil.copytree(PROGRAMS / name, self.bench / for_tool))

    def run(self, command, cwd, ends_with=(0,), timeout=600, **environment):
        """Runs a tool to its end; its standard output. A failure of it is a failure of the run."""
        done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True,
                              text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL,
                              env={**os.environ, "NO_COLOR": "1", "CI": "1", **environment})
        if done.returncode not in ends_with:
            words = (done.stderr + done.stdout).strip()[-1200:]
            said = f"{' '.join(map(str, command))} ended with {done.returncode}"
            raise RuntimeError(f"{said}\n{words}")
        return done.stdout

    def installed(self, name, command, folder, **environment):
        """Installs into `folder` once; a failed installation is a tool that is not to be had."""
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / f".{re.sub('[^a-z0-9]+', '-', name.lower())}"
        if mark.exists():
            return
        try:
            self.run(command, folder, **environment)
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            lines = str(error).strip().splitlines()
            raise CannotMake(f"{name} cannot be installed: {lines[-1][:160]}") from error
        mark.touch()

    def python(self, *requirements):
        """The folder of programs of a virtual environment that has these."""
        folder = self.root / "python"
        if not (folder / "bin" / "pip").exists():
            self.installed("venv", [PYTHON, "-m", "venv", folder], self.root)
        name = " ".join(requirements)
        self.installed(name, [folder / "bin" / "pip", "install", "-q", *requirements], folder)
        return folder / "bin"

    def node(self, *packages):
        """The node_modules of a folder of its own that has these, which the program then uses."""
        self.command("npm")
        name = " ".join(packages)
        folder = self.root / "node" / re.sub("[^a-z0-9]+", "-", packages[0])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"name": "tools", "private": true}\n')
        self.installed(name, ["npm", "install", "--no-audit", "--no-fund", *packages], folder)
        return folder / "node_modules"

    def go(self, package):
        """A Go program that is built from its sources, as package@version."""
        self.command("go")
        folder = self.root / "go"
        self.installed(package, ["go", "install", package], folder, GOBIN=str(folder))
        return folder / re.split("[/@]", package)[-2]

    @staticmethod
    def command(name):
        """A program of the distribution (`.ci/packages install tools`)."""
        path = shutil.which(name)
        if path is None:
            raise CannotMake(f"{name} is not installed on this machine")
        return path

    def version(self, command, cwd=None):
        """The version that a tool says of itself."""
        words = self.run(command, cwd or self.root)
        found = re.search(r"\d+\.\d+(\.\d+)*", words)
        if found is None:
            raise RuntimeError(f"{command} does not say its version: {words[:200]}")
        return found.group(0)


def scrubbed(text, root):
    """The report without what is this machine's: its folders, its name, Java's properties."""
    text = re.sub(r"\s*<properties>.*?</properties>", "", text, flags=re.S)
    text = re.sub(re.escape(str(root / "bench")) + r"/[^/\"'<> :,\\]+", "/shop", text)
    for place, name in ((root, "/tools"), (HERE.parents[1], "/shop"), (Path.home(), "/home")):
        text = text.replace(f"{place}/", f"{name}/")
    text = re.sub(r"https?://[^/\"'<> ]*(pypi|registry)[^/\"'<> ]*", "https://packages.example.org",
                  text)
    host = re.escape(socket.gethostname())
    return re.sub(rf"""((?:hostname|id)=")
                       {host}(?=["-])""", r"\1machine", text, flags=re.X)


def reading(sluice, file):
    """What sluice says of one report."""
    done = subprocess.run([sluice, "read", "--format", "json", file.name], cwd=file.parent,
                          capture_output=True, text=True, check=False, timeout=60)
    if "ERROR: " in done.stderr or "runtime error" in done.stderr:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)["files"][0]


def differences(have, want):
    """Sentences about what sluice reads in a report and what is true; none when they agree."""
    said = []
    if have["error"] is not None:
        said.append(f"refused: {have['error']}")
    for what in ("format", "totals"):
        if have[what] != want[what]:
            said.append(f"{what} is {json.dumps(have[what])}, and not {json.dumps(want[what])}")
    if have["suspect"] != want.get("suspect", []):
        said.append(f"suspect: {have['suspect']}")
    return said
