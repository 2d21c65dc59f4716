"""`{"instances": [...]}` to `{"predictions": [...]}`: KServe V1 and Vertex AI."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .answers import Answer, check_size, json_of
from .arrays import array_items, is_array
from .failures import Failure
from .inputs import decoded_json, refuse_constant
from .messages import Request, Start

_EXPECTED = 'expected an object with a list "instances", or with "inputs"'
_MOST_SHOWN = 60
_SPACE = re.compile(r"[ \t\n\r]*")
_COMPACT = json.JSONEncoder(separators=(",", ":"))
# Texts of a script read NaN themselves, as on /score.
_LENIENT = json.JSONDecoder()
_STRICT = json.JSONDecoder(parse_constant=refuse_constant)


class InstancesBody:
    """The body of a request, read when the script needs it: raw scripts do not."""

    def __init__(self, body: bytes, start: Start) -> None:
        self._body = body
        self._strict = start["jsonNan"] == "refuse"
        # Number of instances; None: the request does not say, or nobody has read it.
        self.count: int | None = None

    def text(self) -> str:
        """JSON of the instances. Raises Failure: bad_json, invalid_input."""
        text, message, spans = _read(self._body, _LENIENT)
        name = self._name_of(message)
        begin, end = spans[name]
        return text[begin:end]

    def members(self, first: str) -> Mapping[str, Any]:
        """The instances as the first parameter, and the parameters of the request as the others.

        Raises Failure: bad_json, invalid_input.
        """
        _, message, _ = _read(self._body, _STRICT if self._strict else _LENIENT)
        value = message[self._name_of(message)]
        return {**(message.get("parameters") or {}), first: value}

    def _name_of(self, message: Mapping[str, Any]) -> str:
        """Name of the member that has the instances, which is checked."""
        parameters = message.get("parameters")
        if parameters is not None and not isinstance(parameters, dict):
            raise _misfit("parameters of the request", "expected an object", parameters)
        given = [name for name in ("instances", "inputs") if message.get(name) is not None]
        if len(given) > 1:
            text = 'the body: expected either "instances" or "inputs", got both'
            raise Failure("invalid_input", text)
        if not given:
            got = f"got the members {_shown(list(message))}"
            raise Failure("invalid_input", f"the body: {_EXPECTED}, {got}")
        (name,) = given
        value = message[name]
        if isinstance(value, list):
            self.count = len(value)
        elif name == "instances":
            raise _misfit('"instances"', "expected a list of instances", value)
        elif not isinstance(value, dict):
            expected = "expected a list of instances, or an object of inputs by name"
            raise _misfit('"inputs"', expected, value)
        return name


def unwrap(request: Request, start: Start) -> None:
    """Makes the request what a request on /score is. Raises Failure for what it cannot read."""
    request.instances = InstancesBody(request.body, start)


def wrap(request: Request, answer: Answer, start: Start) -> Answer:
    """Makes the answer of a whole body what the platform reads."""
    if not answer.is_value:
        return answer
    value = answer.value
    if isinstance(value, dict):
        if "predictions" in value:
            return answer
        rows = _rows_of(value, request.instances.count if request.instances else None)
        if rows is not None:
            return Answer(answer.status, json_of({"predictions": rows}, start), answer.headers)
    inner = b"null" if value is None else answer.body
    body = b'{"predictions":' + inner + b"}"
    check_size(body, start)
    return Answer(answer.status, body, answer.headers)


def failed(request: Request, failure: Failure, start: Start) -> Answer | None:
    """Makes a failure an answer; None: the host answers it."""
    return None


def refused(request: Request, answer: Answer, start: Start) -> Answer:
    """Makes the answer that an exception stands for what the platform reads: a text."""
    if not answer.is_value:
        return answer
    value = answer.value
    is_message = isinstance(value, dict) and list(value) == ["message"]
    text = value["message"] if is_message else answer.body.decode("ascii")
    return Answer(answer.status, json.dumps({"error": text}, separators=(",", ":")).encode("ascii"))


def _rows_of(columns: Mapping[Any, Any], count: int | None) -> Any:
    """Columns of one length as a dict for each row; a single column is its values.

    `count`: items that each column needs. None where the values are no such columns.
    """
    lists = {name: _items(value) for name, value in columns.items()}
    lengths = {None if items is None else len(items) for items in lists.values()}
    if len(lengths) != 1 or None in lengths or (count is not None and lengths != {count}):
        return None
    if len(lists) == 1:
        return next(iter(lists.values()))
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _items(value: Any) -> list[Any] | None:
    if is_array(value):
        value = array_items(value)
    return list(value) if isinstance(value, (list, tuple)) else None


def _misfit(where: str, expected: str, got: Any) -> Failure:
    return Failure("invalid_input", f"{where}: {expected}, got {_shown(got)}")


def _shown(value: Any) -> str:
    text = ""
    # No more of a large value is encoded than is shown.
    for piece in _COMPACT.iterencode(value):
        text += piece
        if len(text) > _MOST_SHOWN:
            return f"{text[:_MOST_SHOWN]}…"
    return text


Spans = Mapping[str, tuple[int, int]]
"""Where the text of a JSON object has the value of each member."""


def _read(body: bytes, decoder: json.JSONDecoder) -> tuple[str, dict[str, Any], Spans]:
    """Reads a body once. Raises Failure: bad_json, invalid_input."""
    found: dict[str, tuple[int, int]] = {}
    text, message = decoded_json(body, lambda text: _members(text, decoder, found))
    if not isinstance(message, dict):
        raise _misfit("the body", _EXPECTED, message)
    return text, message, found


def _members(text: str, decoder: json.JSONDecoder, spans: dict[str, tuple[int, int]]) -> Any:
    """The value of a JSON text. Of an object, `spans` gets the places of its values."""
    members: dict[str, Any] = {}
    at = _after_space(text, 0)
    separator = "{"
    while text[at : at + 1] == separator:
        at = _after_space(text, at + 1)
        if text[at : at + 1] != '"':
            break
        name, at = decoder.raw_decode(text, at)
        at = _after_space(text, at)
        if text[at : at + 1] != ":":
            break
        begin = _after_space(text, at + 1)
        members[name], end = decoder.raw_decode(text, begin)
        spans[name] = (begin, end)
        at = _after_space(text, end)
        separator = ","
    else:
        if text[at : at + 1] == "}" and _after_space(text, at + 1) == len(text):
            return members
    # No object, an empty one, or wrong: the decoder says where.
    return decoder.decode(text)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
