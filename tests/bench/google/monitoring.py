"""Cloud Monitoring: PromQL (v1), which a real Prometheus answers, and time series (v3).

Time series are answered from the points that were written through timeSeries.create, and from what
the data plane counts, as run.googleapis.com/request_count. An alignment window ends with the
interval, and takes in all of its period, also where that began before the interval.

Settings (POST /control {"settings": …}):
    prometheus_url      of the Prometheus that answers PromQL
    lag_seconds         points are seen so much later (0); not those of Prometheus
    least_period        of an alignment, in seconds (60, as Google has it)
    sample_seconds      how often the data plane is counted (1)
"""

import calendar
import collections
import copy
import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request

from clock import stamp
from contract import Refused

OWN_TYPES = ("custom.googleapis.com/", "external.googleapis.com/", "workload.googleapis.com/")
REQUESTS = "run.googleapis.com/request_count"
COMPARISON = re.compile(
    r'\s*(metric\.type|resource\.type|project|(?:metric|resource)\.labels?\.\w+)\s*(=|!=)\s*'
    r'(?:"((?:[^"\\]|\\.)*)"|'
    r'(starts_with|ends_with|has_substring|one_of|monitoring\.regex\.full_match)'
    r'\(((?:\s*"(?:[^"\\]|\\.)*"\s*,?)+)\))\s*'
)
COUNTED = re.compile(
    r'haproxy_server_http_responses_total\{proxy="([^"]+)",server="([^"]+)",code="(\dxx)"\} (\d+)'
)
FUNCTIONS = {
    "starts_with": lambda value, words: value.startswith(words[0]),
    "ends_with": lambda value, words: value.endswith(words[0]),
    "has_substring": lambda value, words: words[0] in value,
    "one_of": lambda value, words: value in words,
    "monitoring.regex.full_match": lambda value, words: re.fullmatch(words[0], value) is not None,
}
REDUCERS = {
    "REDUCE_SUM": sum, "REDUCE_MIN": min, "REDUCE_MAX": max, "REDUCE_COUNT": len,
    "REDUCE_MEAN": lambda values: sum(values) / len(values),
}
OF_GAUGES = {
    "ALIGN_MEAN": lambda values: sum(values) / len(values), "ALIGN_MIN": min, "ALIGN_MAX": max,
    "ALIGN_SUM": sum, "ALIGN_COUNT": len, "ALIGN_NEXT_OLDER": lambda values: values[-1],
}

Point = collections.namedtuple("Point", "start end value seen")


def refuse(message, status=400):
    raise Refused({404: "NOT_FOUND"}.get(status, "INVALID_ARGUMENT"), message, status)


def unbuilt(what):
    raise Refused("UNIMPLEMENTED", f"the bench does not have {what}", 501)


def seconds_of(moment):
    whole, fraction, zone = re.fullmatch(
        r"([^.Z+]*?)(\.\d+)?(Z|[+-]\d\d:\d\d)", moment
    ).groups()
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(fraction or 0)
    if zone != "Z":
        hours, minutes = map(int, zone[1:].split(":"))
        seconds -= (1 if zone[0] == "+" else -1) * (hours * 3600 + minutes * 60)
    return seconds


def plain(text):
    return re.sub(r"\\(.)", r"\1", text)


