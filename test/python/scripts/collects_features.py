"""Collects as test/scripts/collects-features.ts does."""

import json

from azureml.ai.monitoring import Collector
from azureml.ai.monitoring.context import BasicCorrelationContext

inputs = Collector(name="model_inputs", types={"weight": "float"})
outputs = Collector(name="model_outputs", feature_names=["petal.length", "petal.width"])


def init():
    pass


def run(raw_data):
    data = json.loads(raw_data)
    at, weight, height = data["at"], data["weight"], data["height"]
    person = {"id": 7, "address": {"city": "x", "floor": 1.5}}
    other = {"id": 8, "address": {"city": "y", "floor": 2.5}}
    context = inputs.collect(
        [
            {
                "age": 41,
                "weight": weight,
                "height": height,
                "smoker": True,
                "name": 'é "a"',
                "person": person,
                "bmi": None,
            },
            {
                "age": 42,
                "weight": None,
                "height": 1.5,
                "smoker": False,
                "name": None,
                "person": other,
                "bmi": 22.5,
            },
        ],
        BasicCorrelationContext(id=f"at-{at}", timestamp=at),
    )
    outputs.collect([[1.0, 2.0], [float("nan"), 4.0]], context)
    return {}
