"""Tells where its code runs, and uses what only a main thread may."""

import asyncio
import json
import os
import signal
import threading
import time

init_thread = None


def init():
    global init_thread
    init_thread = threading.current_thread()


def run(raw_data):
    how = json.loads(raw_data)
    if how == "alarm":
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        signal.pause()
    if how == "awaitable":
        return awaited()
    if how == "sleeps":
        return sleeps()
    if how == "asyncio.run":
        return asyncio.run(awaited())
    if isinstance(how, dict):
        return meet(how["meet"])
    here = threading.current_thread()
    return [here is init_thread, here is threading.main_thread(), os.getpid()]


async def awaited():
    await asyncio.sleep(0)
    return "awaited"


async def sleeps():
    try:
        await asyncio.sleep(1000)
    finally:
        with open(os.path.join(os.environ["NOTES"], "cancelled"), "w"):
            pass


lock = threading.Lock()
here_now = []


def meet(count):
    """Returns once so many requests are here."""
    with lock:
        here_now.append(threading.current_thread().name)
    while len(here_now) < count:
        time.sleep(0.005)
    return len(set(here_now))
