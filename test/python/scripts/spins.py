"""Holds its thread and the GIL for as many milliseconds as the body says."""

import time


def init():
    pass


def run(raw_data):
    ends = time.perf_counter() + float(raw_data) / 1000
    while time.perf_counter() < ends:
        pass
    return {}
