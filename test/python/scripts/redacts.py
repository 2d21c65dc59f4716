"""Redacts as test/scripts/redacts.ts does."""

import json
import os


def init():
    pass


def run(raw_data):
    data = json.loads(raw_data)
    if data.get("die"):
        os._exit(7)
    return {"hello": data.get("name"), "secret": "of the answer"}


def redact(body, info):
    if not isinstance(body, dict):
        raise TypeError(f"expected an object, got {body}")
    if body.get("exit"):
        os._exit(9)
    if body.get("hang"):
        return forever()
    if body.get("broken"):
        raise ValueError(f"cannot redact {body.get('secret')}")
    while body.get("loop"):
        pass
    if body.get("name") == "nobody":
        return None
    return {**body, "secret": info.collection}


async def forever():
    import asyncio

    await asyncio.Event().wait()
