"""Headers of requests and answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .messages import Request

# They describe the transfer to the host: the body of a frame is inflated and whole.
_OF_TRANSFER = frozenset({"content-encoding", "content-length", "expect", "transfer-encoding"})
_HOP_BY_HOP = re.compile(
    r"connection|content-length|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade"
)
# What HTTP can carry: server/ipc/header-fields.ts.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_VALUES = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_MOST_CHARACTERS = 64 * 1024


def request_headers(request: Request) -> Iterator[tuple[str, str]]:
    """Headers of a request, which describe its body as it is here."""
    raw = request.raw_headers
    for name, value in zip(raw[::2], raw[1::2], strict=False):
        if name.lower() not in _OF_TRANSFER:
            yield name, value
    if request.body or request.method not in ("GET", "HEAD", "OPTIONS"):
        yield "Content-Length", str(len(request.body))


def header_dict(request: Request) -> dict[str, str]:
    """Headers by names as `Content-Type`. Those that are repeated are joined."""
    joined: dict[str, str] = {}
    for name, value in request_headers(request):
        title = name.title()
        comma = "; " if title == "Cookie" else ","
        joined[title] = f"{joined[title]}{comma}{value}" if title in joined else value
    return joined


def end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers that the next hop may have. The host sets those of the connection."""
    return [each for each in headers if not _HOP_BY_HOP.fullmatch(each[0].lower())]


def wrong_headers(headers: Iterable[tuple[str, str]]) -> str | None:
    """Names the first header that HTTP cannot carry, and why."""
    characters = 0
    for name, value in headers:
        characters += len(name) + len(value)
        if characters > _MOST_CHARACTERS:
            return f"headers of more than {_MOST_CHARACTERS} characters"
        if not _NAME.fullmatch(name):
            return f"a header named {name[:100]!r}: expected letters, digits and !#$%&'*+.^_`|~-"
        odd = _NOT_IN_VALUES.search(value)
        if odd is not None:
            character = f"U+{ord(odd.group()):04X}"
            return f"the header {name[:100]} with {character} at position {odd.start()}"
    return None
