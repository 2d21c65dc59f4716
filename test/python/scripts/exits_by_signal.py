"""Exits at SIGTERM, and has a thread that does not end."""

import os
import signal
import sys
import threading


def init():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(6))
    threading.Thread(target=threading.Event().wait).start()


def run(raw_data):
    return os.getpid()
