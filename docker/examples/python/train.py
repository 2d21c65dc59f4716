"""Writes model.pkl. Run it again when requirements.txt changes: pickles fit one version."""

import joblib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

data, progression = load_diabetes(return_X_y=True)
joblib.dump(Ridge(alpha=0.5).fit(data, progression), "model.pkl")
