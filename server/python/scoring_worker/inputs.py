"""A request as the arguments of run(): the texts of refusals are Azure's (docs/http-api.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from .failures import UNSUPPORTED_CONTENT_TYPE, Failure
from .headers import header_dict
from .invocations import is_npy, rows
from .messages import Request
from .signature import HEADERS_PARAMETER, REQUIRED, Signature

Arguments = dict[str, Any]
Reader = Callable[[Request], Arguments]

# A byte that is part of no text.
_ESCAPED = re.compile("[\udc80-\udcff]")


def text_reader(signature: Signature) -> Reader:
    """Reads the body as a text, or the query as the JSON text of an object. npy stays bytes."""
    name = signature.first

    def read(request: Request) -> Arguments:
        return {name: request.body if is_npy(request) else _text(request)}

    return _with_headers(read) if signature.takes_headers else read


def members_reader(signature: Signature, json_nan: str) -> Reader:
    """Reads the members of a JSON object by the names of the parameters.

    Rows of CSV, JSON lines and npy are the first parameter (`invocations.rows`).
    `json_nan`: `accept` or `refuse` bare NaN and infinities in bodies.
    """
    parse = json.JSONDecoder(parse_constant=refuse_constant if json_nan == "refuse" else None)

    def read(request: Request) -> Arguments:
        return arguments_of(signature, members_of(request))

    def members_of(request: Request) -> Mapping[str, Any]:
        if request.instances is not None:
            return request.instances.members(signature.first)
        table = rows(request, parse)
        if table is not None:
            return {signature.first: table}
        return _query(request) if request.method == "GET" else _object(request, parse)

    return _with_headers(read) if signature.takes_headers else read


def arguments_of(signature: Signature, members: Mapping[str, Any]) -> Arguments:
    """Members by the names of the parameters, or their defaults. Raises Failure: invalid_input."""
    return {name: _member(members, name, default) for name, default in signature.parameters}


def request_reader(signature: Signature, make: Callable[[Request], Any]) -> Reader:
    """Hands out the request itself, as `make` makes it."""
    name = signature.first

    def read(request: Request) -> Arguments:
        return {name: make(request)}

    return _with_headers(read) if signature.takes_headers else read


def _with_headers(read: Reader) -> Reader:
    def read_both(request: Request) -> Arguments:
        arguments = read(request)
        arguments[HEADERS_PARAMETER] = header_dict(request)
        return arguments

    return read_both


def _text(request: Request) -> str:
    if request.instances is not None:
        return request.instances.text()
    if request.method == "GET":
        return json.dumps(_query(request))
    try:
        return request.body.decode()
    except UnicodeDecodeError as raised:
        message = f"Input cannot be decoded as UTF-8: {raised}"
        raise Failure("bad_text", message) from None


def _query(request: Request) -> Arguments:
    """Each value as JSON, or as a text. A key that is repeated has a list of its values."""
    lists: dict[str, list[Any]] = {}
    query = request.url.partition("?")[2]
    for key, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
        lists.setdefault(_encoded(key), []).append(_value(_encoded(value)))
    return {key: values[0] if len(values) == 1 else values for key, values in lists.items()}


def _encoded(text: str) -> str:
    """Bytes of no text stay percent-encoded, as in Flask."""
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]) - 0xDC00:02X}", text)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _object(request: Request, decoder: json.JSONDecoder) -> Arguments:
    if not _is_json(request.content_type):
        message = "Expects Content-Type to be application/json"
        raise Failure(UNSUPPORTED_CONTENT_TYPE, message)
    _, value = decoded_json(request.body, decoder.decode)
    if not isinstance(value, dict):
        raise Failure("bad_json", "POST body should be a JSON dictionary.")
    return value


def decoded_json(body: bytes, decode: Callable[[str], Any]) -> tuple[str, Any]:
    """The text of a body, and what `decode` makes of it. Raises Failure bad_json."""
    if not body:
        raise Failure("bad_json", "POST body is empty. Expecting a JSON dictionary.")
    try:
        text = body.decode(json.detect_encoding(body))
        return text, decode(text)
    except RecursionError:
        _refuse_json("arrays and objects are nested too deep")
    except ValueError as raised:
        _refuse_json(raised)


def refuse_constant(constant: str) -> NoReturn:
    """Refuses bare NaN and infinities, for `parse_constant`."""
    raise ValueError(f"{constant} is no number of JSON")


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _refuse_json(why: object) -> NoReturn:
    raise Failure("bad_json", f"POST body could not be decoded as JSON: {why}") from None


def _member(members: Mapping[str, Any], name: str, default: Any) -> Any:
    value = members.get(name, default)
    if value is REQUIRED:
        message = f"A value is not provided for the {name!r} parameter."
        raise Failure("invalid_input", message)
    return value
