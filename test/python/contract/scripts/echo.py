"""String mode: what run() gets."""

import hashlib


def init():
    global ready
    ready = True


def run(raw_data):
    return {
        "type": type(raw_data).__name__,
        "length": len(raw_data),
        "sha1": hashlib.sha1(raw_data.encode()).hexdigest(),
        "start": raw_data[:100],
    }
