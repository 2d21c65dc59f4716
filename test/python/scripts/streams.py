"""Streams in every way."""

import json
import os
import time


def init():
    pass


def run(raw_data):
    return ways[json.loads(raw_data)]()


def items():
    yield "a"
    yield ""
    yield b"b"
    yield {"c": 1}


def large():
    try:
        for _ in range(1000):
            yield b"x" * 65536
    finally:
        note("closed")


def endless():
    try:
        while True:
            yield "tick"
            time.sleep(0.01)
    finally:
        note("closed")


def fails_first():
    raise ValueError("before the first chunk")
    yield "never"


def fails_later():
    yield "a" * 10
    wait()
    raise ValueError("after the first chunk")


async def of_coroutine():
    import asyncio

    for number in range(3):
        await asyncio.sleep(0)
        yield str(number)


def note(text):
    with open(os.path.join(os.environ["NOTES"], text), "w"):
        pass


def wait():
    while not os.path.exists(os.path.join(os.environ["NOTES"], "go on")):
        time.sleep(0.005)


ways = {
    "text": items,
    "bytes": lambda: iter([b"b", "a"]),
    "lines": lambda: iter([{"a": 1}, [2], "text\n"]),
    "nothing": lambda: iter([]),
    "nested": lambda: iter([iter([1])]),
    "large": large,
    "endless": endless,
    "fails first": fails_first,
    "fails later": fails_later,
    "coroutine": of_coroutine,
    "too large": lambda: iter([b"x" * 2000]),
    "pid": os.getpid,
}
