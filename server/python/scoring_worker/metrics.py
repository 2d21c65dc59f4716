"""Metrics of a script: added up here, and reported to the host now and then."""

from __future__ import annotations

import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from . import kinds
from .later import Later
from .metric_checks import (
    DURATIONS,
    Definition,
    Kind,
    check_same,
    check_series,
    defined,
    finite,
    label_values,
)

# Seconds that a change waits for others. Why: one frame then carries many.
_REPORT_AFTER_S = 0.25
# Series of one metric. Why: label values are often made from data, and would fill the memory.
_MOST_SERIES = 1000
# Why: names may be made from data as well.
_MOST_METRICS = 1000
_LARGEST = sys.float_info.max

Message = dict[str, Any]


class _Series:
    """One series of a metric. The lock of its recorder guards its numbers."""

    __slots__ = ("_recorder", "changed", "counts", "definition", "labels", "value")

    def __init__(
        self, recorder: MetricRecorder, definition: Definition, labels: tuple[str, ...]
    ) -> None:
        self._recorder = recorder
        self.definition = definition
        self.labels = labels
        self.value = 0.0
        self.counts = [0] * (0 if definition.buckets is None else len(definition.buckets) + 1)
        self.changed = False

    def take(self) -> Message:
        """The change since the last time. Gauges keep their value, the others restart."""
        change: Message = {
            "name": self.definition.name,
            "labels": self.labels,
            # A sum of finite numbers may be infinite, and JSON has no infinity.
            "value": min(max(self.value, -_LARGEST), _LARGEST),
        }
        if self.counts:
            change["counts"] = self.counts
            self.counts = [0] * len(self.counts)
        if self.definition.kind != "gauge":
            self.value = 0.0
        self.changed = False
        return change

    def _touch(self) -> None:
        if not self.changed:
            self.changed = True
            self._recorder.touched(self)


class CounterSeries(_Series):
    """A counter with values for its labels."""

    __slots__ = ()

    def inc(self, by: float = 1, /) -> None:
        """Adds to the counter. Raises ValueError for a number that is negative or not finite."""
        number = finite(self.definition, by)
        if number < 0:
            name = self.definition.name
            raise ValueError(f"counter {name}: expected a number that is not negative, got {by}")
        with self._recorder.lock:
            self.value += number
            self._touch()


class GaugeSeries(_Series):
    """A gauge with values for its labels."""

    __slots__ = ()

    def set(self, value: float, /) -> None:
        """Sets the gauge. Raises ValueError for a number that is not finite."""
        number = finite(self.definition, value)
        with self._recorder.lock:
            self.value = number
            self._touch()

    def inc(self, by: float = 1, /) -> None:
        """Adds to the gauge. Raises ValueError for a number that is not finite."""
        number = finite(self.definition, by)
        with self._recorder.lock:
            self.value = min(max(self.value + number, -_LARGEST), _LARGEST)
            self._touch()

    def dec(self, by: float = 1, /) -> None:
        """Takes from the gauge. Raises ValueError for a number that is not finite."""
        self.inc(-finite(self.definition, by))


