"""Redacts on the event loop of an async run()."""

import asyncio


def init():
    pass


async def run(raw_data):
    await asyncio.sleep(0)
    return {"length": len(raw_data)}


async def redact(body, info):
    await asyncio.sleep(0)
    if body.get("hang"):
        await asyncio.Event().wait()
    while body.get("loop"):
        pass
    return {"name": body.get("name"), "secret": info.collection, "of": info.id}
