"""Needs a package that nobody has."""

import package_of_nobody


def init():
    """Loads nothing."""


def run(raw_data):
    """Is never called."""
    return package_of_nobody.run(raw_data)
