"""Which correlation ids are collected: the same ones as server/request/sampling.ts."""

from __future__ import annotations

_MASK = 0xFFFFFFFF


def is_sampled(ident: str, rate: float) -> bool:
    """Whether records of this id are kept; the same for every collection, worker and replica.

    `rate`: share of the ids that are kept, 0 to 1.
    """
    if rate >= 1:
        return True
    if rate <= 0:
        return False
    return _hash(ident) / 2**32 < rate


def _hash(text: str) -> int:
    """FNV-1a over the UTF-16 units, with the final step of MurmurHash3."""
    value = 0x811C9DC5
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    for unit in units:
        value = (value ^ unit) * 0x01000193 & _MASK
    value = (value ^ value >> 16) * 0x85EBCA6B & _MASK
    value = (value ^ value >> 13) * 0xC2B2AE35 & _MASK
    return value ^ value >> 16
