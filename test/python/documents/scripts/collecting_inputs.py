"""Collects inputs, and fails after that."""

import json

import pandas as pd
from azureml.ai.monitoring import Collector


def init():
    global inputs
    inputs = Collector(name="model_inputs")


def run(data):
    given = pd.DataFrame(json.loads(data)["data"])
    context = inputs.collect(given)
    assert context is not None
    return given.join(given).to_dict()
