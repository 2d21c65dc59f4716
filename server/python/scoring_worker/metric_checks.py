"""Definitions and values that metrics take: the rules of server/worker/metrics/metric-checks.ts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["counter", "gauge", "histogram"]

# Seconds: from half a millisecond (a small model) to the default deadline.
DURATIONS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
# Prefixes of the server's own metrics, future ones included.
_OWN = re.compile(
    "(?:scoring|inference|worker|model|server|session|telemetry|mdc|gpu|log|process|nodejs)_"
)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
# Labels with a meaning of their own: buckets, and the worker of a gauge.
_TAKEN = ("le", "quantile", "worker")
_SUFFIXES = ("_bucket", "_sum", "_count")


@dataclass(frozen=True)
class Definition:
    """MetricDefinition of server/ipc/metric-series.ts."""

    kind: Kind
    name: str
    help: str
    labels: tuple[str, ...]
    # Upper bounds, ascending, without infinity; None: no histogram.
    buckets: tuple[float, ...] | None = None

    def message(self) -> dict[str, Any]:
        """The definition on the wire."""
        members = asdict(self)
        return {name: each for name, each in members.items() if each is not None}

    def __str__(self) -> str:
        buckets = "" if self.buckets is None else f", buckets {list(self.buckets)}"
        labels = list(self.labels)
        return f"{self.kind} with labels {labels}{buckets} and help {json.dumps(self.help)}"


def defined(kind: Kind, name: Any, help: Any, labels: Any, buckets: Any = None) -> Definition:
    """A definition that the host takes. Raises ValueError that names the mistake."""
    try:
        return Definition(
            kind,
            _checked_name(name),
            _checked_help(help),
            _checked_labels(labels),
            _checked_buckets(buckets) if kind == "histogram" else None,
        )
    except ValueError as mistake:
        raise ValueError(f"metrics.{kind}({json.dumps(name, default=repr)}): {mistake}") from None


def check_same(before: Definition, now: Definition) -> None:
    """Raises ValueError when a name is defined in two ways."""
    if before != now:
        raise ValueError(
            f'metrics.{now.kind}("{now.name}"): there is one already, a {before}; got a {now}'
        )


def check_series(definition: Definition, kind_of: Callable[[str], Kind | None]) -> None:
    """Raises ValueError when a name is that of a series of a histogram: `x` and `x_count`."""
    name = definition.name
    clashes = [
        name
        for suffix in _SUFFIXES
        if name.endswith(suffix) and kind_of(name.removesuffix(suffix)) == "histogram"
    ]
    if definition.kind == "histogram":
        clashes += [name + suffix for suffix in _SUFFIXES if kind_of(name + suffix) is not None]
    if clashes:
        raise ValueError(
            f'metrics.{definition.kind}("{name}"): '
            f"{clashes[0]} would be a series of a histogram and a metric of its own"
        )


def label_values(definition: Definition, given: dict[str, Any]) -> tuple[str, ...]:
    """Values in the order of the labels. Raises ValueError when they are not the metric's."""
    if len(given) == len(definition.labels):
        try:
            return tuple([str(given[label]) for label in definition.labels])
        except KeyError:
            pass
    expected = f"expected the labels {list(definition.labels)}, got {list(given)}"
    raise ValueError(f"metric {definition.name}: {expected}")


def finite(definition: Definition, value: Any) -> float:
    """The number. Raises ValueError for NaN, the infinities, and what is no number."""
    if type(value) is float and math.isfinite(value):
        return value
    try:
        number = float("nan") if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not math.isfinite(number):
        raise ValueError(f"metric {definition.name}: expected a finite number, got {value!r:.100}")
    return number


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise ValueError(
            "expected a name of letters, digits, _ and :, which does not begin with a digit"
        )
    own = _OWN.match(name)
    if own is not None:
        raise ValueError(f"names that begin with {own[0]} are the server's own: choose another")
    return name


def _checked_help(text: Any) -> str:
    if not isinstance(text, str) or text == "":
        raise ValueError("expected a line of help as the second argument")
    return text


def _checked_labels(labels: Any) -> tuple[str, ...]:
    if isinstance(labels, str) or not isinstance(labels, Sequence):
        raise ValueError(f"labels of type {type(labels).__name__}: expected a list of names")
    for label in labels:
        if not isinstance(label, str) or _LABEL.fullmatch(label) is None:
            raise ValueError(f"label {label!r}: expected letters, digits and _")
        if label in _TAKEN:
            raise ValueError(f"label {label} has a meaning of its own: choose another")
    if len(set(labels)) < len(labels):
        raise ValueError(f"labels {', '.join(labels)}: expected each once")
    return tuple(labels)


def _checked_buckets(buckets: Any) -> tuple[float, ...]:
    if isinstance(buckets, str) or not isinstance(buckets, Sequence):
        raise ValueError(f"buckets of type {type(buckets).__name__}: expected a list of numbers")
    try:
        bounds = tuple(map(float, buckets))
    except (TypeError, ValueError, OverflowError):
        bounds = ()
    ascending = all(one < other for one, other in zip(bounds, bounds[1:], strict=False))
    if not bounds or not ascending or not all(map(math.isfinite, bounds)):
        raise ValueError(f"buckets {list(buckets)}: expected finite numbers, ascending")
    return bounds
