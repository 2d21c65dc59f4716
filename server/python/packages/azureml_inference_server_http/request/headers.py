"""Headers by names without case, which may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, overload

_WITHOUT_PREFIX = ("CONTENT_TYPE", "CONTENT_LENGTH")


class Headers:
    """Headers in their order."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = list(pairs)

    @classmethod
    def of_environ(cls, environ: dict[str, Any]) -> Headers:
        """Headers of a request, with names as `Content-Type`."""
        return cls(
            (key.removeprefix("HTTP_").replace("_", "-").title(), value)
            for key, value in environ.items()
            if key.startswith("HTTP_") or key in _WITHOUT_PREFIX
        )

    def __getitem__(self, name: str) -> str:
        for value in self._values(name):
            return value
        raise KeyError(name)

    def __setitem__(self, name: str, value: str) -> None:
        self._pairs = [*self._others(name), (name, str(value))]

    def __delitem__(self, name: str) -> None:
        self._pairs = self._others(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and next(self._values(name), None) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return f"Headers({self._pairs!r})"

    @overload
    def get(self, name: str) -> str | None: ...

    @overload
    def get(self, name: str, default: str) -> str: ...

    @overload
    def get(self, name: str, default: Any, type: Callable[[str], Any]) -> Any: ...

    @overload
    def get(self, name: str, *, type: Callable[[str], Any]) -> Any: ...

    def get(self, name: str, default: Any = None, type: Callable[[str], Any] | None = None) -> Any:
        """The first value. `type` converts it: the default where that fails."""
        for value in self._values(name):
            try:
                return value if type is None else type(value)
            except ValueError:
                return default
        return default

    def getlist(self, name: str) -> list[str]:
        """All values of a name."""
        return list(self._values(name))

    get_all = getlist

    def keys(self) -> list[str]:
        """The names."""
        return [name for name, _ in self._pairs]

    def values(self) -> list[str]:
        """The values."""
        return [value for _, value in self._pairs]

    def items(self) -> list[tuple[str, str]]:
        """Names and values."""
        return list(self._pairs)

    def add(self, name: str, value: str) -> None:
        """Adds a header beside those of the same name."""
        self._pairs.append((name, str(value)))

    add_header = add

    def set(self, name: str, value: str) -> None:
        """Replaces the headers of a name."""
        self[name] = value

    def setdefault(self, name: str, value: str) -> str:
        """The first value; `value` is set where there is none."""
        if name not in self:
            self[name] = value
        return self[name]

    def remove(self, name: str) -> None:
        """Removes the headers of a name."""
        del self[name]

    def update(self, other: Any = (), **named: str) -> None:
        """Replaces headers by those of a dict or of pairs."""
        for name, value in dict(other, **named).items():
            self[name] = value

    def _values(self, name: str) -> Iterator[str]:
        lower = name.lower()
        return (value for key, value in self._pairs if key.lower() == lower)

    def _others(self, name: str) -> list[tuple[str, str]]:
        return [each for each in self._pairs if each[0].lower() != name.lower()]
