"""The body of a request: bytes, JSON, or a form."""

from __future__ import annotations

import json
from typing import Any

from .errors import RequestError
from .headers import Headers
from .media_type import is_json, media_type_of
from .multi_dict import MultiDict, of_query
from .multipart import read_multipart

_URL_ENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


class Body:
    """A body, which is read once it is asked for."""

    def __init__(self, source: Any, headers: Headers) -> None:
        """Takes a file of the bytes."""
        self._source = source
        self._media_type, self._parameters = media_type_of(headers.get("Content-Type"))
        self._content: bytes | None = None
        self._fields: tuple[MultiDict, MultiDict] | None = None

    @property
    def content(self) -> bytes:
        """All bytes, also after a script has read of the stream."""
        if self._content is None:
            at = self._source.tell()
            self._source.seek(0)
            self._content = self._source.read()
            self._source.seek(at)
        return self._content

    @property
    def is_form(self) -> bool:
        """True for the content types of forms."""
        return self._media_type in (_URL_ENCODED, _MULTIPART)

    @property
    def is_json(self) -> bool:
        """True for a content type of JSON."""
        return is_json(self._media_type)

    @property
    def form(self) -> MultiDict:
        """Fields of a form."""
        return self._read_form()[0]

    @property
    def files(self) -> MultiDict:
        """Files of a form."""
        return self._read_form()[1]

    def json(self, force: bool, silent: bool) -> Any:
        """The value of JSON. Raises RequestError where not `silent`."""
        try:
            if not force and not self.is_json:
                raise RequestError(415, "Expects Content-Type to be application/json")
            return json.loads(self.content)
        except RequestError:
            if not silent:
                raise
        except (ValueError, RecursionError) as raised:
            if not silent:
                description = f"POST body could not be decoded as JSON: {raised}"
                raise RequestError(400, description) from None
        return None

    def _read_form(self) -> tuple[MultiDict, MultiDict]:
        if self._fields is None:
            self._fields = self._read_fields()
        return self._fields

    def _read_fields(self) -> tuple[MultiDict, MultiDict]:
        if self._media_type == _MULTIPART:
            fields, files = read_multipart(self.content, self._parameters.get("boundary", ""))
            return MultiDict(fields), MultiDict(files)
        if self._media_type == _URL_ENCODED:
            text = self.content.decode("utf-8", "replace")
            return of_query(text), MultiDict()
        return MultiDict(), MultiDict()
