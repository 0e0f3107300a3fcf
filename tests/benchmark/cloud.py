"""Two hundred services of Cloud Run brought out at once by one process: how long beside a single one,
how much memory, how many calls a second. On the bench of tests/bench/google, which checks each call."""

import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from measure import BUILD, ROOT, note, promise, right, title

sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "actions/demo")]

TARGETS = 200
# Of Cloud Run's API: what Google allows a project in a minute.
WRITES, READS = 180, 3000
STAGE = """\
google: {{project: {project}}}
targets:
{targets}rollout:
  - stage: production
    targets: [{names}]
    steps: [50%, 100%]
    step_bake: 1s
    bake: 1s
ledger: {{branch: release-ledger, remote: origin}}
"""
TARGET = '  {name}: {{kind: gcp-run, region: {region}, service: {name}, artifact: {{image: "{image}@${{digest}}"}}}}\n'


class Counter:
    """How many calls of Cloud Run's API the bench has answered, five times a second: writes, reads."""

    def __init__(self, bench):
        self.bench, self.over, self.seen = bench, threading.Event(), []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.2):
            told = self.bench.ask("/told")["ok"]
            calls = [0, 0]
            for name, count in told.items():
                calls[not name.endswith(".patch")] += count if name.startswith("run.") else 0
            self.seen.append((time.monotonic(), *calls))

    def stop(self):
        self.over.set()
        self.thread.join()

    def most_in_a_minute(self, kind):
        pairs = itertools.combinations([(seen[0], seen[1 + kind]) for seen in self.seen], 2)
        return max((b - a for (s, a), (t, b) in pairs if t - s <= 60), default=0)


def bring_out(bench, folder, names, image, digest, project, region):
    """Seconds, peak MB and the calls of one rollout of these services."""
    from cloud_site import CloudSite

    site = CloudSite(folder)
    targets = "".join(TARGET.format(name=name, region=region, image=image) for name in names)
    site.configure(STAGE.format(project=project, targets=targets, names=", ".join(names)))
    site.must("adopt")
    site.change("v2")
    words = [word for name in names for word in ("--artifact", f"{name}={digest}")]
    counter, began = Counter(bench), time.monotonic()
    with open(folder / "said", "w+") as said:
        child = subprocess.Popen(
            [BUILD / "sluice", "rollout", "v2", *words], cwd=site.repository, stdout=said, stderr=said,
        )
        _, status, usage = os.wait4(child.pid, 0)
        took = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        counter.stop()
        said.seek(0)
        right(f"{len(names)} services", child.returncode == 0, said.read()[-500:])
    return took, usage.ru_maxrss / 1024, counter


def cloud():
    title(f"{TARGETS} targets of Google Cloud in one process")
    os.environ["SLUICE"] = str(BUILD / "sluice")  # read by what is imported next
    from google_bench import PROJECT, REGION, GoogleBench

    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        bench = GoogleBench(scratch / "log")
        try:
            os.environ.update(bench.environment(scratch))
            repository = "bench/learn/app"
            bench.settings(converge_seconds=0.5, public_images=[repository])
            image = f"127.0.0.1:{bench.port}/{repository}"
            first, second = (bench.push_image(repository, name) for name in ("v1", "v2"))
            names = [f"s{n}" for n in range(TARGETS)]
            for name in ["alone", *names]:
                bench.create_service(name, f"{image}@{first}")
            alone, small, _ = bring_out(bench, scratch / "one", ["alone"], image, second, PROJECT, REGION)
            took, large, counter = bring_out(bench, scratch / "all", names, image, second, PROJECT, REGION)
            served = [name for name in names if any(
                revision.startswith(f"{name}-v2-") and percent == 100
                for revision, percent in bench.serving(name).items())]
            right("what is served", len(served) == TARGETS, f"{len(served)} of {TARGETS} serve v2")
            right("every call", bench.refused() == [], str(bench.refused()[:3]))
        finally:
            bench.stop()
    writes, reads = (counter.seen[-1][kind] - counter.seen[0][kind] for kind in (1, 2))
    note("one alone", f"{alone:.1f} s, {small:.0f} MB")
    note(f"all {TARGETS}", f"{took:.1f} s, {large:.0f} MB, {writes} writes, {reads} reads")
    promise("most writes in a minute", f"Google allows {WRITES}", counter.most_in_a_minute(0), at_most=WRITES)
    promise("most reads in a minute", f"Google allows {READS}", counter.most_in_a_minute(1), at_most=READS)
    # One alone, and what so many writes take at most of what is allowed: nothing else is waited for.
    least = alone + writes * 60 / WRITES
    promise("time beside the least that is allowed", f"{took:.1f} of {least:.1f} s", took / least, at_most=1.2)
    each = (large - small) * 1024 / (TARGETS - 1)
    promise("memory of each further target", f"{large:.0f} MB beside {small:.0f}", each, at_most=300, unit=" kB")
