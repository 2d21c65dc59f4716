"""Rows of what a script gives to a collector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from .collected_arrays import (
    PLAIN,
    ArrayColumn,
    array_columns,
    array_items,
    distinct,
    frame_columns,
    is_array,
    is_frame,
    name_of,
    plain,
)
from .columns import AT, BELOW, Block, ColumnType


def blocks_of(data: Any, feature_names: Sequence[str] | None = None) -> list[Block]:
    """The rows of a DataFrame, of rows, of columns by name, or of one array.

    `feature_names`: names of columns, for data that has none.
    Raises TypeError that names the expected and the given data.
    """
    return _Flattening([str(name) for name in feature_names or ()]).blocks(data)


class _Row:
    """Single values of a row in their order."""

    __slots__ = ("sources", "types", "values")

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.types: list[ColumnType | None] = []
        self.values: list[Any] = []

    def add(self, source: str, value: Any, of_array: ColumnType | None) -> None:
        self.sources.append(source)
        self.types.append(of_array)
        self.values.append(value)

    def spread(self, source: str, value: Any, of_array: ColumnType | None = None) -> None:
        """Adds a value. Nested values become columns `source_0`, `source_1` or `source_key`."""
        if type(value) in PLAIN:
            self.add(source, value, of_array)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                self.spread(f"{source}{BELOW}{key}", item)
        elif isinstance(value, (list, tuple)):
            for at, item in enumerate(value):
                self.spread(f"{source}{AT}{at}", item)
        elif is_array(value):
            for path, item, of_item in array_items(value):
                self.spread(f"{source}{AT}{path}", item, of_item)
        else:
            self.add(source, plain(value), of_array)


class _Flattening:
    """Spreads data over columns of single values."""

    def __init__(self, names: list[str]) -> None:
        self._names = distinct(names)

    def blocks(self, data: Any) -> list[Block]:
        if is_frame(data):
            return self._of_columns(frame_columns(data), len(data))
        if isinstance(data, (list, tuple)):
            return _grouped(self._row(item, at) for at, item in enumerate(data))
        if isinstance(data, Mapping):
            return self._of_mapping(data)
        if is_array(data):
            return self._of_array(data)
        raise _unfit(data)

    def _row(self, item: Any, index: int) -> _Row:
        """An item of a list of rows."""
        row = _Row()
        if isinstance(item, Mapping):
            for name, value in item.items():
                row.spread(str(name), value)
        elif isinstance(item, (list, tuple)):
            for at, value in enumerate(item):
                row.spread(self._name_at(at), value)
        elif is_array(item):
            for path, value, of_value in array_items(item):
                index_of, separator, below = path.partition(AT)
                name = self._name_at(int(index_of))
                row.spread(f"{name}{separator}{below}", value, of_value)
        elif is_frame(item) or callable(item):
            raise _unfit(item, f"row {index}")
        else:
            row.spread(self._names[0] if self._names else "", item)
        return row

    def _of_array(self, data: Any) -> list[Block]:
        """One array has no name of its own; a Series may have one."""
        own = getattr(data, "name", None)
        name = str(own) if own is not None else self._names[0] if len(self._names) == 1 else ""
        columns = array_columns(name, data)
        if len(columns) > 1:
            columns = [each._replace(source=self._name_at(at)) for at, each in enumerate(columns)]
        return self._of_columns(columns, len(data))

    def _of_mapping(self, data: Mapping[Any, Any]) -> list[Block]:
        """Columns of the same length. A single value stands in every row."""
        if len(data) == 0:
            raise TypeError("collect: expected rows, columns or arrays, got a dict without any")
        lists = {name: value for name, value in data.items() if _is_list(value)}
        lengths = {str(name): len(value) for name, value in lists.items()}
        if len(set(lengths.values())) > 1:
            got = ", ".join(f"{name}: {length}" for name, length in lengths.items())
            raise TypeError(f"collect: expected columns of the same length, got {got}")
        length = next(iter(lengths.values()), 1)
        columns: list[ArrayColumn] = []
        for name, value in data.items():
            if is_array(value):
                columns += array_columns(str(name), value)
            else:
                values = list(value) if name in lists else [value] * length
                columns.append(ArrayColumn(str(name), values, None))
        return self._of_columns(columns, length)

    def _of_columns(self, columns: Sequence[ArrayColumn], length: int) -> list[Block]:
        if any(_is_nested(value) for column in columns for value in _not_plain(column.values)):
            return _grouped(_row_of(columns, at) for at in range(length))
        sources = tuple(column.source for column in columns)
        types = tuple(column.type for column in columns)
        values = [_plain_values(column.values) for column in columns]
        return [Block(sources, types, values, length)]

    def _name_at(self, at: int) -> str:
        return self._names[at] if at < len(self._names) else f"column{AT}{at}"


def _row_of(columns: Sequence[ArrayColumn], at: int) -> _Row:
    row = _Row()
    for source, values, of_array in columns:
        row.spread(source, values[at], of_array)
    return row


def _grouped(rows: Iterable[_Row]) -> list[Block]:
    """Blocks of rows that follow each other and have the same columns."""
    blocks = []
    for (sources, types), group in groupby(
        rows, key=lambda row: (tuple(row.sources), tuple(row.types))
    ):
        values = [row.values for row in group]
        blocks.append(Block(sources, types, list(zip(*values, strict=True)), len(values)))
    return blocks


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or is_array(value)


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or _is_list(value)


def _not_plain(values: Sequence[Any]) -> Iterable[Any]:
    """Values that may be nested; none where all types are those of single values."""
    if set(map(type, values)) <= PLAIN:
        return ()
    return (value for value in values if type(value) not in PLAIN)


def _plain_values(values: Sequence[Any]) -> Sequence[Any]:
    if set(map(type, values)) <= PLAIN:
        return values
    return [plain(value) for value in values]


def _unfit(given: Any, where: str = "data") -> TypeError:
    return TypeError(
        f"collect: expected a DataFrame, rows, columns or arrays as {where}, got {name_of(given)}"
    )
