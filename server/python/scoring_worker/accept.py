"""The form of an answer that a client wants: RFC 9110, section 12.5.1."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """The type that a client wants most; None: it accepts none of them.

    `offered`: in the order of the server's own preference. Parameters besides `q` count for
    nothing.
    """
    ranges = [each for each in map(_range_of, accept.split(",")) if each[0]]
    if not ranges:
        return offered[0]
    best = max(offered, key=lambda kind: _quality(kind, ranges))
    return best if _quality(best, ranges) > 0 else None


def _range_of(text: str) -> tuple[str, float]:
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        name, _, weight = parameter.partition("=")
        if name.strip() == "q":
            return kind, float(weight) if _WEIGHT.fullmatch(weight.strip()) else 1
    return kind, 1


def _quality(kind: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The most specific range decides, and of equal ones the best."""
    for name in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        found = [quality for each, quality in ranges if each == name]
        if found:
            return max(found)
    return 0
