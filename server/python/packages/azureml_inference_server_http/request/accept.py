"""What a client accepts: media types, languages, character sets, encodings (RFC 9110)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

_Default = TypeVar("_Default")


class Accept(list[tuple[str, float]]):
    """Values and their qualities, the best first."""

    def __init__(self, header: str = "") -> None:
        values = (_valued(part) for part in header.split(",") if part.strip())
        super().__init__(sorted(values, key=lambda each: -each[1]))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and self.quality(value) > 0

    @property
    def best(self) -> str | None:
        """The best value; None: there is none."""
        return self[0][0] if self else None

    def values(self) -> Iterator[str]:
        """The values without their qualities."""
        return (value for value, _ in self)

    def quality(self, value: str) -> float:
        """The quality of a value; 0: it is not accepted."""
        return next((quality for range_, quality in self if _matches(range_, value)), 0.0)

    def best_match(self, offers: Iterable[str], default: _Default | None = None) -> object:
        """The offer of the highest quality; `default`: none is accepted."""
        offered = list(offers)
        best = max(offered, key=self.quality, default="")
        return best if best in offered and self.quality(best) > 0 else default

    @property
    def accept_json(self) -> bool:
        """True where JSON is accepted."""
        return self.quality("application/json") > 0

    @property
    def accept_html(self) -> bool:
        """True where HTML is accepted."""
        return any(self.quality(each) > 0 for each in ("text/html", "application/xhtml+xml"))


def _valued(part: str) -> tuple[str, float]:
    value, *parameters = (each.strip() for each in part.split(";"))
    for each in parameters:
        name, _, text = each.partition("=")
        if name.strip().lower() == "q":
            return value, _quality_of(text)
    return value, 1.0


def _quality_of(text: str) -> float:
    try:
        return max(0.0, min(1.0, float(text)))
    except ValueError:
        return 0.0


def _matches(accepted: str, value: str) -> bool:
    accepted, value = accepted.lower(), value.lower()
    if accepted.endswith("/*") and accepted != "*/*":
        return value.startswith(accepted[:-1])
    return accepted in ("*", "*/*", value)
