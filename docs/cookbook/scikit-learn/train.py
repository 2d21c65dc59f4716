"""Trains a ridge regression on the diabetes data of scikit-learn, and writes model/model.pkl."""

import os

import joblib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model")

rows, progression = load_diabetes(return_X_y=True)
model = Ridge(alpha=0.5).fit(rows, progression)
os.makedirs(FOLDER, exist_ok=True)
joblib.dump(model, os.path.join(FOLDER, "model.pkl"))
