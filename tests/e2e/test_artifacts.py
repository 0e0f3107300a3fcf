"""What a release is made of, where it is not made here: bundles that lie in a bucket, and images that
a registry knows by a tag or a digest. Both benches check every request as the providers would."""

import contextlib
import hashlib
import io
import json
import tarfile
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

import ecs_site
import run_site
from aws_bench import REGION, AwsBench
from aws_worlds import EcsWorld
from cloud_site import CloudSite
from google_bench import PROJECT, GoogleBench, Refusal

HOSTS = """\
targets:
  web: {{kind: hosts, transport: local, inventory: [a, b], path: "{folder}/${{host}}",
        artifact: {{{artifact}}}}}
rollout:
  - stage: production
    targets: [web]
    steps: [50%, 100%]
    step_bake: 0s
    bake: 0s
ledger: {{branch: release-ledger, remote: origin}}
"""
NOBODY = "sha256:" + "0" * 64


def bundle(text):
    """A release's files, larger than one piece of a download."""
    out, filler = io.BytesIO(), hashlib.shake_256(text.encode()).digest(9 << 20)
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, body in (("app.txt", text.encode()), ("filler", filler)):
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    bench = AwsBench(tmp_path_factory.mktemp("aws") / "log")
    yield bench
    bench.stop()


@pytest.fixture(scope="module")
def google(tmp_path_factory):
    bench = GoogleBench(tmp_path_factory.mktemp("google") / "log")
    yield bench
    bench.stop()


@pytest.fixture(autouse=True)
def environment(aws, google, tmp_path, monkeypatch):
    for name, value in {
        **google.environment(tmp_path),
        **aws.environment(tmp_path),
        "DOCKER_CONFIG": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    yield
    aws.control(faults={})
    google.control(faults={}, denied=[])
    assert aws.refused() == [] and google.refused() == []


class S3Bucket:
    url = "s3://releases"

    def __init__(self, aws):
        self.client = aws.client("s3")
        if not self.client.list_buckets().get("Buckets"):
            self.client.create_bucket(
                Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION}
            )

    def put(self, key, data):
        self.client.put_object(Bucket="releases", Key=key, Body=data)
        return digest_of(data)


class GoogleBucket:
    url = "gs://releases"

    def __init__(self, google):
        self.bench = google
        with contextlib.suppress(Refusal):  # it is there already
            google.create_bucket("releases")

    def put(self, key, data):
        name = quote(key, safe="")
        path = f"/storage/upload/storage/v1/b/releases/o?uploadType=media&name={name}"
        words = {"Authorization": "Bearer ya29.bench", "Content-Type": "application/json"}
        with urlopen(Request(self.bench.url + path, data, words), timeout=30) as answer:
            assert json.load(answer)["size"] == str(len(data))
        return digest_of(data)


@pytest.fixture(params=["s3", "gs"])
def bucket(request, aws, google):
    return S3Bucket(aws) if request.param == "s3" else GoogleBucket(google)


class HostsSite(CloudSite):
    def __init__(self, folder, artifact):
        super().__init__(folder)
        self.hosts = folder / "hosts"
        self.hosts.mkdir()
        self.configure(HOSTS.format(folder=self.hosts, artifact=artifact))

    def bring(self, release, *words, code=0):
        self.change(f"what git has of {release}")
        done = self.run("rollout", release, *words)
        assert (done.code == 0) == (code == 0), done
        return done

    def served(self):
        return {(self.hosts / host / "current/app.txt").read_text() for host in "ab"}


