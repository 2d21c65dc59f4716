"""Bodies of several content types, as SageMaker sends them: docs/platforms.md."""

from __future__ import annotations

import json
import re
from typing import Any

from .accept import preferred
from .answers import Answer, check_size
from .failures import Failure
from .kinds import PROTOCOL_INVOCATIONS
from .messages import Request, Start
from .npy import read_npy, write_npy
from .rows import read_csv, read_lines, write_csv, write_lines

_JSON = "application/json"
_CSV = "text/csv"
_LINES = ("application/jsonlines", "application/x-jsonlines", "application/x-ndjson")
_NPY = "application/x-npy"
# In the order of preference where a client wants none more than others.
_ANSWERS = (_JSON, _CSV, *_LINES, _NPY)
_HEADER = re.compile(r";\s*header\s*=\s*\"?present\b", re.IGNORECASE)


def unwrap(request: Request, start: Start) -> None:
    """Leaves the request as it is: inputs.py asks for its rows where it needs them."""


def wrap(request: Request, answer: Answer, start: Start) -> Answer:
    """Writes a value in the form that the client wants, where it has one."""
    if answer.headers is not None or answer.status != 200:
        return answer
    kind = _answer_type(request)
    if kind == _JSON:
        return answer
    body = _written(kind, json.loads(answer.body), _lines_of(request), start)
    if body is None:
        return answer
    check_size(body, start)
    content_type = f"{kind}; charset=utf-8" if kind == _CSV else kind
    return Answer(200, body, [("Content-Type", content_type)])


def failed(request: Request, failure: Failure, start: Start) -> Answer | None:
    """Leaves failures to the host."""
    return None


def is_npy(request: Request) -> bool:
    """True for a body that is no text."""
    return request.protocol == PROTOCOL_INVOCATIONS and _media_type(request) == _NPY


def rows(request: Request, decoder: json.JSONDecoder) -> Any:
    """The rows of a body; None: it is none of rows. Raises Failure: invalid_input, bad_json."""
    if request.protocol != PROTOCOL_INVOCATIONS:
        return None
    kind = _media_type(request)
    if kind == _NPY:
        return read_npy(request.body)
    if kind == _CSV:
        return read_csv(_text(request), _HEADER.search(request.content_type) is not None)
    return read_lines(_text(request), decoder) if kind in _LINES else None


def _answer_type(request: Request) -> str:
    """Lines are answered by lines, so that a batch transform can join them."""
    sent = _media_type(request)
    same = (sent,) if sent in (_CSV, *_LINES) else ()
    raw = request.raw_headers
    names = zip(raw[::2], raw[1::2], strict=False)
    accept = ",".join(value for name, value in names if name.lower() == "accept")
    return preferred(accept, (*same, *_ANSWERS)) or _JSON


def _written(kind: str, value: Any, lines: int | None, start: Start) -> bytes | None:
    if kind == _NPY:
        return write_npy(value, start["answerLimitBytes"])
    text = write_csv(value, lines) if kind == _CSV else write_lines(value, lines)
    return None if text is None else text.encode("utf-8", "replace")


def _lines_of(request: Request) -> int | None:
    """Rows of a body that has one a line."""
    kind = _media_type(request)
    if kind not in (_CSV, *_LINES):
        return None
    lines = sum(1 for line in request.body.split(b"\n") if line.strip())
    named = kind == _CSV and _HEADER.search(request.content_type) is not None
    return lines - 1 if named else lines


def _media_type(request: Request) -> str:
    return request.content_type.partition(";")[0].strip().lower()


def _text(request: Request) -> str:
    try:
        return request.body.decode("utf-8-sig")
    except UnicodeDecodeError as raised:
        message = f"Input cannot be decoded as UTF-8: {raised}"
        raise Failure("bad_text", message) from None
