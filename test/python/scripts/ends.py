"""Ends its process in the way that the request names."""

import ctypes
import os
import subprocess
import sys
import time

import helper_that_recurses


def init():
    pass


def run(raw_data):
    how = raw_data.strip('"')
    ways = {
        "exit": lambda: sys.exit(5),
        "exit with a text": lambda: sys.exit("it says why"),
        "interrupt": interrupt,
        "_exit": lambda: os._exit(7),
        "abort": os.abort,
        "segfault": lambda: ctypes.string_at(0),
        "kill": lambda: os.kill(os.getpid(), 9),
        "hang": lambda: time.sleep(1000),
        "spin": spin,
        "hold the lock": lambda: ctypes.PyDLL(None).sleep(1000),
        "recurse": lambda: helper_that_recurses.down(0),
        "memory": lambda: bytearray(1 << 60),
        "pid": os.getpid,
        "child": lambda: subprocess.Popen(["sleep", "1000"]).pid,
    }
    return ways.get(how, lambda: "fine")()


def interrupt():
    raise KeyboardInterrupt


def spin():
    while True:
        pass
