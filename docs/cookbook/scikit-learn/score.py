"""A score.py of Azure ML, as it is: it loads a pickle, and gets and gives JSON.

python3 -m venv docs/cookbook/scikit-learn/.venv
docs/cookbook/scikit-learn/.venv/bin/pip install -r docs/cookbook/scikit-learn/requirements.txt
docs/cookbook/scikit-learn/.venv/bin/python docs/cookbook/scikit-learn/train.py
npm start -- --entry-script docs/cookbook/scikit-learn/score.py \
  --model-dir docs/cookbook/scikit-learn/model
sh docs/cookbook/scikit-learn/try.sh
"""

import json
import logging
import os

import joblib
import numpy


def init():
    global model
    model_path = os.path.join(os.getenv("AZUREML_MODEL_DIR"), "model.pkl")
    model = joblib.load(model_path)
    logging.info("the model is loaded")


def run(raw_data):
    data = numpy.array(json.loads(raw_data)["data"])
    logging.info("scoring %d rows", len(data))
    return model.predict(data).tolist()
