"""What run() may raise: the body names it."""

import sys


class Custom(Exception):
    status_code = 418


class NoText(Exception):
    def __str__(self):
        raise ValueError("no text")


class Base(BaseException):
    pass


def chained():
    try:
        raise KeyError("inner")
    except KeyError as inner:
        raise RuntimeError("outer") from inner


def recursion():
    return recursion()


def raised(kind, *args):
    raise kind(*args)


RAISES = {
    "ValueError": lambda: raised(ValueError, "secret"),
    "KeyError": lambda: {}["secret"],
    "an exception without a text": lambda: raised(Exception),
    "an exception whose text raises": lambda: raised(NoText),
    "an exception with a status": lambda: raised(Custom, "teapot"),
    "an exception with a cause": chained,
    "a group": lambda: raised(ExceptionGroup, "group", [ValueError(1)]),
    "RecursionError": recursion,
    "MemoryError": lambda: raised(MemoryError),
    "StopIteration": lambda: raised(StopIteration),
    "AssertionError": lambda: raised(AssertionError, "no"),
    "UnicodeDecodeError": lambda: b"\xff".decode(),
    "SyntaxError": lambda: compile("(", "x", "exec"),
    "ImportError": lambda: __import__("no_such_module"),
    "TimeoutError": lambda: raised(TimeoutError),
    "OSError": lambda: open("/no/such/file"),
    "ConnectionError": lambda: raised(ConnectionResetError, "peer"),
    "GeneratorExit": lambda: raised(GeneratorExit),
    "a base exception": lambda: raised(Base, "base"),
    "SystemExit": lambda: sys.exit(1),
    "KeyboardInterrupt": lambda: raised(KeyboardInterrupt),
}


def init():
    pass


def run(what):
    return RAISES[what]() if what in RAISES else what
