"""Files of numpy (`numpy.save`), versions 1 to 3, without numpy: a script may have none.

numpy documents the format in `numpy.lib.format`.
"""

from __future__ import annotations

import ast
import math
import re
import struct
from collections.abc import Sequence
from typing import Any, NoReturn

from .failures import Failure

_MAGIC = b"\x93NUMPY"
# As numpy itself refuses longer headers.
_LONGEST_HEADER = 10_000
_MOST_DIMS = 64
# Most rows of an array without elements: its sizes cost the sender nothing.
_MOST_EMPTY = 2**16
_ALIGNMENT = 64
# Bytes of a character, in arrays of texts.
_WIDE = 4
_LEAST_INT, _MOST_INT = -(2**63), 2**63 - 1
# Letters of struct by numpy's kind and width.
_CODES = {
    "b1": "?",
    "u1": "B",
    "u2": "H",
    "u4": "I",
    "u8": "Q",
    "i1": "b",
    "i2": "h",
    "i4": "i",
    "i8": "q",
    "f2": "e",
    "f4": "f",
    "f8": "d",
}
# Texts of no characters would have any number of elements in no bytes.
_WIDTH = re.compile(r"U([1-9][0-9]{0,8})")
_SPECIALS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def read_npy(body: bytes) -> Any:
    """Nested lists of an array, or the value of a scalar. Raises Failure: invalid_input."""
    descr, fortran, shape, content = _split(body)
    size = math.prod(shape)
    if descr[:1] == ">":
        _refuse("little-endian elements: array.astype(array.dtype.newbyteorder('<'))", descr[:60])
    code = descr.lstrip("<|=")
    values: Sequence[Any]
    texts = _WIDTH.fullmatch(code)
    if texts:
        values = _texts(content, size, int(texts[1]))
    elif code in _CODES:
        form = struct.Struct(f"<{size}{_CODES[code]}")
        if len(content) != form.size:
            _refuse(f"{form.size} bytes for the shape {shape} of its type", str(len(content)))
        values = form.unpack(content)
    else:
        _refuse(f"a type of {', '.join(_CODES)} or texts (U1 or longer)", f"the type {descr[:60]}")
    strides = [
        math.prod(shape[:axis] if fortran else shape[axis + 1 :]) for axis in range(len(shape))
    ]
    return _nested(values, shape, strides, 0)


def write_npy(value: Any, most_bytes: int) -> bytes | None:
    """A file of nested lists; None: they are no array of one type, or it is too large.

    `most_bytes`: one long text makes all texts as long.
    """
    shape: list[int] = []
    level = value
    while isinstance(level, list) and len(shape) < _MOST_DIMS:
        shape.append(len(level))
        level = level[0] if level else None
    flat: list[Any] = []
    if not shape or not _flatten(value, shape, flat):
        return None
    packed = _packed(flat, most_bytes)
    if packed is None:
        return None
    descr, content = packed
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    length = -(-(len(head) + 11) // _ALIGNMENT) * _ALIGNMENT - 10
    header = head.ljust(length - 1).encode("ascii") + b"\n"
    return _MAGIC + struct.pack("<BBH", 1, 0, length) + header + content


def _split(body: bytes) -> tuple[str, bool, tuple[int, ...], bytes]:
    """The type, the order of Fortran, the shape and the elements of a file."""
    if not body.startswith(_MAGIC) or len(body) < 12:
        _refuse("the bytes that numpy.save writes", f"{len(body)} other bytes")
    version = body[6]
    if version not in (1, 2, 3):
        _refuse("version 1, 2 or 3 of the format", str(version))
    begin = 10 if version == 1 else 12
    length = int.from_bytes(body[8:begin], "little")
    if length > _LONGEST_HEADER or len(body) < begin + length:
        _refuse(f"a header of at most {_LONGEST_HEADER} bytes, whole", f"one of {length}")
    try:
        header = ast.literal_eval(body[begin : begin + length].decode().strip())
        descr, fortran, shape = header["descr"], header["fortran_order"], header["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        _refuse("a header of 'descr', 'fortran_order' and 'shape'", "another one")
    if not isinstance(descr, str) or not isinstance(fortran, bool) or not _is_shape(shape):
        _refuse("a header of a plain array", body[begin : begin + length].decode()[:100].strip())
    return descr, fortran, shape, body[begin + length :]


def _is_shape(shape: Any) -> bool:
    if not isinstance(shape, tuple) or len(shape) > _MOST_DIMS:
        return False
    if any(type(size) is not int or size < 0 for size in shape):
        return False
    most = _MOST_EMPTY if 0 in shape else 2**53
    return bool(math.prod(size for size in shape if size) <= most)


def _texts(content: bytes, size: int, width: int) -> list[str]:
    step = width * _WIDE
    if len(content) != size * step:
        _refuse(f"{size * step} bytes of texts", str(len(content)))
    try:
        return [
            content[at * step : (at + 1) * step].decode("utf-32-le").rstrip("\0")
            for at in range(size)
        ]
    except UnicodeDecodeError:
        _refuse("characters of Unicode", "others")


def _nested(
    values: Sequence[Any], shape: Sequence[int], strides: Sequence[int], offset: int
) -> Any:
    axis = len(shape) - len(strides)
    if not strides:
        return values[offset]
    return [
        _nested(values, shape, strides[1:], offset + at * strides[0]) for at in range(shape[axis])
    ]


def _flatten(level: Any, shape: list[int], flat: list[Any]) -> bool:
    """Collects the elements; False: the lists differ in their sizes."""
    if not shape:
        flat.append(level)
        return not isinstance(level, (list, dict))
    if not isinstance(level, list) or len(level) != shape[0]:
        return False
    return all(_flatten(item, shape[1:], flat) for item in level)


def _packed(flat: list[Any], most_bytes: int) -> tuple[str, bytes] | None:
    """Type and elements; None: they have no common type, or are too large."""
    kinds = set(map(type, flat))
    if kinds == {bool}:
        return "|b1", bytes(flat)
    if kinds == {str}:
        width = max(1, *(len(text) for text in flat), 1)
        if len(flat) * width * _WIDE > most_bytes:
            return None
        wide = b"".join(text.ljust(width, "\0").encode("utf-32-le", "replace") for text in flat)
        return f"<U{width}", wide
    if kinds == {int} and all(_LEAST_INT <= each <= _MOST_INT for each in flat):
        return "<i8", struct.pack(f"<{len(flat)}q", *flat)
    numbers = [_SPECIALS.get(each) if isinstance(each, str) else each for each in flat]
    if any(type(each) not in (int, float) for each in numbers):
        return None
    try:
        return "<f8", struct.pack(f"<{len(flat)}d", *numbers)
    except (OverflowError, struct.error):
        return None


def _refuse(expected: str, got: str) -> NoReturn:
    raise Failure("invalid_input", f"the npy file: expected {expected}, got {got}") from None
