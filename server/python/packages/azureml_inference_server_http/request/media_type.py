"""Values of headers with parameters: content types, and dispositions of parts (RFC 9110)."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

# Takes time in proportion to the text, which is a client's.
_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_CHARSETS = ("utf-8", "iso-8859-1", "us-ascii")


def media_type_of(content_type: str | None) -> tuple[str, dict[str, str]]:
    """A content type without its parameters, in lower case, and the parameters."""
    media_type, parameters = value_and_parameters(content_type or "")
    return media_type.lower(), parameters


def value_and_parameters(text: str) -> tuple[str, dict[str, str]]:
    """The value before the first semicolon, and its parameters by names in lower case.

    `name*` with a character set (RFC 8187) wins over `name`.
    """
    parameters: dict[str, str] = {}
    extended: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(text):
        value = _ESCAPED.sub(r"\1", quoted) or plain.strip()
        if name.endswith("*"):
            extended.setdefault(name[:-1].lower(), _decoded(value))
        else:
            parameters.setdefault(name.lower(), value)
    return text.partition(";")[0].strip(), {**parameters, **extended}


def is_json(media_type: str) -> bool:
    """True for application/json and for types that are based on it."""
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _decoded(value: str) -> str:
    """The text of `utf-8'en'%C3%A9`; a value of another form as it is."""
    charset, *rest = value.split("'", 2)
    if len(rest) < 2:
        return value
    known = charset.lower() if charset.lower() in _CHARSETS else "utf-8"
    return unquote_to_bytes(rest[1]).decode(known, "replace")
