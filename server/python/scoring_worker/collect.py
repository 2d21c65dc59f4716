"""Connects the collectors of a script to the host."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from . import kinds
from .collected_rows import blocks_of
from .columns import Block, Columns, ColumnTypes
from .context import current_request
from .later import Later
from .sampling import is_sampled

# The collection of rows that have no name of their own in the counts.
UNKNOWN = "unknown"
# Milliseconds of the year 10000, in which no record can be.
_END_OF_TIME_MS = 253_402_300_800_000
_REPORT_AFTER_S = 0.25
# Characters of a text of a head.
_LONGEST = 16 * 1024
# Characters of the headers of a context.
_MOST_HEADERS = 64 * 1024
# Bytes of rows: their head takes less than the rest.
_MOST_ROWS = kinds.MOST_COLLECTED_BYTES - 1024 * 1024


class _Host(Protocol):
    def collect(self, collection: str, head: dict[str, Any], rows: bytes) -> None: ...

    def not_collected(self, counts: list[dict[str, Any]]) -> None: ...


class Collection:
    """What collectors hand over, as bytes to the host. Any thread may use it."""

    def __init__(
        self, settings: dict[str, Any], to_host: _Host, warn: Callable[[str], None]
    ) -> None:
        """`settings`: CollectionStart of server/ipc/start-message.ts."""
        self.settings = settings
        # False until the worker serves. Why: rows of init() belong to no request.
        self.opened = False
        self._to_host = to_host
        self._warn = warn
        self._columns: dict[str, Columns] = {}
        self._logged: set[str] = set()
        self._counts: dict[tuple[str, str], int] = {}
        self._lock = threading.RLock()
        self._later = Later(self.report, _REPORT_AFTER_S)

    def open(self) -> None:
        """Keeps rows, and reports by itself, from now on."""
        self.opened = True
        self._later.begin()

    def keeps(self, collection: str, ident: str) -> bool:
        """Whether rows of this id are kept. Counts those that are not."""
        rate = self.settings["rates"].get(collection, self.settings["others"])
        if not self.opened or _is_of_sample() or not self._is_known(collection):
            return False
        if is_sampled(ident, rate):
            return True
        self._count(collection, "sampled_out" if rate > 0 else "not_selected")
        if rate <= 0:
            self._warn_once(
                collection,
                "its rows are not collected: MDC_COLLECTIONS, "
                "or the configuration of the platform, does not select it",
            )
        return False

    def collect(
        self,
        collection: str,
        head: dict[str, Any],
        data: Any,
        feature_names: Sequence[str] | None = None,
        types: ColumnTypes | None = None,
    ) -> None:
        """Hands data of a collection that is kept to the host. `head`: CollectHead, unchecked.

        Raises TypeError and ValueError for data that does not fit.
        """
        self.send(collection, head, blocks_of(data, feature_names), types)

    def send(
        self,
        collection: str,
        head: dict[str, Any],
        blocks: Sequence[Block],
        types: ColumnTypes | None = None,
    ) -> None:
        """Hands rows to the host. Raises ValueError when they are too many for one frame."""
        # Halves of characters, which UTF-8 has not, stand in texts only, and are escaped there.
        text = self._columns[collection].text(blocks, types)
        rows = text.encode("utf-8", "backslashreplace")
        checked = _checked(head)
        if len(rows) > _MOST_ROWS:
            expected = f"at most {_MOST_ROWS} bytes of rows as JSON"
            raise ValueError(f"collect: expected {expected}, got {len(rows)}")
        self._to_host.collect(collection, checked, rows)

    def failed(self, collection: str, error: Exception) -> None:
        """Counts data that could not be collected, and logs the first case."""
        known = collection if collection != UNKNOWN and self._is_known(collection) else UNKNOWN
        self._count(known, "invalid_data")
        self._warn_once(f"{known} data", f"data is not collected: {error}", known)

    def report(self) -> None:
        """Sends the counts of what was not collected, if there are any."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if counts:
            self._to_host.not_collected(
                [
                    {"collection": collection, "reason": reason, "count": count}
                    for (collection, reason), count in counts.items()
                ]
            )

    def _is_known(self, collection: str) -> bool:
        """Counts rows of a collection beyond the limit."""
        with self._lock:
            if collection in self._columns:
                return True
            if len(self._columns) < kinds.MOST_COLLECTIONS:
                self._columns[collection] = Columns(
                    lambda text: self._warn(f"{collection}: {text}")
                )
                return True
        self._count(UNKNOWN, "too_many_collections")
        self._warn_once(
            UNKNOWN,
            "rows of further collections are dropped: "
            f"expected at most {kinds.MOST_COLLECTIONS}, {collection} is one more",
        )
        return False

    def _count(self, collection: str, reason: str) -> None:
        with self._lock:
            key = collection, reason
            self._counts[key] = self._counts.get(key, 0) + 1
        self._later.soon()

    def _warn_once(self, what: str, text: str, collection: str | None = None) -> None:
        """`what`: is logged once for each of these."""
        with self._lock:
            if what in self._logged:
                return
            self._logged.add(what)
        self._warn(f"{collection or what}: {text} (logged once)")


def _is_of_sample() -> bool:
    request = current_request.get()
    return request is not None and request.protocol == kinds.PROTOCOL_SAMPLE


def _checked(head: dict[str, Any]) -> dict[str, Any]:
    """A head that the host reads. Why: a script may pass anything as a context."""
    at = head["time"]
    is_time = isinstance(at, (int, float)) and math.isfinite(at) and 0 <= at < _END_OF_TIME_MS
    texts = {name: _bounded(text) for name, text in head.items() if isinstance(text, str)}
    headers: dict[str, str] = head.get("headers", {})
    length = sum(len(name) + len(value) for name, value in headers.items())
    if length > _MOST_HEADERS:
        expected = f"at most {_MOST_HEADERS} characters of headers in the context"
        raise ValueError(f"collect: expected {expected}, got {length}")
    return {**head, **texts, "time": at if is_time else time.time_ns() // 1_000_000}


def _bounded(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}... ({len(text)} characters)"
