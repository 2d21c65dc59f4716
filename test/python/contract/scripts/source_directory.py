"""Imports from AZUREML_SOURCE_DIRECTORY and from AML_APP_ROOT."""

import beside
import sourced


def init():
    pass


def run(data):
    return [beside.VALUE, sourced.VALUE]
