"""Cookies, from and to their headers (RFC 6265)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import format_datetime, formatdate
from typing import Any
from urllib.parse import quote

_PLAIN = "!#$%&'()*+-./:<=>?@[]^_`{|}~"


def cookies_of(header: str) -> Iterator[tuple[str, str]]:
    """Names and values of a header `Cookie`."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name:
            quoted = len(value) > 1 and value[0] == value[-1] == '"'
            yield name, value[1:-1] if quoted else value


def cookie_text(
    key: str,
    value: str = "",
    max_age: Any = None,
    expires: Any = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: str | None = None,
    partitioned: bool = False,
) -> str:
    """A header `Set-Cookie`.

    `max_age`: seconds, or a timedelta. `expires`: a text, a datetime, or seconds since 1970.
    Characters that a cookie cannot have are percent-encoded.
    """
    seconds = getattr(max_age, "total_seconds", None)
    attributes = {
        "Domain": domain,
        "Expires": _date(expires),
        "Max-Age": None if max_age is None else int(seconds() if seconds else max_age),
        "Path": path,
        "SameSite": samesite,
    }
    flags = {"Secure": secure or partitioned, "HttpOnly": httponly, "Partitioned": partitioned}
    texts = [f"{key}={quote(value, safe=_PLAIN)}"]
    texts += [f"{name}={given}" for name, given in attributes.items() if given is not None]
    texts += [name for name, given in flags.items() if given]
    return "; ".join(texts)


def _date(expires: Any) -> str | None:
    if isinstance(expires, datetime):
        zone = expires.tzinfo or timezone.utc
        return format_datetime(expires.replace(tzinfo=zone).astimezone(timezone.utc), usegmt=True)
    return formatdate(expires, usegmt=True) if isinstance(expires, (int, float)) else expires
