"""What run() returned, as an answer of HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .messages import Start

Headers = Sequence[tuple[str, str]]


@dataclass
class Answer:
    """An answer, complete or a stream."""

    status: int
    body: bytes = b""
    # None: the content type of JSON alone.
    headers: Headers | None = None
    # In place of the body: text, bytes, or values that become a line of JSON each.
    chunks: Iterator[Any] | AsyncIterator[Any] | None = None
    run_failed: bool = False


def answer_of(result: Any, start: Start) -> Answer:
    """The answer for a result of run(). Raises Failure: result_not_json, result_not_http."""
    if isinstance(result, (Iterator, AsyncIterator)):
        return Answer(200, chunks=result)
    return Answer(200, json.dumps(result).encode())
