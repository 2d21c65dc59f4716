"""Responses of scripts: AMLResponse, and those of Flask and Werkzeug."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from .failures import Failure
from .headers import end_to_end, wrong_headers

# Statuses whose answers have no body (RFC 9110).
_WITHOUT_BODY = frozenset({204, 205, 304})
_RUN_FAILED = "x-ms-run-function-failed"


@dataclass(frozen=True)
class Parts:
    """A Response in parts: `body`, or `chunks` where it streams."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    chunks: Iterator[Any] | AsyncIterator[Any] | None
    run_failed: bool


def is_response(value: Any) -> bool:
    """True for a Response. Why by members: the classes belong to packages of the user."""
    return hasattr(type(value), "iter_encoded") and hasattr(value, "status_code")


def parts_of(response: Any) -> Parts:
    """Status, headers and body of a Response. Raises Failure result_not_http."""
    status = _status_of(response.status_code)
    headers = [(str(name), str(value)) for name, value in response.headers.items()]
    wrong = wrong_headers(headers)
    if wrong is not None:
        raise Failure("result_not_http", f"run() answered a Response with {wrong}")
    run_failed = any(name.lower() == _RUN_FAILED and value == "True" for name, value in headers)
    sent = [each for each in end_to_end(headers) if each[0].lower() != _RUN_FAILED]
    if status in _WITHOUT_BODY:
        _close(response)
        kept = sent if status != 304 else [each for each in sent if not _of_body(each[0])]
        return Parts(status, kept, b"", None, run_failed)
    source = response.response
    if hasattr(source, "__aiter__"):
        return Parts(status, sent, b"", aiter(source), run_failed)
    if response.is_streamed:
        return Parts(status, sent, b"", _chunks(response), run_failed)
    body = b"".join(response.iter_encoded())
    _close(response)
    return Parts(status, sent, body, None, run_failed)


def _status_of(status: Any) -> int:
    if isinstance(status, int) and 200 <= status <= 599:
        return int(status)
    raise Failure(
        "result_not_http",
        f"run() answered a Response with the status {status!r:.100}: expected 200 to 599",
    )


def _of_body(name: str) -> bool:
    """True for headers that a 304 must not change in a cache, as in Flask."""
    return name.lower().startswith("content-") and name.lower() != "content-location"


def _chunks(response: Any) -> Iterator[Any]:
    try:
        yield from response.iter_encoded()
    finally:
        _close(response)


def _close(response: Any) -> None:
    close = getattr(response, "close", None)
    if callable(close):
        close()
