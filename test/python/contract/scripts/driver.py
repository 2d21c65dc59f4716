"""A driver module, as SDKs write them: init() is its own, run() is the one of the script behind it."""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import driven as driver_module


def init():
    driver_module.init()
    driver_module.by = "the driver"


def run(raw_data, **kwargs):
    raise AssertionError("run() of the driver is not called")
