"""Fails to start in the way that the environment names."""

import os
import sys

HOW = os.environ["HOW"]
if HOW == "import":
    import a_module_that_is_not_there
if HOW == "raise at import":
    raise ValueError("at import")


def init():
    if HOW == "init":
        raise ValueError("in init")
    if HOW == "exit":
        sys.exit(9)


def run(raw_data):
    return 1
