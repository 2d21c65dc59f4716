"""Writes the models that the scripts of documents load: python make_models.py FOLDER.

Prints what they predict for the requests of the tests, as JSON.
"""

import json
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

ROWS = np.array([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]])
FLOWERS = np.array([[7.2, 3.2, 6.0, 1.8], [5.1, 3.5, 1.4, 0.2]])


def save(model, *names):
    path = Path(sys.argv[1]).joinpath(*names)
    path.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, path)


def main():
    numbers = np.random.default_rng(1)
    rows = numbers.normal(size=(200, 10))
    ridge = Ridge().fit(rows, rows @ np.arange(10) + 3)
    save(ridge, "regression", "model", "sklearn_regression_model.pkl")
    save(ridge, "regression", "sklearn_regression_model.pkl")
    flowers = load_iris()
    iris = LogisticRegression(max_iter=1000).fit(flowers.data, flowers.target)
    save(iris, "iris", "models", "iris.pkl")
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 1.0]})
    for factor, name in ((1, "one"), (2, "two")):
        save(LinearRegression().fit(frame, factor * frame["a"]), "several", "models", f"{name}.pkl")
        save(ridge, "versions", name, str(factor), "model.pkl")
    print(json.dumps({"regression": ridge.predict(ROWS).tolist(), "iris": iris.predict(FLOWERS).tolist()}))


main()
