"""Texts without keys, as server/guards/addresses.ts has it: libraries quote addresses in errors."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"\b(?!file:|data:)([a-z][a-z\d+.-]{0,30})://(?:[^\s\"`<>/?#]*@)?([^\s\"`<>/?#]*)[^\s\"`<>]*",
    re.IGNORECASE,
)
_KEYS = re.compile(
    r"\b(AccountKey|SharedAccessKey|SharedAccessSignature|InstrumentationKey|sig)=[^;&\s\"']*",
    re.IGNORECASE,
)
# Of the text around an address.
_ENDINGS = ".,;:!?')]}"


def without_keys(text: str) -> str:
    """A text whose addresses have only their origin, and without keys of connection strings."""
    return _KEYS.sub(r"\1=[redacted]", _ADDRESS.sub(_origin, text))


def _origin(found: re.Match[str]) -> str:
    host = found[2].rstrip(_ENDINGS)
    if host.startswith("[") and "]" not in host:
        host += "]"
    ending = found[0][len(found[0].rstrip(_ENDINGS)) :]
    return (f"{found[1]}://{host}" if host else "the address") + ending
