"""scikit-learn from AZUREML_MODEL_DIR, JSON by hand."""

import json
import logging
import os

import joblib
import numpy


def init():
    global model
    path = os.path.join(os.getenv("AZUREML_MODEL_DIR"), "model/sklearn_regression_model.pkl")
    model = joblib.load(path)
    logging.info("the model is loaded")


def run(raw_data):
    logging.info("a request has come")
    rows = numpy.array(json.loads(raw_data)["data"])
    return model.predict(rows).tolist()
