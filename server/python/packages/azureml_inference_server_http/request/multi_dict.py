"""Values by names that may be repeated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from .errors import MissingValue

# A byte that is part of no text.
_ESCAPED = re.compile("[\udc80-\udcff]")


class MultiDict(dict[str, Any]):
    """The first value of each name, as a dict has it, and the lists of all."""

    def __init__(self, pairs: Iterable[tuple[str, Any]] = ()) -> None:
        self._pairs = list(pairs)
        super().__init__(reversed(self._pairs))
        # In the order of the client, although the first value of a name wins.
        first = dict.fromkeys(name for name, _ in self._pairs)
        ordered = {name: dict.__getitem__(self, name) for name in first}
        self.clear()
        self.update(ordered)

    def __missing__(self, name: str) -> NoReturn:
        raise MissingValue(name)

    def __repr__(self) -> str:
        return f"MultiDict({self._pairs!r})"

    def get(self, name: str, default: Any = None, type: Callable[[Any], Any] | None = None) -> Any:
        """The first value. `type` converts it: the default where that fails."""
        if name not in self:
            return default
        try:
            return self[name] if type is None else type(self[name])
        except (ValueError, TypeError):
            return default

    def getlist(self, name: str, type: Callable[[Any], Any] | None = None) -> list[Any]:
        """All values of a name. Those that `type` cannot convert are left out."""
        values = [value for key, value in self._pairs if key == name]
        return values if type is None else list(_converted(values, type))

    def items(self, multi: bool = False) -> Any:
        """Names and first values; names and all values with `multi`."""
        return list(self._pairs) if multi else super().items()

    def lists(self) -> list[tuple[str, list[Any]]]:
        """Names, and lists of their values."""
        return [(name, self.getlist(name)) for name in self]

    def to_dict(self, flat: bool = True) -> dict[str, Any]:
        """A dict of first values, or of lists."""
        return dict(self) if flat else dict(self.lists())


def of_query(text: str) -> MultiDict:
    """Names and values of a query or of an URL-encoded form. Bytes of no text stay encoded."""
    pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    return MultiDict((_encoded(name), _encoded(value)) for name, value in pairs)


def _encoded(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]) - 0xDC00:02X}", text)


def _converted(values: Iterable[Any], convert: Callable[[Any], Any]) -> Iterator[Any]:
    for value in values:
        try:
            yield convert(value)
        except (ValueError, TypeError):
            continue
