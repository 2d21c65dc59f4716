"""Metrics of a script, which the server shows on /metrics: docs/metrics.md.

    from scoring_server import metrics

    requests = metrics.counter("requests_by_kind_total", "requests by kind", labels=["kind"])
    requests.inc(kind="image")

A series that is kept costs half: `images = requests.labels(kind="image")`, then `images.inc()`.
"""

from __future__ import annotations

from collections.abc import Sequence

from scoring_worker.metric_checks import DURATIONS
from scoring_worker.metrics import Counter, Gauge, Histogram
from scoring_worker.port import port

__all__ = ["Counter", "Gauge", "Histogram", "counter", "gauge", "histogram"]


def counter(name: str, help: str, labels: Sequence[str] = ()) -> Counter:
    """A counter. The same name and definition again is the same counter.

    Raises ValueError for a definition that the server does not take.
    """
    return port.metrics.counter(name, help, labels)


def gauge(name: str, help: str, labels: Sequence[str] = ()) -> Gauge:
    """A gauge: one series a worker, with the label `worker`.

    Raises ValueError for a definition that the server does not take.
    """
    return port.metrics.gauge(name, help, labels)


def histogram(
    name: str, help: str, labels: Sequence[str] = (), buckets: Sequence[float] = DURATIONS
) -> Histogram:
    """A histogram. `buckets`: upper bounds, ascending; by default they fit seconds.

    Raises ValueError for a definition that the server does not take.
    """
    return port.metrics.histogram(name, help, labels, buckets)
