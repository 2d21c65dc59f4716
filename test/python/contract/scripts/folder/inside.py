"""A script in a folder below AML_APP_ROOT: what it can import."""

import importlib


def init():
    pass


def run(name):
    try:
        return importlib.import_module(name).VALUE
    except ImportError as failed:
        return type(failed).__name__
