"""Google's own clients against the bench: what they send passes, what was damaged does not.

    check.py PORT      prints {"passed": {NAME: WORDS}, "refused": {NAME: STATUS}}

The service "check" and the group "check" are left behind.
"""

import http.client
import importlib.util
import io
import json
import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

import google.api_core.exceptions
import google.auth.transport.requests
import google_auth_httplib2
import googleapiclient.errors
import httplib2
from google.auth import identity_pool
from google.cloud import run_v2
from google.cloud.run_v2.services.revisions.transports import RevisionsRestTransport
from google.cloud.run_v2.services.services.transports import ServicesRestTransport
from google.oauth2 import credentials as static
from google.oauth2 import service_account
from googleapiclient.discovery import build_from_document
from googleapiclient.http import MediaIoBaseUpload

PORT = int(sys.argv[1])
URL = f"http://127.0.0.1:{PORT}"
TOKEN = static.Credentials("ya29.bench")
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
PARENT = "projects/bench/locations/europe-west1"
SERVICE = f"{PARENT}/services/check"
IMAGE = "europe-west1-docker.pkg.dev/bench/learn/app@sha256:" + "a" * 64
TYPE = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
NAMED = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
ZONE = {"project": "bench", "zone": "europe-west1-b"}


def only_here(host, *more, resolve=socket.getaddrinfo, **named):
    """None of these clients is to look for Google itself."""
    if host != "127.0.0.1":
        raise socket.gaierror(f"{host} is not the bench")
    return resolve(host, *more, **named)


socket.getaddrinfo = only_here


def get(path):
    with urllib.request.urlopen(URL + path, timeout=30) as answer:
        return json.load(answer)


def client(api, version):
    """Of google-api-python-client, at the bench instead of Google."""
    package = Path(importlib.util.find_spec("googleapiclient").origin).parent
    document = json.loads(
        (package / f"discovery_cache/documents/{api}.{version}.json").read_text()
    )
    document["rootUrl"] = document["baseUrl"] = f"{URL}/{api}/"
    authorized = google_auth_httplib2.AuthorizedHttp(TOKEN, http=httplib2.Http(timeout=30))
    return build_from_document(document, http=authorized)


def status_of(work):
    try:
        work()
    except googleapiclient.errors.HttpError as why:
        return why.resp.status
    return 200


# ---- what passes ---------------------------------------------------------------------------------


def target(revision, percent, tag=""):
    return run_v2.TrafficTarget(
        type_=TYPE, revision=revision.rpartition("/")[2], percent=percent, tag=tag
    )


def cloud_run():
    transport = ServicesRestTransport(host=f"{URL}/run", credentials=TOKEN)
    services = run_v2.ServicesClient(transport=transport)
    template = run_v2.RevisionTemplate(containers=[run_v2.Container(image=IMAGE)])
    one = services.create_service(
        parent=PARENT, service_id="check", service=run_v2.Service(template=template)
    ).result(timeout=30)
    first = one.latest_ready_revision
    template.revision = "check-two"
    two = services.update_service(run_v2.UpdateServiceRequest(
        service=run_v2.Service(
            name=SERVICE, etag=one.etag, template=template,
            traffic=[target(first, 100), target("check-two", 0, "next")],
        ),
        update_mask={"paths": ["template", "traffic"]},
    )).result(timeout=30)
    try:
        services.update_service(run_v2.UpdateServiceRequest(
            service=run_v2.Service(name=SERVICE, etag=one.etag, traffic=[target(first, 100)]),
            update_mask={"paths": ["traffic"]},
        ))
        stale = "passed"
    except google.api_core.exceptions.Conflict:
        stale = "conflict"
    three = services.update_service(run_v2.UpdateServiceRequest(
        service=run_v2.Service(
            name=SERVICE, etag=two.etag, traffic=[target(first, 90), target("check-two", 10)]
        ),
        update_mask={"paths": ["traffic"]},
    )).result(timeout=30)
    revisions = run_v2.RevisionsClient(
        transport=RevisionsRestTransport(host=f"{URL}/run", credentials=TOKEN)
    )
    return {
        "shares": [status.percent for status in three.traffic_statuses], "stale": stale,
        "generations": [three.generation, three.observed_generation],
        "revisions": len(list(revisions.list_revisions(parent=SERVICE))),
        "state": three.terminal_condition.state.name,
    }


