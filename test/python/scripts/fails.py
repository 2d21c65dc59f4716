"""Raises in run()."""

import json


def init():
    pass


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("cannot be shown")


def run(raw_data):
    how = json.loads(raw_data)
    if how == "odd":
        raise Odd
    if how == "long":
        raise ValueError("x" * 10_000_000)
    if how == "base":
        raise GeneratorExit
    try:
        raise KeyError("first")
    except KeyError as error:
        raise ValueError("secret text") from error
