"""`{"Data": ..., "Metadata": ...}` to `{"Outputs": ..., "ReturnValue": ...}`.

docs/azure-functions.md. The other half is server/worker/codecs/azure-function.ts.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from .answers import Answer, Headers
from .failures import UNSUPPORTED_CONTENT_TYPE, Failure
from .messages import Request, Start
from .run_lines import RunLines

# As server/config/platforms/function-bindings.ts.
_BINDINGS = "x-scoring-function-bindings"
# Outputs of a function whose function.json the server does not know.
_USUAL_OUTPUTS = [{"name": "output", "kind": "plain"}, {"name": "res", "kind": "http"}]
_RETURN = "$return"
# Content types whose bodies the host sends as base64.
_BASE64_BODY = re.compile(r"\s*(?:application/octet-stream|multipart/)", re.IGNORECASE)
_JSON_TYPE = re.compile(r"\s*[\w.-]+/(?:[\w.-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
_METHOD = re.compile(r"[A-Za-z]{1,32}")
_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+")
_NOT_IN_HEADERS = re.compile(r"[\r\n\0]")
# Failures that the client of an HTTP trigger has to correct, and their statuses.
_OF_CLIENT = {"bad_json": 400, "bad_text": 400, "invalid_input": 400, UNSUPPORTED_CONTENT_TYPE: 415}
_JSON = [("Content-Type", "application/json")]


@dataclass
class _Invocation:
    """How an invocation is answered."""

    outputs: list[dict[str, str]]
    # A client waits for an answer over HTTP.
    http: bool


def unwrap(request: Request, start: Start) -> None:
    """Makes the request what a request on /score is. Raises Failure for what it cannot read."""
    request.lines = RunLines()
    told = next((value for name, value in _pairs(request) if name.lower() == _BINDINGS), None)
    bindings = None if told is None else json.loads(told)
    outputs = _USUAL_OUTPUTS if bindings is None else bindings["outputs"]
    request.invocation = _Invocation(outputs, bindings is not None and bindings["http"])
    data, metadata = _members(request)
    if isinstance(metadata, dict):
        request.metadata = metadata
    name = next(iter(data), "") if bindings is None else bindings["input"]
    if name not in data:
        names = ", ".join(data) or "none"
        _refuse(f"expected Data with the binding {name}, got {names:.100}")
    value = data[name]
    if (bindings is None or bindings["http"]) and _is_request(value):
        request.invocation.http = True
        _stand_for(request, value)
        return
    request.content_type = "application/json"
    request.body = _content(name, value, bindings is not None and bindings["binary"])


def wrap(request: Request, answer: Answer, start: Start) -> Answer:
    """Makes the answer of a whole body what the host reads.

    Without a client that reads HTTP, a status that is no success fails the invocation: the host
    then tries it again. A fault of a server fails it always.
    """
    told = request.invocation.http and answer.status < 500
    if not 200 <= answer.status < 300 and not told:
        return answer
    return Answer(200, _text(request, answer).encode("utf-8", "replace"))


def failed(request: Request, failure: Failure, start: Start) -> Answer | None:
    """Makes a failure of an HTTP client an answer; None: the host answers it."""
    status = _OF_CLIENT.get(failure.code)
    if status is None or request.invocation is None or not request.invocation.http:
        return None
    body = json.dumps({"message": failure.message}).encode()
    return wrap(request, Answer(status, body), start)


def _pairs(request: Request) -> list[tuple[str, str]]:
    raw = request.raw_headers
    return list(zip(raw[::2], raw[1::2], strict=False))


def _members(request: Request) -> tuple[dict[str, Any], Any]:
    try:
        envelope = json.loads(request.body)
    except RecursionError:
        raise Failure("bad_json", "POST body is nested too deep") from None
    except ValueError as raised:
        message = f"POST body could not be decoded as JSON: {raised}"
        raise Failure("bad_json", message) from None
    data = envelope.get("Data") if isinstance(envelope, dict) else None
    if not isinstance(data, dict):
        _refuse('expected {"Data": {...}, "Metadata": {...}} from the Functions host')
    return data, envelope.get("Metadata")


def _content(name: str, value: Any, binary: bool) -> bytes:
    """The trigger's own text or bytes: a text comes in JSON, and bytes as base64."""
    if not isinstance(value, str):
        return json.dumps(value).encode()
    if binary:
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            expected = "expected base64, because its binding has the dataType binary"
            _refuse(f"Data.{name}: {expected}, got {value[:100]!r}")
    if value.lstrip().startswith('"'):
        try:
            text = json.loads(value)
        except ValueError:
            text = value
        if isinstance(text, str):
            return text.encode("utf-8", "replace")
    return value.encode("utf-8", "replace")


