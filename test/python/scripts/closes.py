"""Says when it ends."""

import atexit
import os
import signal
import subprocess

children = []


def init():
    atexit.register(print, "exit handler")
    children.append(subprocess.Popen(["sleep", "1000"]))


def run(raw_data):
    if raw_data == '"signal"':
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(os.getpid(), each)
    return [os.getpid(), children[0].pid]


def close():
    print("closing")
