"""Forms of multipart/form-data (RFC 7578)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .errors import RequestError
from .file_storage import FileStorage
from .headers import Headers
from .media_type import value_and_parameters

# Flask's own limit.
_MOST_PARTS = 1000
_MOST_HEAD_BYTES = 16 * 1024
# A line of a head that goes on.
_FOLD = re.compile(r"\r?\n[ \t]+")

Fields = list[tuple[str, str]]
Files = list[tuple[str, FileStorage]]


def read_multipart(body: bytes, boundary: str) -> tuple[Fields, Files]:
    """Fields and files of a form, by the names of its parts. Their bytes are exact.

    Raises RequestError for bytes of another form, and for more than 1000 parts.
    """
    if not boundary:
        raise _unreadable("its content type names no boundary")
    dashes = b"--" + boundary.encode("latin-1", "replace")
    line = _line_end(body, dashes)
    # A first delimiter has no line before it.
    _, *pieces = (line + body).split(line + dashes, _MOST_PARTS + 2)
    if len(pieces) > _MOST_PARTS + 1:
        raise RequestError(413, f"The form has more than {_MOST_PARTS} parts.")
    if not pieces or not pieces[-1].startswith(b"--"):
        raise _unreadable("it has no closing boundary")
    fields: Fields = []
    files: Files = []
    for piece in pieces[:-1]:
        _read_part(piece, line, fields, files)
    return fields, files


def _line_end(body: bytes, dashes: bytes) -> bytes:
    """What ends the lines between parts: clients that write a form by hand send LF."""
    after = body.find(dashes) + len(dashes)
    return b"\n" if body[after : after + 1] == b"\n" else b"\r\n"


def _read_part(piece: bytes, line: bytes, fields: Fields, files: Files) -> None:
    padding, begin, rest = piece.partition(line)
    head, blank, content = (line + rest).partition(line + line)
    if padding.strip(b" \t") or not begin or not blank or len(head) > _MOST_HEAD_BYTES:
        raise _unreadable("a part of it has no head")
    headers = Headers(_headers(head.decode("utf-8", "replace")))
    _, parameters = value_and_parameters(headers.get("Content-Disposition", ""))
    name = parameters.get("name")
    if name is None:
        raise _unreadable("a part of it has no name")
    filename = parameters.get("filename")
    if filename is None:
        fields.append((name, content.decode("utf-8", "replace")))
    else:
        files.append((name, FileStorage(content, filename, name, headers)))


def _headers(head: str) -> Iterator[tuple[str, str]]:
    for line in _FOLD.sub(" ", head).split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.strip()


def _unreadable(why: str) -> RequestError:
    return RequestError(400, f"POST body could not be read as a form: {why}.")