def _is_request(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("Url"), str) and isinstance(value.get("Method"), str)


def _stand_for(request: Request, value: dict[str, Any]) -> None:
    """Makes the request the client's, as it would have come to /score."""
    try:
        url = urlsplit(value["Url"])
        request.url = (url.path or "/") + (f"?{url.query}" if url.query else "")
    except ValueError:
        request.url = "/"
    method = value["Method"]
    request.method = method.upper() if _METHOD.fullmatch(method) else "POST"
    headers = _headers(value.get("Headers"))
    request.raw_headers = [part for pair in headers for part in pair]
    kinds = (each for name, each in headers if name.lower() == "content-type")
    request.content_type = next(kinds, "")
    body = value.get("Body")
    if body is None:
        body = ""
    text = body if isinstance(body, str) else json.dumps(body)
    request.body = text.encode("utf-8", "replace")
    if isinstance(body, str) and _BASE64_BODY.match(request.content_type):
        try:
            request.body = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            return


def _headers(value: Any) -> list[tuple[str, str]]:
    """Names with a list of values each; what HTTP cannot carry is left out."""
    pairs: list[tuple[str, str]] = []
    for name, values in (value if isinstance(value, dict) else {}).items():
        for each in values if isinstance(values, list) else [values]:
            usable = isinstance(each, str) and not _NOT_IN_HEADERS.search(each)
            if usable and _NAME.fullmatch(name):
                pairs.append((name, each))
    return pairs


def _text(request: Request, answer: Answer) -> str:
    """JSON of a reply to the host: server/worker/codecs/function-outputs.ts says why so."""
    headers = _JSON if answer.headers is None else answer.headers
    is_json = answer.headers is None or _is_json(headers, answer.body)
    value = _of_json(answer.body) if is_json else _of_bytes(answer.body)

    def of(kind: str) -> str:
        return _http(answer.status, headers, value["http"]) if kind == "http" else value[kind]

    outputs = request.invocation.outputs
    members = [
        f"{json.dumps(each['name'])}:{of(each['kind'])}"
        for each in outputs
        if each["name"] != _RETURN
    ]
    own = next((each for each in outputs if each["name"] == _RETURN), None)
    returned = '""' if outputs else value["plain"]
    if own is not None:
        returned = of(own["kind"])
    lines = json.dumps(request.lines.all if request.lines is not None else [])
    return f'{{"Outputs":{{{",".join(members)}}},"Logs":{lines},"ReturnValue":{returned}}}'


def _http(status: int, headers: Headers, body: str) -> str:
    sent: dict[str, str] = {}
    for name, each in headers:
        sent[name] = f"{sent[name]}, {each}" if name in sent else each
    told = json.dumps(sent)
    return f'{{"statusCode":{status},"status":{status},"body":{body},"headers":{told}}}'


def _of_json(body: bytes) -> dict[str, str]:
    """The answer as JSON texts, by the kind of the output."""
    text = body.decode().strip()
    if text.startswith(("{", "[")):
        return {"plain": text, "binary": text, "http": text}
    quoted = json.dumps(text)
    plain = quoted if text.startswith('"') else _base64(body)
    return {"plain": plain, "binary": quoted, "http": quoted}


def _of_bytes(body: bytes) -> dict[str, str]:
    try:
        text = json.dumps(body.decode())
    except UnicodeDecodeError:
        text = _base64(body)
    return {"plain": _base64(body), "binary": text, "http": text}


def _is_json(headers: Headers, body: bytes) -> bool:
    kinds = (each for name, each in headers if name.lower() == "content-type")
    if not _JSON_TYPE.match(next(kinds, "")):
        return False
    try:
        json.loads(body.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _base64(data: bytes) -> str:
    return json.dumps(base64.b64encode(data).decode("ascii"))


def _refuse(message: str) -> NoReturn:
    raise Failure("invalid_input", message)
