"""Rows in texts: comma-separated values (RFC 4180), and a value of JSON a line."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from .failures import Failure

_WHOLE = re.compile(r"[ \t]*[+-]?[0-9]+[ \t]*")
_NUMBER = re.compile(r"[ \t]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*")
_SPECIAL = re.compile(r"[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
_MOST_DIGITS = 1000


def read_csv(text: str, header: bool) -> list[Any]:
    """A list for each row, or a dict by the names of the columns. Raises Failure: invalid_input."""
    records = list(_records(text))
    if header and records:
        names, *rows = records
        found: list[Any] = [dict(zip(names, map(_value, row), strict=True)) for row in rows]
    else:
        found = [list(map(_value, row)) for row in records]
    if not found:
        raise Failure("invalid_input", "the body: expected at least one row, got none")
    return found


def read_lines(text: str, decoder: json.JSONDecoder) -> list[Any]:
    """The values of the lines that are not empty. Raises Failure: bad_json."""
    values = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            values.append(decoder.decode(line))
        except RecursionError:
            _refuse_line(number, "arrays and objects are nested too deep")
        except ValueError as raised:
            _refuse_line(number, raised)
    if not values:
        raise Failure("bad_json", "POST body is empty. Expecting JSON lines.")
    return values


def rows_of(value: Any, expected: int | None) -> list[Any] | None:
    """The rows of a value of JSON; None: it is a single one.

    `expected`: rows that all members of a dict must have to be more than one value.
    """
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or not value or expected is None:
        return None
    if any(not isinstance(each, list) or len(each) != expected for each in value.values()):
        return None
    return [{name: each[row] for name, each in value.items()} for row in range(expected)]


def write_csv(value: Any, expected: int | None) -> str | None:
    """A line for each row, without a header; None: the value is no table. A text stays as it is."""
    if isinstance(value, str):
        return value
    rows = rows_of(value, expected)
    lines = [_fields(row) for row in ([value] if rows is None else rows)]
    if any(line is None for line in lines) or (rows is None and isinstance(value, dict)):
        return None
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(line or [] for line in lines)
    return text.getvalue()


def write_lines(value: Any, expected: int | None) -> str:
    """A line of JSON for each row, or one for a value without rows."""
    rows = rows_of(value, expected)
    lines = [value] if rows is None else rows
    return "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines)


def _records(text: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    width = 0
    try:
        for record in reader:
            if not record:
                continue
            width = width or len(record)
            if len(record) != width:
                expected = f"expected {width} fields, as in the first line"
                message = f"line {reader.line_num}: {expected}, got {len(record)}"
                raise Failure("invalid_input", message)
            yield record
    except csv.Error as raised:
        message = f"line {reader.line_num}: expected comma-separated values (RFC 4180): {raised}"
        raise Failure("invalid_input", message) from None


def _value(field: str) -> Any:
    if field == "":
        return None
    if _WHOLE.fullmatch(field) and len(field) <= _MOST_DIGITS:
        return int(field)
    if _NUMBER.fullmatch(field) or _SPECIAL.fullmatch(field):
        return float(field)
    return {"true": True, "false": False}.get(field.lower(), field)


def _fields(row: Any, levels: int = 2) -> list[str] | None:
    """The fields of a row; None: it has more levels than a table."""
    if not isinstance(row, (list, dict)):
        return [_field(row)]
    if levels == 0 or (isinstance(row, dict) and levels < 2):
        return None
    items: Sequence[Any] = list(row.values()) if isinstance(row, dict) else row
    fields: list[str] = []
    for item in items:
        parts = _fields(item, 1 if isinstance(row, dict) else 0)
        if parts is None:
            return None
        fields += parts
    return fields


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _refuse_line(number: int, why: object) -> NoReturn:
    message = f"POST body could not be decoded as JSON lines: line {number}: {why}"
    raise Failure("bad_json", message) from None
