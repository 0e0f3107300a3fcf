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
CALLS_A_SECOND = 10  # of Cloud Run's API, in a bucket that holds BURST: deploy/cloud/google_call.c
BURST = 20
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
    """How many calls of Cloud Run's API the bench has answered, five times a second."""

    def __init__(self, bench):
        self.bench, self.over, self.seen = bench, threading.Event(), []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.2):
            told = self.bench.ask("/told")["ok"]
            calls = sum(count for name, count in told.items() if name.startswith("run."))
            self.seen.append((time.monotonic(), calls))

    def stop(self):
        self.over.set()
        self.thread.join()

    def most_in(self, seconds):
        pairs = itertools.combinations(self.seen, 2)
        return max((b - a for (s, a), (t, b) in pairs if t - s <= seconds), default=0)


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
    calls = counter.seen[-1][1] - counter.seen[0][1]
    note("one alone", f"{alone:.1f} s, {small:.0f} MB")
    note(f"all {TARGETS}", f"{took:.1f} s, {large:.0f} MB, {calls} calls, {calls / took:.1f} a second")
    promise("memory", f"{large - small:.0f} MB more than one alone", large, at_most=64, unit=" MB")
    most = counter.most_in(10)
    promise("most calls in ten seconds", f"{CALLS_A_SECOND} a second and {BURST} at once are allowed",
            most, at_most=CALLS_A_SECOND * 10 + BURST + 5)
    # What the calls must take at that rate, and what one takes alone: nothing waits for nothing.
    least = alone + calls / CALLS_A_SECOND
    promise("time beside the least that the rate allows", f"{took:.1f} of {least:.1f} s", took / least, at_most=1.3)
