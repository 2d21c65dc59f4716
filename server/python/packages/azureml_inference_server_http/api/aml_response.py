"""An answer with a status, headers and a body of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from http.client import responses
from typing import Any

from scoring_worker.failures import Failure
from scoring_worker.json_values import json_text
from scoring_worker.port import port

from ..request.cookies import cookie_text
from ..request.headers import Headers
from ..request.media_type import media_type_of

_JSON = "application/json"
_HTML = "text/html; charset=utf-8"
_TYPE = "Content-Type"
# A comma between two cookies. The one in a date has no name behind it.
_NEXT_COOKIE = re.compile(r",\s*(?=[!#$%&'*+.^_`|~0-9A-Za-z-]+=)")


class AMLResponse:
    """What run() returns to choose its answer.

    `status_code`: a number, or a text that begins with it.
    `message`: a text or bytes, an iterable of them, which streams, or None for `{}`.
    `json_str`: the message is any value, and is answered as JSON.
    `response_headers`: values are texts, or lists of texts for a header that is repeated. A text
    is one header, except that `Set-Cookie` is repeated for each of its cookies.
    `run_function_failed`: marks a failed run. A status from 500 on does that, too.
    """

    def __init__(
        self,
        message: Any,
        status_code: int | str,
        response_headers: Mapping[str, Any] = {},  # noqa: B006 -- as Azure's; never changed
        json_str: bool = False,
        run_function_failed: bool = False,
    ) -> None:
        """Raises TypeError for a message, and ValueError for a status that is none of these."""
        self.status_code = _number_of(status_code)
        is_json = message is None or json_str or isinstance(message, dict)
        self.headers = Headers([(_TYPE, _JSON if is_json else _HTML)])
        self.response: Any = None
        self.set_data(_json({} if message is None else message) if is_json else message)
        self.headers["x-ms-run-function-failed"] = str(bool(run_function_failed))
        self._add(response_headers, keeps_type=is_json)

    def __repr__(self) -> str:
        return f"<AMLResponse [{self.status_code}]>"

    @property
    def status(self) -> str:
        """Status and reason, as `404 NOT FOUND`."""
        reason = responses.get(self.status_code, "unknown").upper()
        return f"{self.status_code} {reason}"

    @status.setter
    def status(self, value: int | str) -> None:
        self.status_code = _number_of(value)

    @property
    def is_streamed(self) -> bool:
        """True where the body is made while it is sent."""
        return not isinstance(self.response, (list, tuple))

    @property
    def content_type(self) -> str | None:
        """The header."""
        return self.headers.get(_TYPE)

    @content_type.setter
    def content_type(self, value: str) -> None:
        self.headers[_TYPE] = value

    @property
    def mimetype(self) -> str:
        """Content type without parameters, in lower case."""
        return media_type_of(self.content_type)[0]

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        is_text = value.startswith("text/")
        self.content_type = f"{value}; charset=utf-8" if is_text else value

    def set_cookie(self, key: str, value: str = "", **attributes: Any) -> None:
        """Adds a cookie, with the attributes that Flask names: `max_age`, `path`, `httponly`."""
        self.headers.add("Set-Cookie", cookie_text(key, value, **attributes))

    def delete_cookie(self, key: str, path: str = "/", **attributes: Any) -> None:
        """Makes the client forget a cookie."""
        self.set_cookie(key, max_age=0, expires=0, path=path, **attributes)

    @property
    def data(self) -> bytes:
        """The body, which is read to its end."""
        body: bytes = self.get_data()
        return body

    @data.setter
    def data(self, value: Any) -> None:
        self.set_data(value)

    def get_data(self, as_text: bool = False) -> Any:
        """The body, which is read to its end: bytes, or a text with `as_text`."""
        if self.is_streamed:
            self.response = list(self.iter_encoded())
        body = b"".join(self.iter_encoded())
        return body.decode() if as_text else body

    def set_data(self, value: Any) -> None:
        """Replaces the body. Raises TypeError."""
        if isinstance(value, (str, bytes, bytearray, memoryview)):
            value = [value]
        elif not hasattr(value, "__iter__") and not hasattr(value, "__aiter__"):
            raise TypeError(
                f"AMLResponse: expected a text, bytes or an iterable of them, "
                f"got {type(value).__name__}: for JSON, set json_str=True"
            )
        self.response = value

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """The value of a body of JSON."""
        return json.loads(self.get_data())

    @property
    def json(self) -> Any:
        """The value of a body of JSON."""
        return self.get_json()

    def iter_encoded(self) -> Iterator[Any]:
        """The chunks of the body: texts as UTF-8, bytes as they are."""
        for chunk in self.response:
            yield chunk.encode() if isinstance(chunk, str) else chunk

    def close(self) -> None:
        """Closes the iterable of the body."""
        close = getattr(self.response, "close", None)
        if callable(close):
            close()

    def _add(self, given: Mapping[str, Any], *, keeps_type: bool) -> None:
        for name, value in given.items():
            if name.lower() == _TYPE.lower():
                if not keeps_type:
                    self.headers[_TYPE] = str(value).strip()
                continue
            for each in _values_of(name, value):
                self.headers.add(name, each.strip())


def _json(value: Any) -> str:
    """JSON as Python writes it; NaN and arrays as in what run() returns. Raises TypeError."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return json_text(value, port.non_finite, "message")
    except Failure as failure:
        raise TypeError(failure.message) from None


def _number_of(status: int | str) -> int:
    """Raises ValueError."""
    return int(status.split()[0]) if isinstance(status, str) and status.strip() else int(status)


def _values_of(name: str, value: Any) -> Iterable[str]:
    if isinstance(value, (list, tuple)):
        return [str(each) for each in value]
    text = str(value)
    return _NEXT_COOKIE.split(text) if name.lower() == "set-cookie" else [text]
