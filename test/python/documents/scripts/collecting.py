"""Collects inputs and outputs, with one correlation."""

import json

import pandas as pd
from azureml.ai.monitoring import Collector


def init():
    global inputs, outputs, both
    inputs = Collector(name="model_inputs")
    outputs = Collector(name="model_outputs")
    both = Collector(name="model_inputs_outputs")


def run(data):
    given = pd.DataFrame(json.loads(data)["data"])
    context = inputs.collect(given)
    found = pd.DataFrame({"sum": given.sum(axis=1)})
    outputs.collect(found, context)
    both.collect(given.join(found), context)
    return found.to_dict()
