"""Which files the names of Azure's packages come from: MODULE, or MODULE:CLASS."""

import importlib
import sys


def init():
    pass


def run(name):
    try:
        module, _, inner = name.partition(":")
        found = importlib.import_module(module)
        if inner:
            found = sys.modules[getattr(found, inner).__module__]
        return found.__file__ or "a namespace"
    except ImportError as failed:
        return str(failed)
