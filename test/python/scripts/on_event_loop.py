"""Runs on an event loop."""

import asyncio
import json
import os
import sys
import threading

loop_of_init = None


async def init():
    global loop_of_init
    loop_of_init = asyncio.get_running_loop()


async def run(raw_data):
    how = json.loads(raw_data)
    if isinstance(how, dict):
        return await meet(how["meet"])
    if how == "loop":
        same = asyncio.get_running_loop() is loop_of_init
        return [same, threading.current_thread() is threading.main_thread()]
    if how == "log":
        print("before")
        await asyncio.sleep(0.01)
        await asyncio.create_task(say("in a task"))
        await asyncio.to_thread(print, "in a thread")
    if how == "sleep":
        try:
            await asyncio.sleep(1000)
        finally:
            note("cancelled")
    if how == "exit":
        sys.exit(4)
    if how == "forget":
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        del task
    if how == "stream":
        return stream()
    if how == "endless":
        return endless()
    return os.getpid()


waiting = {}


async def meet(count):
    """Returns once so many requests are here."""
    event = waiting.setdefault("event", asyncio.Event())
    waiting["here"] = waiting.get("here", 0) + 1
    if waiting["here"] == count:
        event.set()
    await event.wait()
    return count


async def say(text):
    print(text)


async def fail():
    raise RuntimeError("nobody awaits it")


async def stream():
    for number in range(3):
        await asyncio.sleep(0)
        yield {"n": number}


async def endless():
    try:
        while True:
            yield "tick"
            await asyncio.sleep(0.01)
    finally:
        note("closed")


def note(text):
    with open(os.path.join(os.environ["NOTES"], text), "w"):
        pass


async def close():
    await asyncio.sleep(0)
    print("closed on", asyncio.get_running_loop() is loop_of_init)