def template_of(name):
    return {"name": name, "properties": {
        "machineType": "e2-small",
        "disks": [{"boot": True, "initializeParams": {"sourceImage": "global/images/app"}}],
        "networkInterfaces": [{"network": "global/networks/default"}],
    }}


def compute():
    api = client("compute", "v1")
    groups, templates = api.instanceGroupManagers(), api.instanceTemplates()
    names = [f"global/instanceTemplates/check-{n}" for n in (1, 2)]
    for name in names:
        told = templates.insert(
            project="bench", body=template_of(name.rpartition("/")[2])
        ).execute()
        api.globalOperations().wait(project="bench", operation=told["name"]).execute()
    body = {"name": "check", "targetSize": 2, "versions": [{"instanceTemplate": names[0]}],
            "updatePolicy": {"type": "PROACTIVE"}}
    groups.insert(**ZONE, body=body).execute()
    group = stable(groups)
    patch = {"fingerprint": group["fingerprint"], "versions": [
        {"instanceTemplate": names[0]},
        {"instanceTemplate": names[1], "targetSize": {"fixed": 1}},
    ]}
    here = {**ZONE, "instanceGroupManager": "check"}
    told = groups.patch(**here, body=patch).execute()
    done = api.zoneOperations().wait(**ZONE, operation=told["name"]).execute()
    soon = groups.get(**here).execute()["status"]["isStable"]
    stable(groups)
    listed = groups.listManagedInstances(**here).execute()["managedInstances"]
    return {
        "operation": done["status"], "stable at once": soon,
        "stale": status_of(lambda: groups.patch(**here, body=patch).execute()),
        "templates": sorted(i["version"]["instanceTemplate"].rpartition("/")[2] for i in listed),
    }


def stable(groups):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        group = groups.get(**ZONE, instanceGroupManager="check").execute()
        if group["status"]["isStable"] and group["status"]["versionTarget"]["isReached"]:
            return group
        time.sleep(0.05)
    raise AssertionError(group)


def storage():
    api, data = client("storage", "v1"), os.urandom(70000) + b"\r\n--\r\n\n"
    api.buckets().insert(project="bench", body={"name": "check-bucket"}).execute()
    there = {"bucket": "check-bucket"}

    def insert(body):
        media = MediaIoBaseUpload(io.BytesIO(data), "application/zstd", resumable=False)
        return api.objects().insert(
            **there, body=body, media_body=media, ifGenerationMatch=0
        ).execute()

    made = insert({"name": "bundles/a b", "metadata": {"release": "v1"}})
    read = api.objects().get_media(**there, object="bundles/a b").execute()
    return {
        "read": read == data, "size": int(made["size"]) == len(data),
        "again": status_of(lambda: insert({"name": "bundles/a b"})),
        "metadata": api.objects().get(**there, object="bundles/a b").execute()["metadata"],
    }


