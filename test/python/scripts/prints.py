"""Writes lines in every way."""

import json
import logging
import os
import sys
import threading
import warnings

log = logging.getLogger("my.logger")


def init():
    print("printed in init")
    logging.info("logged in init")


def run(raw_data):
    how = json.loads(raw_data)
    if isinstance(how, int):
        for number in range(how):
            print("line", number)
        open(os.environ.get("PRINTED_FILE", os.devnull), "w").close()
        return how
    ways[how]()
    return how


def say():
    print("one")
    print("two\nthree")
    print("a", end="")
    print("b", end="", flush=True)
    print("c")
    sys.stdout.write("no end")


def records():
    log.debug("a debug line")
    log.info("an %s line", "info")
    log.warning("a warning")
    try:
        raise ValueError("the cause")
    except ValueError:
        log.exception("an exception")


def in_thread():
    def fail():
        raise RuntimeError("of a thread")

    thread = threading.Thread(target=fail, name="mine")
    thread.start()
    thread.join()


def in_bytes():
    sys.stdout.buffer.write("bytes é\n".encode())
    sys.stdout.buffer.flush()


def in_c():
    import ctypes

    libc = ctypes.CDLL(None)
    libc.printf(b"of printf\n")
    libc.fflush(None)


ways = {
    "say": say,
    "records": records,
    "stderr": lambda: print("to stderr", file=sys.stderr),
    "warning": lambda: warnings.warn("careful", stacklevel=1),
    "thread": in_thread,
    "bytes": in_bytes,
    "c": in_c,
    "stdin": lambda: print("read", repr(sys.stdin.read())),
    "long": lambda: print("x" * 100_000),
}
