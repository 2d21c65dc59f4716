"""Trains a ridge regression on the diabetes data of scikit-learn, and writes model/model.pkl."""

from pathlib import Path

import joblib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

rows, progression = load_diabetes(return_X_y=True)
model = Ridge(alpha=0.5).fit(rows, progression)
folder = Path(__file__).parent / "model"
folder.mkdir(exist_ok=True)
joblib.dump(model, folder / "model.pkl")
