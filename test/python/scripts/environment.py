"""Answers with what the worker sees: sys.prefix, sys.executable, and variables by name."""

import json
import os
import sys


def init():
    pass


def run(raw_data):
    names = json.loads(raw_data)
    return {
        "prefix": sys.prefix,
        "executable": sys.executable,
        "env": {name: os.environ.get(name) for name in names},
    }