class Filter:
    """Comparisons joined by AND; anything else of the language is not read."""

    def __init__(self, text):
        self.tests, at = [], 0
        while at < len(text):
            match = COMPARISON.match(text, at)
            if not match:
                if re.search(r"\bOR\b|\bNOT\b|[()]", text[at:]):
                    unbuilt(f"the filter {text[at:]!r}")
                refuse(f"Field filter had an invalid value: could not parse {text[at:]!r}")
            self.add(*match.groups())
            at = match.end()
            joint = re.match(r"AND\b", text[at:])
            if at < len(text) and not joint:
                refuse(f"Field filter had an invalid value: could not parse {text[at:]!r}")
            at += joint.end() if joint else 0
        types = [t for field, _, t in self.tests if field == "metric.type"]
        if len(types) != 1:
            refuse('The provided filter must specify a single metric type: metric.type = "…"')
        self.type = types[0]

    def add(self, field, sign, text, function, words):
        field = field.replace(".labels.", ".label.")
        if function:
            given = [plain(word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', words)]
            check = lambda value: FUNCTIONS[function](value, given)  # noqa: E731
        else:
            wanted = plain(text)
            check = lambda value: value == wanted  # noqa: E731
        right = check if sign == "=" else lambda value: not check(value)
        self.tests.append((field, right, None if function else plain(text)))

    def takes(self, series):
        return all(check(series.field(field) or "") for field, check, _ in self.tests)


class Series:
    def __init__(self, metric, resource, kind, value_type, unit="1"):
        self.metric, self.resource = metric, resource
        self.kind, self.value_type, self.unit, self.points = kind, value_type, unit, []

    def field(self, name):
        part, _, rest = name.partition(".")
        tree = {"metric": self.metric, "resource": self.resource}.get(part)
        if tree is None:
            return None
        if rest == "type":
            return tree["type"]
        return tree.get("labels", {}).get(rest.partition(".")[2])

    def told(self, points, kind=None, value_type=None):
        return {
            "metric": self.metric, "resource": self.resource, "metricKind": kind or self.kind,
            "valueType": value_type or self.value_type, "points": points,
        }


# ---- alignment -----------------------------------------------------------------------------------


def value_at(points, moment):
    """Of a cumulative series, between its points in a straight line."""
    before = None
    for point in points:
        if point.end >= moment:
            at, value = (before.end, before.value) if before and before.start == point.start else (
                point.start, 0
            )
            if moment <= at:
                return value
            return value + (point.value - value) * (moment - at) / (point.end - at)
        before = point
    return before.value if before else 0


def increase(points, first, last):
    total = 0
    for start in sorted({point.start for point in points}):  # each is a life of the counter
        life = [point for point in points if point.start == start]
        if life[-1].end > first:
            total += value_at(life, min(last, life[-1].end)) - value_at(life, max(first, start))
    return total


def overlap(points, first, last):
    """The sum of a delta series: of each point as much as lies within."""
    total = 0
    for point in points:
        length = point.end - point.start
        inside = min(point.end, last) - max(point.start, first)
        if inside > 0:
            total += point.value * inside / length
    return total


def bounds_of(options):
    if "explicitBuckets" in options:
        return options["explicitBuckets"]["bounds"]
    if "linearBuckets" in options:
        o = options["linearBuckets"]
        return [o.get("offset", 0) + o["width"] * n for n in range(o["numFiniteBuckets"] + 1)]
    o = options["exponentialBuckets"]
    return [o["scale"] * o["growthFactor"] ** n for n in range(o["numFiniteBuckets"] + 1)]


def percentile(points, share):
    """Within its bucket in a straight line; all points have the same buckets."""
    bounds = bounds_of(points[0].value["bucketOptions"])
    counts = [0] * (len(bounds) + 1)
    for point in points:
        for n, count in enumerate(point.value.get("bucketCounts", [])):
            counts[n] += int(count)
    rank, total = share * sum(counts), 0
    for n, count in enumerate(counts):
        if count and total + count >= rank:
            low, high = bounds[max(n - 1, 0)], bounds[min(n, len(bounds) - 1)]
            return low + (high - low) * (rank - total) / count
        total += count
    return None


def align(series, points, aligner, first, last):
    """The value of one window, or None where there is nothing."""
    inside = [point for point in points if first < point.end <= last]
    touching = [point for point in points if point.end > first and point.start < last]
    if aligner in ("ALIGN_DELTA", "ALIGN_RATE"):
        if series.kind == "GAUGE" or series.value_type == "DISTRIBUTION":
            refuse(f"{aligner} cannot be applied to a {series.kind} {series.value_type}")
        if not touching:
            return None
        delta = (increase if series.kind == "CUMULATIVE" else overlap)(points, first, last)
        return delta / (last - first) if aligner == "ALIGN_RATE" else delta
    if not inside:
        return None
    share = re.fullmatch(r"ALIGN_PERCENTILE_(\d\d)", aligner)
    if share:
        if series.value_type != "DISTRIBUTION" or series.kind == "CUMULATIVE":
            refuse(f"{aligner} cannot be applied to a {series.kind} {series.value_type}")
        return percentile(inside, int(share[1]) / 100)
    if aligner not in OF_GAUGES or series.value_type in ("DISTRIBUTION", "STRING"):
        unbuilt(aligner)
    if series.kind == "CUMULATIVE":
        refuse(f"{aligner} cannot be applied to a CUMULATIVE {series.value_type}")
    return OF_GAUGES[aligner]([point.value for point in inside])


# ---- the API -------------------------------------------------------------------------------------


class Monitoring:
    def __init__(self, bench):
        self.bench, self.clock, self.settings = bench, bench.clock, bench.settings
        self.series, self.counted, self.over = {}, {}, False
        self.clock.later(0.2, self.sample)

    def answers(self):
        return {
            "monitoring.projects.location.prometheus.api.v1.query": self.query,
            "monitoring.projects.location.prometheus.api.v1.query_range": self.query,
            "monitoring.projects.timeSeries.list": self.list,
            "monitoring.projects.timeSeries.create": self.create,
        }

    def forget(self):
        self.over = True

    def query(self, call):
        if call["name"].count("/") != 1 or call["location"] != "global":
            refuse(f"no location {call['location']!r} of {call['name']!r}", 404)
        if not call.body.get("query"):
            refuse("query: is required")
        url = self.settings.get("prometheus_url")
        if not url:
            raise Refused("UNAVAILABLE", "the bench was not told of a Prometheus", 503)
        path = call.request.path.partition("/prometheus/")[2]
        form = urllib.parse.urlencode(call.body).encode()
        try:
            with urllib.request.urlopen(f"{url}/{path}", data=form, timeout=30) as answer:
                return answer.read(), answer.status, {"Content-Type": "application/json"}
        except urllib.error.HTTPError as why:
            return why.read(), why.code, {"Content-Type": "application/json"}
        except (OSError, http.client.HTTPException) as error:
            raise Refused("UNAVAILABLE", f"Prometheus: {error}", 503) from error

    # ---- writing ---------------------------------------------------------------------------------

    def create(self, call):
        for n, given in enumerate(call.body.get("timeSeries", [])):
            self.write(call["name"], f"timeSeries[{n}]", given)
        return {}

    def write(self, project, at, given):
        metric = given.get("metric", {})
        if not metric.get("type", "").startswith(OWN_TYPES):
            refuse(f"{at}.metric.type: {metric.get('type')!r} cannot be written")
        if len(given.get("points", [])) != 1:
            refuse(f"{at}.points: must be one")
        resource = given.get("resource") or {"type": "global"}
        if "type" not in resource:
            refuse(f"{at}.resource.type: is required")
        resource = {**resource, "labels": {
            **resource.get("labels", {}), "project_id": project.partition("/")[2]
        }}
        (name, value), = given["points"][0]["value"].items()
        value_type = {"int64Value": "INT64", "doubleValue": "DOUBLE", "boolValue": "BOOL",
                      "distributionValue": "DISTRIBUTION", "stringValue": "STRING"}[name]
        kind = given.get("metricKind", "GAUGE")
        if kind not in ("GAUGE", "CUMULATIVE"):
            refuse(f"{at}.metricKind: {kind} cannot be written")
        value = int(value) if value_type == "INT64" else value
        interval = given["points"][0]["interval"]
        end = seconds_of(interval["endTime"])
        start = seconds_of(interval.get("startTime", interval["endTime"]))
        if (kind == "GAUGE") != (start == end):
            refuse(f"{at}.points[0].interval: not that of a {kind}")
        if end > time.time() + 300:
            refuse(f"{at}.points[0].interval.endTime: is in the future")
        self.add(metric, resource, kind, value_type, (start, end, value))

    def add(self, metric, resource, kind, value_type, point):
        key = json.dumps([metric, resource], sort_keys=True)
        series = self.series.setdefault(key, Series(metric, resource, kind, value_type))
        if (series.kind, series.value_type) != (kind, value_type):
            refuse(f"the metric is a {series.kind} {series.value_type}")
        if series.points and point[1] <= series.points[-1].end:
            refuse("Points must be written in order. One or more of the points specified had an "
                   "older end time than the most recent point.")
        series.points.append(Point(*point, time.time()))

    def sample(self):
        """What the data plane has counted since it was asked last, as Cloud Run tells it."""
        if self.over:
            return
        for name, state in self.bench.plane.state().items():
            if state["current"] or state["servers"]:
                try:
                    with urllib.request.urlopen(state["metrics"], timeout=0.5) as answer:
                        self.count(name, answer.read().decode())
                except (OSError, http.client.HTTPException):
                    continue
        self.clock.later(self.settings.get("sample_seconds", 1), self.sample)

    def count(self, service, text):
        if service not in self.bench.run.names():
            return
        now = time.time()
        for proxy, server, code, value in COUNTED.findall(text):
            before, since = self.counted.get((proxy, server, code), (0, now - 1))
            new = int(value) - before
            if proxy != service or new <= 0:
                continue
            self.counted[proxy, server, code] = (int(value), now)
            labels = {"response_code_class": code, "response_code": code[0] + "00"}
            place = {"service_name": service, "revision_name": server, "location": "europe-west1"}
            self.add(
                {"type": REQUESTS, "labels": labels},
                {"type": "cloud_run_revision", "labels": place}, "DELTA", "INT64",
                (since, now, new),
            )

    # ---- reading ---------------------------------------------------------------------------------

    def list(self, call):
        wanted = Filter(call["filter"])
        end = seconds_of(call["interval.endTime"])
        start = seconds_of(call["interval.startTime"] or call["interval.endTime"])
        if start > end:
            refuse("interval.startTime: is after the end")
        if call["orderBy"] or call["secondaryAggregation.perSeriesAligner"]:
            unbuilt("orderBy and secondaryAggregation")
        known = [s for s in self.series.values() if s.metric["type"] == wanted.type]
        if not known and wanted.type != REQUESTS:
            refuse(f"Cannot find metric(s) that match type = \"{wanted.type}\". If a metric was "
                   "created recently, it could take up to 10 minutes to become available.", 404)
        found = [series for series in known if wanted.takes(series)]
        aligner = call["aggregation.perSeriesAligner"] or "ALIGN_NONE"
        reducer = call["aggregation.crossSeriesReducer"] or "REDUCE_NONE"
        if aligner == "ALIGN_NONE":
            if reducer != "REDUCE_NONE":
                refuse("aggregation: a reducer needs an aligner")
            out = [self.raw(series, start, end) for series in found]
        else:
            out = self.aligned(call, found, aligner, reducer, start, end)
        out = [series for series in out if series["points"]]
        if call["view"] == "HEADERS":
            out = [{k: v for k, v in series.items() if k != "points"} for series in out]
        return self.page(call, out)

    def page(self, call, out):
        first, most = int(call["pageToken"] or 0), call["pageSize"] or 100000
        more = {"nextPageToken": str(first + most)} if first + most < len(out) else {}
        out = out[first:first + most]
        return {**({"timeSeries": out} if out else {}), **more, "unit": "1"}

    def seen(self, series):
        until = time.time() - self.settings.get("lag_seconds", 0)
        return [point for point in series.points if point.seen <= until]

    def point(self, start, end, value, value_type):
        name = {"INT64": "int64Value", "DOUBLE": "doubleValue", "BOOL": "boolValue",
                "STRING": "stringValue"}.get(value_type, "distributionValue")
        value = str(round(value)) if value_type == "INT64" else value
        interval = {"startTime": stamp(start), "endTime": stamp(end)}
        return {"interval": interval, "value": {name: value}}

    def raw(self, series, start, end):
        points = [
            self.point(p.start, p.end, p.value, series.value_type)
            for p in self.seen(series) if start < p.end <= end
        ]
        return series.told(points[::-1])

    def aligned(self, call, found, aligner, reducer, start, end):
        period = float((call["aggregation.alignmentPeriod"] or "0s")[:-1])
        if period < self.settings.get("least_period", 60):
            refuse("aggregation.alignmentPeriod: must be at least 60 seconds")
        kind = {"ALIGN_DELTA": "DELTA"}.get(aligner, "GAUGE")
        windows, moment = [], end
        while moment > start or moment == end:
            windows.append((moment - period, moment))
            moment -= period
        columns = []
        for series in found:
            points = self.seen(series)
            columns.append((series, [align(series, points, aligner, *w) for w in windows]))
        whole = aligner in ("ALIGN_DELTA", "ALIGN_SUM") and all(
            series.value_type == "INT64" for series in found
        )
        value_type = "INT64" if whole or aligner == "ALIGN_COUNT" else "DOUBLE"
        groups = self.reduced(columns, reducer, call["aggregation.groupByFields"] or [])
        out = []
        for series, values in groups:
            points = [
                self.point(w[0] if kind == "DELTA" else w[1], w[1], value, value_type)
                for w, value in zip(windows, values) if value is not None
            ]
            out.append(series.told(points, kind, value_type))
        return out

    def reduced(self, columns, reducer, fields):
        if reducer == "REDUCE_NONE":
            return columns
        if reducer not in REDUCERS:
            unbuilt(reducer)
        groups = {}
        for series, values in columns:
            key = tuple(series.field(f.replace(".labels.", ".label.")) for f in fields)
            groups.setdefault(key, []).append((series, values))
        out = []
        for key, members in groups.items():
            series = copy.copy(members[0][0])
            kept = {"metric": {}, "resource": {"project_id": "bench"}}
            for field, value in zip(fields, key):
                if value is not None and field.count(".") == 2:
                    kept[field.partition(".")[0]][field.rpartition(".")[2]] = value
            series.metric = {"type": series.metric["type"], "labels": kept["metric"]}
            series.resource = {"type": series.resource["type"], "labels": kept["resource"]}
            values = []
            for row in zip(*(values for _, values in members)):
                there = [value for value in row if value is not None]
                values.append(REDUCERS[reducer](there) if there else None)
            out.append((series, values))
        return out
