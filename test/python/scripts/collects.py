"""Collects as test/scripts/collects.ts does."""

import json
import os
import signal

from azureml.ai.monitoring import Collector
from azureml.ai.monitoring.context import BasicCorrelationContext
from azureml.monitoring import ModelDataCollector

inputs = Collector(name="model_inputs", on_error=lambda error: print("on_error:", error))
outputs = Collector(name="model_outputs")
legacy_inputs = ModelDataCollector("diabetes", designation="inputs", feature_names=["age", "bmi"])
legacy_predictions = ModelDataCollector(
    "diabetes", designation="predictions", feature_names=["y"]
)


def init():
    inputs.collect([{"of": "init"}])


def run(raw_data):
    data = json.loads(raw_data)
    if data.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    for n in range(data.get("many", 0)):
        outputs.collect([{"n": n}], BasicCorrelationContext(id=f"many-{n}"))
    if data.get("wrong"):
        inputs.collect({"a": [1, 2], "b": [1]})
    if data.get("legacy"):
        correlations = legacy_inputs.collect(data["legacy"])
        legacy_predictions.collect(legacy_predictions.add_correlations([0.5], correlations))
    if data:
        return {}
    inputs.collect({"y": [1, 2], "w": [3, 4]})
    context = outputs.collect({"score_0": [0.5, float("nan")], "score_1": [1.0, 2.0]})
    return {"id": context.get_id()}


def close():
    Collector(name="totals").collect([{"closed": True}])
