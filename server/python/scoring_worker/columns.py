"""Columns of collected rows: docs/data-collection.md#which-types-have-columns."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring as json_string
from typing import Any, Literal, cast

ColumnType = Literal["float", "int", "string", "boolean"]
COLUMN_TYPES: tuple[ColumnType, ...] = ("float", "int", "string", "boolean")
ColumnTypes = Mapping[str, ColumnType]

# Separators of a path: names of members after BELOW, indexes after AT. No real name has them.
BELOW = "\0"
AT = "\x01"
_ENDS_BASE = re.compile("[\0\x01]")
# Why: names may be made from data, and would fill the memory of the worker.
_MOST_COLUMNS = 200_000
# What readers refuse in a name: Azure the dot; Spark, for Parquet, spaces and ,;{}()=
_REFUSED = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufeff.,;{}()=]")
_UNNAMED = "value"
_MOST_SAFE = 2**53 - 1


@dataclass
class Block:
    """Rows of the same columns, by column. Values are None, bool, int, float or str."""

    # Paths, not names: a path decides its name with those that were there before.
    sources: tuple[str, ...]
    # Types of the arrays that the values are of; None: plain values.
    types: tuple[ColumnType | None, ...]
    values: Sequence[Sequence[Any]]
    length: int


@dataclass
class _Column:
    name: str
    # Name of the value that the column is a part of.
    base: str
    # None: nothing but missing values so far.
    type: ColumnType | None = None
    # False: whole numbers so far, and a fraction makes the column a float.
    firm: bool = False
    # Number of the call whose plain values decided the type first; 0: none.
    since: int = 0
    # The member's name in a template of a row.
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.key = json_string(self.name).replace("%", "%%") + ":%s"


def column_name(source: str) -> str:
    """The name of a path as readers of the files take it."""
    return _UNNAMED if source == "" else _REFUSED.sub("_", source)


def column_types(given: Any) -> ColumnTypes:
    """Types that a script gives, by the names that its columns will have.

    Raises ValueError for anything but types by name.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping) or any(each not in COLUMN_TYPES for each in given.values()):
        expected = f"types of columns by name, each one of {', '.join(COLUMN_TYPES)}"
        raise ValueError(f"Collector: expected {expected}; got {given!r:.200}")
    return {column_name(str(name)): each for name, each in given.items()}


