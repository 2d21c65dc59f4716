"""What run() returned, as an answer of HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .failures import Failure
from .json_values import json_text
from .messages import Start
from .responses import Parts, is_response, parts_of

Headers = Sequence[tuple[str, str]]


@dataclass
class Answer:
    """An answer, complete or a stream."""

    status: int
    body: bytes = b""
    # None: the content type of JSON alone; of a stream, that of its first chunk.
    headers: Headers | None = None
    # In place of the body: text, bytes, or values that become a line of JSON each.
    chunks: Iterator[Any] | AsyncIterator[Any] | None = None
    run_failed: bool = False
    # What the body is the JSON of; only where is_value is True.
    value: Any = field(default=None, compare=False)
    is_value: bool = field(default=False, compare=False)


def answer_of(result: Any, start: Start) -> Answer:
    """The answer for a result of run().

    Raises Failure: result_not_json, result_not_http, answer_too_large.
    """
    if result is None:
        return Answer(200, b"{}", is_value=True)
    if not isinstance(result, (dict, list, str)):
        if is_response(result):
            return _of_response(parts_of(result), start)
        if _is_streamed(result):
            return Answer(200, chunks=result)
    return Answer(200, json_of(result, start), value=result, is_value=True)


def json_of(value: Any, start: Start) -> bytes:
    """JSON of a result, or of a value in a stream. Raises Failure: as answer_of."""
    body = json_text(value, start["nonFinite"]).encode("ascii")
    check_size(body, start)
    return body


def is_encoded_json(text: str) -> bool:
    """True for a text that is itself a JSON object or array."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _of_response(parts: Parts, start: Start) -> Answer:
    if parts.chunks is None:
        check_size(parts.body, start)
    return Answer(parts.status, parts.body, parts.headers, parts.chunks, parts.run_failed)


def _is_streamed(result: Any) -> bool:
    """True for an iterator, which streams: generators, open files. Collections are values."""
    kind = type(result)
    return hasattr(kind, "__aiter__") or (hasattr(kind, "__next__") and hasattr(kind, "__iter__"))


def check_size(body: bytes, start: Start) -> None:
    """Raises Failure answer_too_large."""
    limit = start["answerLimitBytes"]
    if len(body) > limit:
        raise Failure(
            "answer_too_large",
            f"the answer has more than {limit} bytes (ANSWER_LIMIT_BYTES): answer less, "
            "or stream it in smaller chunks",
        )
