"""What AWS' own services publish: figures of real traffic, twice a second, in moto's CloudWatch."""

import collections
import threading

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.utils import utcnow

ACCOUNT = "123456789012"
PUBLISH_SECONDS = 0.5


class Figures:
    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = collections.defaultdict(list)

    def count(self, region, namespace, name, dimensions, value=1, unit="Count"):
        """`dimensions`: pairs; the same figure is given once for each set that it belongs to."""
        with self.lock:
            self.waiting[region, namespace, name, tuple(dimensions), unit].append(value)

    def publish(self):
        with self.lock:
            waiting, self.waiting = self.waiting, collections.defaultdict(list)
        now = utcnow()
        for (region, namespace, name, dimensions, unit), values in waiting.items():
            cloudwatch_backends[ACCOUNT][region].put_metric_data(namespace, [{
                "MetricName": name, "Timestamp": now, "Values": values, "Unit": unit,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
            }])
