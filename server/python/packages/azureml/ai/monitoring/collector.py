"""The collector of data: rows by name, for model monitoring."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoring_worker.collect import UNKNOWN
from scoring_worker.columns import ColumnType, ColumnTypes, column_types
from scoring_worker.port import port

from .context import BasicCorrelationContext, CorrelationContext

# The payloads: the server collects them itself.
_RESERVED = ("request", "response")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,199}")
# Names of keys, tokens and cookies: server/request/captured-headers.ts.
_NEVER = re.compile(
    r"auth|cookie|token|secret|passw|credential|signature|session|jwt|api-?key"
    r"|(?:^|[-_])keys?(?:$|[-_])|subscription-key",
    re.IGNORECASE,
)


class Collector:
    """Collects rows under a name: `inputs = Collector(name="model_inputs")`.

    Raises no error of its own into init() or run(), wherever the script runs.
    """

    def __init__(
        self,
        *,
        name: str,
        on_error: Callable[[Exception], Any] | None = None,
        feature_names: Sequence[str] | None = None,
        types: Mapping[str, ColumnType] | None = None,
    ) -> None:
        """Makes a collector.

        `name`: lower case; Azure's monitors read `model_inputs` and `model_outputs`.
        `on_error`: also gets an error that keeps data from being collected; its own errors
        reach the script. `feature_names`: names of columns, for data that has none.
        `types`: types of columns by name, each one of float, int, string, boolean.
        """
        self.name = str(name)
        self._on_error = on_error
        self._feature_names = feature_names
        self._types: ColumnTypes = {}
        self._wrong: Exception | None = None
        port.collector_made()
        try:
            _check_name(name)
            self._types = column_types(types)
        except ValueError as wrong:
            self._wrong = wrong
            self._fail(wrong)

    def collect(
        self, data: Any, correlation_context: CorrelationContext | None = None
    ) -> CorrelationContext:
        """Hands rows over: a DataFrame, rows, columns by name, or one array.

        Returns the context, to pass on: `outputs.collect(rows, inputs.collect(data))`. By
        default it is that of the request for which the rows are collected.
        """
        context = correlation_context
        if context is None:
            context = BasicCorrelationContext()
        collection = port.collection
        if collection is None or self._wrong is not None:
            return context
        try:
            head = _head_of(context)
            if collection.keeps(self.name, head["id"]):
                collection.collect(self.name, head, data, self._feature_names, self._types)
        except Exception as error:
            self._fail(error)
        return context

    def _fail(self, error: Exception) -> None:
        if port.collection is not None:
            port.collection.failed(UNKNOWN if self._wrong else self.name, error)
        if self._on_error is not None:
            self._on_error(error)


def _check_name(name: Any) -> None:
    if name in _RESERVED:
        raise ValueError(
            f"Collector: expected a name of your own, got {name}, which the server collects itself"
        )
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        expected = "a name of lower-case letters, digits, _, . and -"
        raise ValueError(f"Collector: expected {expected}, got {name!r:.200}")


def _head_of(context: Any) -> dict[str, Any]:
    """CollectHead of server/ipc/collected-rows.ts. A context has at least `get_id()` or `id`."""
    ident = _member(context, "id")
    if ident is None:
        raise TypeError(
            "collect: expected a BasicCorrelationContext as the context, "
            f"got {type(context).__name__}"
        )
    timestamp = _member(context, "timestamp")
    is_time = isinstance(timestamp, (int, float)) and math.isfinite(timestamp)
    headers = _member(context, "headers")
    kept = {
        str(name): str(value)
        for name, value in (headers.items() if isinstance(headers, Mapping) else ())
        if _NEVER.search(str(name)) is None
    }
    return {
        "id": str(ident),
        "time": timestamp * 1000 if is_time else -1,
        **({"headers": kept} if kept else {}),
    }


def _member(context: Any, name: str) -> Any:
    getter = getattr(context, f"get_{name}", None)
    return getter() if callable(getter) else getattr(context, name, None)
