"""The credentials of a request, where the server leaves them to the script."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass


@dataclass(frozen=True)
class Authorization:
    """A header `Authorization`."""

    # Scheme in lower case.
    type: str
    token: str | None = None
    # Of the scheme `basic`.
    username: str | None = None
    password: str | None = None

    @classmethod
    def of_header(cls, header: str | None) -> Authorization | None:
        """Reads the header; None: it is absent, or cannot be read."""
        scheme, _, rest = (header or "").strip().partition(" ")
        if not scheme or not rest.strip():
            return None
        if scheme.lower() != "basic":
            return cls(scheme.lower(), token=rest.strip())
        try:
            username, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return cls("basic", username=username, password=password)
