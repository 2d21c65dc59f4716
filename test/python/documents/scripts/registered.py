"""A registered model by its name, as scripts of SDK v1 find it; errors as values."""

import json

import joblib
import numpy as np
from azureml.core.model import Model


def init():
    global model
    model = joblib.load(Model.get_model_path(model_name="two"))


def run(raw_data):
    try:
        rows = np.array(json.loads(raw_data)["data"])
        return {"result": model.predict(rows).tolist()}
    except Exception as failed:
        return {"error": str(failed)}
