"""Counts the requests that it has begun, in a file."""

import os
import time


def init():
    pass


def run(raw_data):
    with open(os.environ["BEGUN_FILE"], "a") as file:
        file.write(raw_data.strip('"') + "\n")
    while not os.path.exists(os.environ["RELEASE_FILE"]):
        time.sleep(0.005)
    return raw_data
