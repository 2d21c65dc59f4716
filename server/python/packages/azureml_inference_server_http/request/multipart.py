"""Forms of multipart/form-data (RFC 7578)."""

from __future__ import annotations

from email.message import Message
from email.parser import HeaderParser

from .errors import RequestError
from .file_storage import FileStorage
from .headers import Headers

# Flask's own limit.
_MOST_PARTS = 1000
_MOST_HEAD_BYTES = 16 * 1024
_LINE = b"\r\n"

Fields = list[tuple[str, str]]
Files = list[tuple[str, FileStorage]]


def read_multipart(body: bytes, boundary: str) -> tuple[Fields, Files]:
    """Fields and files of a form, by the names of its parts. Their bytes are exact.

    Raises RequestError for bytes of another form, and for more than 1000 parts.
    """
    if not boundary:
        raise _unreadable("its content type names no boundary")
    delimiter = _LINE + b"--" + boundary.encode("latin-1", "replace")
    # A first delimiter has no line before it.
    _, *pieces = (_LINE + body).split(delimiter, _MOST_PARTS + 2)
    if len(pieces) > _MOST_PARTS + 1:
        raise RequestError(413, f"The form has more than {_MOST_PARTS} parts.")
    if not pieces or not pieces[-1].startswith(b"--"):
        raise _unreadable("it has no closing boundary")
    fields: Fields = []
    files: Files = []
    for piece in pieces[:-1]:
        _read_part(piece, fields, files)
    return fields, files


def _read_part(piece: bytes, fields: Fields, files: Files) -> None:
    padding, line, rest = piece.partition(_LINE)
    head, blank, content = (_LINE + rest).partition(_LINE + _LINE)
    if padding.strip(b" \t") or not line or not blank or len(head) > _MOST_HEAD_BYTES:
        raise _unreadable("a part of it has no head")
    message = HeaderParser().parsestr(head[len(_LINE) :].decode("utf-8", "replace"))
    name = _parameter(message, "name")
    if name is None:
        raise _unreadable("a part of it has no name")
    filename = _parameter(message, "filename")
    if filename is None:
        fields.append((name, content.decode("utf-8", "replace")))
    else:
        headers = Headers((key, str(value)) for key, value in message.items())
        files.append((name, FileStorage(content, filename, name, headers)))


def _parameter(message: Message, name: str) -> str | None:
    value = message.get_param(name, header="content-disposition")
    if isinstance(value, tuple):
        # With the character set of RFC 2231.
        charset, _, text = value
        return text.encode("latin-1", "replace").decode(charset or "utf-8", "replace")
    return value


def _unreadable(why: str) -> RequestError:
    return RequestError(400, f"POST body could not be read as a form: {why}.")
