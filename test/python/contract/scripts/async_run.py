"""An async run()."""

import asyncio


def init():
    pass


async def run(data):
    await asyncio.sleep(0)
    return data
