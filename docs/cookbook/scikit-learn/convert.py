"""Writes model/model.onnx from model/model.pkl: the same model, which the server runs without Python."""

import os

import joblib
import numpy
from skl2onnx import to_onnx

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model")

model = joblib.load(os.path.join(FOLDER, "model.pkl"))
# The type of this row becomes the type of the input: float64, as score.py has it.
row = numpy.zeros((1, model.n_features_in_), dtype=numpy.float64)
with open(os.path.join(FOLDER, "model.onnx"), "wb") as file:
    file.write(to_onnx(model, row).SerializeToString())