class HistogramSeries(_Series):
    """A histogram with values for its labels."""

    __slots__ = ()

    def observe(self, value: float, /) -> None:
        """Counts a value in its bucket. Raises ValueError for a number that is not finite."""
        number = finite(self.definition, value)
        bucket = bisect_left(self.definition.buckets or (), number)
        with self._recorder.lock:
            self.counts[bucket] += 1
            self.value += number
            self._touch()

    @contextmanager
    def time(self) -> Iterator[None]:
        """Observes the seconds that the block, or the function that it decorates, takes."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - began)


_S = TypeVar("_S", bound=_Series)


class _Metric(Generic[_S]):
    """A metric: its series by the values of its labels."""

    def __init__(self, recorder: MetricRecorder, definition: Definition, series: type[_S]) -> None:
        self.definition = definition
        self._recorder = recorder
        self._of = series
        self._series: dict[tuple[str, ...], _S] = {}

    def labels(self, **labels: Any) -> _S:
        """The series with these values, to keep where its speed matters.

        Raises ValueError when the labels are not those of the metric.
        """
        values = label_values(self.definition, labels)
        series = self._series.get(values)
        return self._new(values) if series is None else series

    def _new(self, values: tuple[str, ...]) -> _S:
        with self._recorder.lock:
            if len(self._series) >= _MOST_SERIES and values not in self._series:
                # Takes numbers, and is never reported.
                beyond = self._of(self._recorder, self.definition, values)
                beyond.changed = True
                return beyond
            return self._series.setdefault(
                values, self._of(self._recorder, self.definition, values)
            )


class Counter(_Metric[CounterSeries]):
    """Only rises. The host adds up all workers."""

    def inc(self, by: float = 1, /, **labels: Any) -> None:
        """Adds to the series of these labels. Raises ValueError as CounterSeries.inc."""
        self.labels(**labels).inc(by)


class Gauge(_Metric[GaugeSeries]):
    """Rises and falls. Each worker has a series of its own."""

    def set(self, value: float, /, **labels: Any) -> None:
        """Sets the series of these labels. Raises ValueError as GaugeSeries.set."""
        self.labels(**labels).set(value)

    def inc(self, by: float = 1, /, **labels: Any) -> None:
        """Adds to the series of these labels. Raises ValueError as GaugeSeries.inc."""
        self.labels(**labels).inc(by)

    def dec(self, by: float = 1, /, **labels: Any) -> None:
        """Takes from the series of these labels. Raises ValueError as GaugeSeries.dec."""
        self.labels(**labels).dec(by)


class Histogram(_Metric[HistogramSeries]):
    """Counts values by bucket. The host adds up all workers."""

    def observe(self, value: float, /, **labels: Any) -> None:
        """Counts in the series of these labels. Raises ValueError as HistogramSeries.observe."""
        self.labels(**labels).observe(value)

    def time(self, **labels: Any) -> Any:
        """Observes the seconds of a block or a function, as HistogramSeries.time."""
        return self.labels(**labels).time()


class MetricRecorder:
    """Records the metrics of one worker. Any thread may use it."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        """`send`: takes MetricsMessage of server/ipc/metric-series.ts."""
        # Reentrant: a signal handler or a finalizer may count within it.
        self.lock = threading.RLock()
        self._send = send
        self._sending = threading.Lock()
        self._metrics: dict[str, Any] = {}
        self._defined: list[Message] = []
        self._changed: list[_Series] = []
        self._later = Later(self.report, _REPORT_AFTER_S)

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Counter:
        """Raises ValueError for a definition that the host does not take."""
        definition = defined("counter", name, help, labels)
        metric: Counter = self._define(definition, Counter, CounterSeries)
        return metric

    def gauge(self, name: str, help: str, labels: Sequence[str] = ()) -> Gauge:
        """Raises ValueError for a definition that the host does not take."""
        definition = defined("gauge", name, help, labels)
        metric: Gauge = self._define(definition, Gauge, GaugeSeries)
        return metric

    def histogram(
        self,
        name: str,
        help: str,
        labels: Sequence[str] = (),
        buckets: Sequence[float] = DURATIONS,
    ) -> Histogram:
        """Raises ValueError for a definition that the host does not take."""
        definition = defined("histogram", name, help, labels, buckets)
        metric: Histogram = self._define(definition, Histogram, HistogramSeries)
        return metric

    def begin(self) -> None:
        """Reports by itself from now on."""
        self._later.begin()

    def leave_host(self) -> None:
        """In a child that was forked: a thread that is not there may have held the locks."""
        self.lock, self._sending = threading.RLock(), threading.Lock()
        self._later = Later(self.report, _REPORT_AFTER_S)
        self._send = _send_nowhere

    def report(self) -> None:
        """Sends the changes, if there are any."""
        with self._sending:
            with self.lock:
                defined_since, self._defined = self._defined, []
                changed, self._changed = self._changed, []
                changes = [series.take() for series in changed]
            for message in messages(defined_since, changes):
                self._send(message)

    def touched(self, series: _Series) -> None:
        """Reports the series later. The caller holds the lock."""
        self._changed.append(series)
        self._later.soon()

    def _define(self, definition: Definition, kind: Callable[..., Any], series: Any) -> Any:
        with self.lock:
            before = self._metrics.get(definition.name)
            if before is not None:
                check_same(before.definition, definition)
                return before
            if len(self._metrics) >= _MOST_METRICS:
                raise ValueError(
                    f"metrics.{definition.kind}: expected at most {_MOST_METRICS} metrics; "
                    "make a label of what differs"
                )
            check_series(definition, self._kind_of)
            metric = self._metrics[definition.name] = kind(self, definition, series)
            self._defined.append(definition.message())
        self._later.soon()
        return metric

    def _kind_of(self, name: str) -> Kind | None:
        metric = self._metrics.get(name)
        return None if metric is None else metric.definition.kind


def _send_nowhere(_message: Message) -> None:
    return


def messages(defined_since: Iterable[Message], changes: Iterable[Message]) -> Iterator[Message]:
    """Reports that the host reads. What is too long by itself is left out."""
    message: Message = {"defined": [], "changes": []}
    size = 100
    for member, items in (("defined", defined_since), ("changes", changes)):
        for item in items:
            length = _most_bytes(item)
            if length > kinds.MOST_MESSAGE_BYTES - 100:
                continue
            if size + length > kinds.MOST_MESSAGE_BYTES:
                yield message
                message = {"defined": [], "changes": []}
                size = 100
            message[member].append(item)
            size += length
    if message["defined"] or message["changes"]:
        yield message


def _most_bytes(item: Message) -> int:
    """At least the length of the item as JSON: a character takes up to 12 bytes, a number 25."""
    texts = [item["name"], item.get("help", ""), *item["labels"]]
    numbers = len(item.get("counts", ())) + len(item.get("buckets", ())) + 1
    return 12 * sum(map(len, texts)) + 4 * len(texts) + 26 * numbers + 100
