"""Several models in one folder; the request names one."""

import json
import os
from pathlib import Path

import joblib
import pandas as pd

models = {}


def init():
    folder = Path(os.getenv("AZUREML_MODEL_DIR")) / "models"
    models.update({path.stem: joblib.load(path) for path in folder.iterdir()})


def run(data):
    asked = json.loads(data)
    answers = models[asked["model"]].predict(pd.DataFrame(asked["data"]))
    return pd.DataFrame(answers).to_json()
