"""Lets converters that are older than the package onnx write their attributes."""

import numpy
import onnx.helper

_make_attribute = onnx.helper.make_attribute


def make_attribute(key, value, *others, **options):
    """Numbers of NumPy and booleans as plain numbers, as earlier versions took them."""
    if isinstance(value, numpy.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        value = [entry.item() if isinstance(entry, numpy.generic) else entry for entry in value]
        value = [int(entry) if isinstance(entry, bool) else entry for entry in value]
    return _make_attribute(key, value, *others, **options)


onnx.helper.make_attribute = make_attribute
