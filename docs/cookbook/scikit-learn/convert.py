"""Writes model/model.onnx from model/model.pkl: the same model, which needs no Python."""

from pathlib import Path

import joblib
import numpy
from skl2onnx import to_onnx

folder = Path(__file__).parent / "model"
model = joblib.load(folder / "model.pkl")
# The type of this row becomes the type of the input: float64, as score.py has it.
row = numpy.zeros((1, model.n_features_in_), dtype=numpy.float64)
(folder / "model.onnx").write_bytes(to_onnx(model, row).SerializeToString())