def test_bundles_come_out_of_a_bucket_and_are_pinned_by_their_digest(tmp_path, bucket):
    site = HostsSite(tmp_path / "site", f'bundle: "{bucket.url}/web/${{release}}.tar"')
    first = bucket.put("web/v1.tar", bundle("one"))
    bucket.put("web/v2.tar", bundle("two"))
    site.bring("v1", "--first", "web")
    assert site.served() == {"one"}
    assert first[7:19] in (site.hosts / "a/current").resolve().name
    site.bring("v2")
    assert site.served() == {"two"}
    third = bucket.put("hand/made.tar", bundle("three"))
    site.bring("v3", "--artifact", f"web={bucket.url}/hand/made.tar")
    assert site.served() == {"three"}
    site.must("rollback", "--yes", "--reason", "a complaint")
    assert site.served() == {"two"}
    # by digest: what the bucket has under the release's name must be just that
    bucket.put("web/v4.tar", bundle("four"))
    done = site.bring("v4", "--artifact", f"web={NOBODY}", code=2)
    assert f"not {NOBODY}" in done.err, done
    site.bring("v4", "--artifact", f"web={digest_of(bundle('four'))}")
    assert site.served() == {"four"}
    done = site.bring("v5", code=2)
    assert "web/v5.tar" in done.err and site.served() == {"four"}, done
    assert third != first
    site.must("verify")


def test_a_bundle_made_here_is_kept_in_a_bucket_for_other_machines(tmp_path, bucket):
    site = HostsSite(tmp_path / "site", f'store: "{bucket.url}/kept/${{digest}}.tar"')
    site.bring("v1", "--first", "web")
    name = (site.hosts / "a/current").resolve().name
    # another machine has no cache, but finds it
    caches = [folder for folder in site.repository.rglob("*.tar") if folder.is_file()]
    assert caches
    digest = "sha256:" + caches[0].stem
    assert name.endswith(digest[7:19])
    for file in caches:
        file.unlink()
    site.bring("v2", "--artifact", f"web={digest}")
    assert site.served() == {"what git has of v1"}
    assert f"not {NOBODY}" not in site.bring("v3", "--artifact", f"web={NOBODY}", code=2).err


def test_an_image_s_tag_is_looked_up_in_artifact_registry(tmp_path, google):
    site = run_site.RunSite(tmp_path / "site", google)
    google.settings(public_images=[])
    text = (site.repository / ".github/sluice.yml").read_text()
    text = text[text.index("targets:"):].replace("@${digest}", ":${release}")
    site.configure(
        f'google: {{project: {PROJECT}, endpoints: {{registry: "{google.url}"}}}}\n' + text
    )
    site.must("adopt")
    digest = site.digest("v2")
    site.change("v2")
    site.must("rollout", "v2")
    site.serves(site.revision("v2"))
    assert site.service()["template"]["containers"][0]["image"] == f"{site.images}@{digest}"
    served = site.service()
    site.change("v3")
    done = site.run("rollout", "v3")
    assert done.code != 0 and "app:v3 is not in its registry" in done.err, done
    done = site.run("rollout", "v3", "--artifact", f"search={NOBODY}")
    assert done.code != 0 and f"app@{NOBODY} is not in its registry" in done.err, done
    google.control(denied=["artifactregistry.repositories.downloadArtifacts"])
    done = site.run("rollout", "v3", "--artifact", f"search={digest}")
    assert done.code != 0 and "does not let us see image" in done.err, done
    assert site.service() == served, "nothing was touched"


def test_an_image_s_tag_is_looked_up_in_ecr(tmp_path, aws):
    world = EcsWorld(aws, name="tagged")
    site = ecs_site.EcsSite(tmp_path / "site", world)
    site.target(ecs_site.weighted)
    text = (site.repository / ".github/sluice.yml").read_text()
    site.configure(text[text.index("targets:"):].replace("@${digest}", ":${release}"))
    site.must("adopt")
    digest = world.push("v2")
    site.change("v2")
    site.must("rollout", "v2")
    ecs_site.serves(world, "v2", world.green, digest=digest)
    site.change("v3")
    made = ecs_site.definitions(world)
    done = site.run("rollout", "v3", "--artifact", f"web={NOBODY}")
    assert done.code != 0 and f"@{NOBODY} is not in its registry" in done.err, done
    assert ecs_site.definitions(world) == made
    aws.fault("ecr.GetAuthorizationToken", refuse="AccessDeniedException")
    done = site.run("rollout", "v3", "--artifact", f"web={digest}")
    assert done.code != 0 and "logging in to" in done.err, done
    assert ecs_site.definitions(world) == made