class Columns:
    """Names and types of the columns of one collection, for the life of the worker.

    A name is settled by the row that brings it, a type by the first call that brings a value.
    Any thread may use it.
    """

    def __init__(self, warn: Callable[[str], None] | None = None) -> None:
        self._warn_of = warn
        self._warned: set[str] = set()
        self._by_source: dict[str, _Column] = {}
        # In lower case, because Spark takes two names that differ only in case for one.
        self._names: set[str] = set()
        self._suffixes: dict[str, int] = {}
        self._calls = 0
        # Reentrant: a signal handler or a finalizer may collect within it.
        self._lock = threading.RLock()

    def text(self, blocks: Iterable[Block], types: ColumnTypes | None = None) -> str:
        """JSON of the rows, each value of its column's type; null where it has no such form.

        Floats have a fraction or an exponent. Raises ValueError when the columns are too many.
        """
        with self._lock:
            self._calls += 1
            # No name and no type is settled without a row.
            filled = [block for block in blocks if block.length > 0]
            found = [(block, self._columns_of(block.sources)) for block in filled]
            for block, columns in found:
                for column, values, of_array in zip(
                    columns, block.values, block.types, strict=True
                ):
                    self._learn(column, values, of_array, types or {})
            rows = [row for block, columns in found for row in self._rows(block, columns)]
        return f"[{','.join(rows)}]"

    def names(self, sources: tuple[str, ...]) -> list[str]:
        """Names of the columns of these paths."""
        with self._lock:
            return [column.name for column in self._columns_of(sources)]

    def _columns_of(self, sources: tuple[str, ...]) -> list[_Column]:
        unknown = {source for source in sources if source not in self._by_source}
        # Names that need no change come first, so that the order of members decides nothing.
        for source in sorted(unknown, key=lambda each: (column_name(each) != each, each)):
            self._add(source)
        return [self._by_source[source] for source in sources]

    def _add(self, source: str) -> None:
        if len(self._by_source) >= _MOST_COLUMNS:
            expected = f"collect: expected at most {_MOST_COLUMNS} columns in the life of a worker"
            raise ValueError(f"{expected}; make a value of what differs")
        wanted = column_name(source)
        lower = wanted.lower()
        name = wanted
        suffix = self._suffixes.get(lower, 2)
        while name.lower() in self._names:
            name = f"{wanted}_{suffix}"
            suffix += 1
        self._suffixes[lower] = suffix
        self._names.add(name.lower())
        self._by_source[source] = _Column(name, column_name(_ENDS_BASE.split(source, 1)[0]))

    def _learn(
        self,
        column: _Column,
        values: Sequence[Any],
        of_array: ColumnType | None,
        types: ColumnTypes,
    ) -> None:
        if column.firm and column.since != self._calls:
            return
        given = types.get(column.name) or types.get(column.base) or of_array
        if given is not None:
            if not column.firm:
                self._settle(column, given)
                column.since = 0
            return
        seen = set(map(type, values)) - {type(None)}
        if column.type == "int" and not column.firm and seen <= {int}:
            return
        for value in values:
            self._learn_from(column, value)

    def _learn_from(self, column: _Column, value: Any) -> None:
        if isinstance(value, str):
            # Only the first call decides: one wrong value must not make text of numbers.
            if column.type is None or column.since == self._calls:
                self._settle(column, "string")
        elif column.firm or value is None:
            return
        elif isinstance(value, float):
            self._settle(column, "float")
        elif column.type is None:
            column.type = "boolean" if isinstance(value, bool) else "int"
            column.since = self._calls

    def _settle(self, column: _Column, wanted: ColumnType) -> None:
        if column.type == "boolean" and wanted != "string":
            return
        if wanted == "float" and column.type == "int" and column.since < self._calls:
            name = json_string(column.name)
            self._warn(
                "type",
                f"the column {column.name} had whole numbers so far, and is a float from now on: "
                f'give the collector types={{{name}: "float"}}',
            )
        if column.type is None:
            column.since = self._calls
        column.type = wanted
        column.firm = True

    def _rows(self, block: Block, columns: Sequence[_Column]) -> list[str]:
        if not columns:
            return ["{}"] * block.length
        template = f"{{{','.join(column.key for column in columns)}}}"
        cells = map(self._cells, columns, block.values)
        return [template % row for row in zip(*cells, strict=True)]

    def _cells(self, column: _Column, values: Sequence[Any]) -> list[str]:
        texts = list(map(_WRITERS[column.type], values))
        if None not in texts:
            return cast("list[str]", texts)
        kind = type(values[texts.index(None)]).__name__
        self._warn(
            "value",
            f"the column {column.name} is of type {column.type}: "
            f"a value of type {kind} is null there",
        )
        return ["null" if text is None else text for text in texts]

    def _warn(self, what: str, text: str) -> None:
        if what not in self._warned and self._warn_of is not None:
            self._warn_of(f"{text} (logged once)")
        self._warned.add(what)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _unknown_text(_value: Any) -> str | None:
    return "null"


# A writer gives the JSON of a value in the form of a type; None: it has no such form.


def _float_text(value: Any) -> str | None:
    if type(value) is float:
        return repr(value) if math.isfinite(value) else "null"
    if value is None:
        return "null"
    if isinstance(value, str):
        return None
    try:
        return repr(float(value))
    except OverflowError:
        return "null"


def _int_text(value: Any) -> str | None:
    if type(value) is int:
        return repr(value)
    if _is_missing(value):
        return "null"
    if isinstance(value, str) or value != int(value):
        return None
    return repr(int(value))


def _string_text(value: Any) -> str | None:
    if isinstance(value, str):
        return json_string(value)
    if _is_missing(value):
        return "null"
    return f'"{str(value).lower() if isinstance(value, bool) else value}"'


def _boolean_text(value: Any) -> str | None:
    if _is_missing(value):
        return "null"
    if isinstance(value, str) or value not in (0, 1):
        return None
    return "true" if value else "false"


_WRITERS: Mapping[ColumnType | None, Callable[[Any], str | None]] = {
    None: _unknown_text,
    "float": _float_text,
    "int": _int_text,
    "string": _string_text,
    "boolean": _boolean_text,
}