def monitoring():
    api = client("monitoring", "v3").projects().timeSeries()
    now = time.time()

    def moment(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

    def write(revision, value, end):
        api.create(name="projects/bench", body={"timeSeries": [{
            "metric": {"type": "custom.googleapis.com/check", "labels": {"revision": revision}},
            "resource": {"type": "global"}, "metricKind": "CUMULATIVE",
            "points": [{"interval": {"startTime": moment(now - 300), "endTime": moment(end)},
                        "value": {"int64Value": str(value)}}],
        }]}).execute()

    for revision, step in (("one", 10), ("two", 1)):
        for n in range(1, 5):
            write(revision, n * step, now - 300 + 60 * n)
    told = api.list(
        name="projects/bench", filter='metric.type = "custom.googleapis.com/check" AND '
        'metric.labels.revision = one_of("one", "two")',
        interval_startTime=moment(now - 180), interval_endTime=moment(now - 60),
        aggregation_alignmentPeriod="60s", aggregation_perSeriesAligner="ALIGN_DELTA",
        aggregation_crossSeriesReducer="REDUCE_SUM",
    ).execute()["timeSeries"]
    return [point["value"]["int64Value"] for point in told[0]["points"]]


def identities():
    """google.auth.default() would ask Google itself for some; each is read by its class."""
    told, out = get("/credentials"), {}
    user = {name: value for name, value in told["authorized_user"].items() if name != "type"}
    pool, key = identity_pool.Credentials.from_info, service_account.Credentials
    for kind, found in {
        "service account": key.from_service_account_info(told["service_account"], scopes=SCOPES),
        "user": static.Credentials(None, **user),
        "federated": pool(told["external_account"], scopes=SCOPES),
        "impersonated": pool(told["impersonated"], scopes=SCOPES),
    }.items():
        found.refresh(google.auth.transport.requests.Request())
        bearer = {"Authorization": f"Bearer {found.token}"}
        out[kind] = send("GET", f"/run/v2/{SERVICE}", None, bearer)
    return out


# ---- what does not -------------------------------------------------------------------------------


def send(verb, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    given = {"Authorization": "Bearer ya29.bench", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    connection.request(verb, path, data, {**given, **(headers or {})})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def refused():
    service, group = f"/run/v2/{SERVICE}", (
        "/compute/compute/v1/projects/bench/zones/europe-west1-b/instanceGroupManagers/check"
    )
    templates = "/compute/compute/v1/projects/bench/global/instanceTemplates"
    series = "/monitoring/v3/projects/bench/timeSeries"
    full = [{"type": NAMED, "revision": "check-two", "percent": 100}]
    traffic = f"{service}?updateMask=traffic&validateOnly=true"
    template = f"{service}?updateMask=template&validateOnly=true"
    mark = get_group()["fingerprint"]
    version = {"instanceTemplate": "global/instanceTemplates/check-1"}

    def shares(*percents):
        names = ("check-two", "check-three")
        pairs = zip(names, percents)
        return {"traffic": [{**full[0], "revision": n, "percent": p} for n, p in pairs]}

    def one(**change):
        return {"traffic": [{**full[0], **change}]}

    def patch(**change):
        return send("PATCH", group, {"fingerprint": mark, **change})

    def bad_template(**change):
        tree = template_of("check-3")
        tree["properties"].update(change.pop("properties", {}))
        return send("POST", templates, {**tree, **change})

    return {
        "as it is": send("PATCH", traffic, {"traffic": full}),
        "no token": send("PATCH", traffic, {"traffic": full}, {"Authorization": ""}),
        "an unknown token": send("GET", service, None, {"Authorization": "Bearer ya29.other"}),
        "an unknown API": send("GET", f"/walk/v2/{SERVICE}"),
        "an unknown path": send("GET", f"/run/v3/{SERVICE}"),
        "another verb": send("PUT", service, {"traffic": full}),
        "an unknown parameter": send("PATCH", traffic + "&mask=traffic", {"traffic": full}),
        "a boolean that is none": send("PATCH", traffic.replace("true", "1"), {"traffic": full}),
        "a parameter twice": send("PATCH", traffic + "&updateMask=template", {"traffic": full}),
        "a parameter that is missing": send("POST", f"/run/v2/{PARENT}/services", {
            "template": {"containers": [{"image": IMAGE}]}}),
        "a mask without its field": send("PATCH", traffic.replace("traffic&", "trafic&"), {}),
        "a mask of what is output only": send("PATCH", f"{service}?updateMask=generation", {}),
        "an unknown field": send("PATCH", traffic, {"traffic": full, "tags": []}),
        "a field in snake_case": send("PATCH", template, {"template": {"service_account": "x"}}),
        "a field that is output only": send("PATCH", traffic, {"traffic": full, "uri": "x"}),
        "a number as a text": send("PATCH", traffic, one(percent="100")),
        "a number that is too large": send("PATCH", traffic, one(percent=2**31)),
        "a word that is not in its list": send("PATCH", traffic, one(type="REVISION")),
        "a list that is none": send("PATCH", traffic, {"traffic": full[0]}),
        "a duration without its unit": send("PATCH", template, {"template": {
            "timeout": "300", "containers": [{"image": IMAGE}]}}),
        "a field that is missing": send("PATCH", template, {"template": {"containers": [{}]}}),
        "an image that is none": send("PATCH", template, {"template": {
            "containers": [{"image": "app@sha256:abc"}]}}),
        "a revision of another service": send("PATCH", template, {"template": {
            "revision": "other-1", "containers": [{"image": IMAGE}]}}),
        "traffic that is less than all": send("PATCH", traffic, one(percent=99)),
        "traffic to nobody": send("PATCH", traffic, shares(50, 50)),
        "a revision as the latest": send("PATCH", traffic, one(
            type="TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST")),
        "a body that is no JSON": send("PATCH", traffic, b"{"),
        "a field twice": send("PATCH", traffic, b'{"traffic": [], "traffic": []}'),
        "another type of content": send("PATCH", traffic, {"traffic": full},
                                        {"Content-Type": "text/plain"}),
        "a body that nobody wants": send("GET", service, {"traffic": full}),
        "a fingerprint that is none": patch(fingerprint="no base64!"),
        "two versions for the rest": patch(versions=[version, version]),
        "no version for the rest": patch(versions=[{**version, "targetSize": {"fixed": 1}}]),
        "a size in both ways": patch(versions=[version, {
            "instanceTemplate": "global/instanceTemplates/check-2",
            "targetSize": {"fixed": 1, "percent": 10}}]),
        "a calculated size": patch(versions=[{**version, "targetSize": {"calculated": 2}}]),
        "a template that is no URL": patch(versions=[{"instanceTemplate": "check-1"}]),
        "a policy that is none": patch(updatePolicy={"type": "NOW"}),
        "neither surge nor absence": patch(updatePolicy={
            "maxSurge": {"fixed": 0}, "maxUnavailable": {"fixed": 0}}),
        "a name that is none": bad_template(name="Check_3"),
        "a template without a machine": bad_template(properties={"machineType": None}),
        "a template without its disk": bad_template(properties={"disks": []}),
        "a copy with what was output only": bad_template(kind="compute#instanceTemplate"),
        "a series without a filter": send("GET", f"{series}?interval.endTime=2027-01-01T00:00:00Z"),
        "a moment that is none": send("GET", f"{series}?filter=metric.type%3D%22x%22"
                                             "&interval.endTime=now"),
        "a filter that cannot be read": send("GET", f"{series}?filter=metric.type+%3D%3D+x"
                                                    "&interval.endTime=2027-01-01T00:00:00Z"),
        "a bucket's name": send("POST", "/storage/storage/v1/b?project=bench", {"name": "A"}),
        "a grant of another kind": send(
            "POST", "/oauth2/token", b"grant_type=password",
            {"Content-Type": "application/x-www-form-urlencoded"}),
        "a subject token of nobody": send("POST", "/sts/v1/token", {
            "grantType": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": "x",
            "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
            "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt", "subjectToken": "a.b.c"}),
        "an image's name": send("GET", "/v2/Bench/app/manifests/v1"),
    }


def get_group():
    return client("compute", "v1").instanceGroupManagers().get(
        **ZONE, instanceGroupManager="check"
    ).execute()


print(json.dumps({
    "passed": {
        "run": cloud_run(), "compute": compute(), "storage": storage(), "monitoring": monitoring(),
        "identities": identities(),
    },
    "refused": refused(),
}))
