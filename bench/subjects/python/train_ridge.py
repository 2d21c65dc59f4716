"""Trains a ridge regression of scikit-learn on the answers of an ONNX model, and keeps it as the
documents of Azure ML do: train_ridge.py MODEL.onnx FILE"""

import os
import sys

import joblib
import numpy
import onnxruntime
from sklearn.linear_model import Ridge

source, target = sys.argv[1:]
session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
port = session.get_inputs()[0]
rows = numpy.random.default_rng(0).random((1000, port.shape[1]), dtype=numpy.float32)
answers = session.run(None, {port.name: rows})[0].ravel()
os.makedirs(os.path.dirname(target), exist_ok=True)
joblib.dump(Ridge(alpha=1e-6).fit(rows, answers), target)
