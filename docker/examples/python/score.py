"""Answers {"data": [[...10 numbers]]} with one number a row."""

import json
import os
from pathlib import Path

import joblib


def init():
    """Loads the model once, before the first request."""
    global model
    model = joblib.load(Path(os.getenv("AZUREML_MODEL_DIR", "."), "model.pkl"))


def run(raw_data):
    """Gets the body as text. A list or dict is answered as JSON."""
    rows = json.loads(raw_data)["data"]
    print(f"scoring {len(rows)} rows")
    return model.predict(rows).round(1).tolist()
