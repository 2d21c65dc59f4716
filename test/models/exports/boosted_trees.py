"""Boosted trees: LightGBM and XGBoost by onnxmltools and skl2onnx, CatBoost by itself."""

import warnings

import catboost
import lightgbm
import numpy as np
import onnx
import onnxmltools
import skl2onnx
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes, calculate_linear_regressor_output_shapes
from sklearn import pipeline, preprocessing

import older_converters  # noqa: F401
from exporting import Export
from scikit_learn import HOLES, NAMES, NUMBER, THREE, TWO, X

warnings.filterwarnings('ignore')
TYPES = [('input', FloatTensorType([None, 4]))]
LABELS_OF_ONE = 'onnxmltools declares the label as [1]; a run answers one a row'


def row(family, name, library, make, why='', maker=f'onnxmltools {onnxmltools.__version__}'):
    return Export(family, name, f'{maker} ({library.__name__} {library.__version__})', make, True, why)


def light(name, model, y, opset, x=X, zipmap=False, why=''):
    def make():
        fitted = model.fit(x, y)
        return onnxmltools.convert_lightgbm(fitted, initial_types=TYPES, target_opset=opset, zipmap=zipmap)

    return row('lightgbm', f'{name}.opset{opset}', lightgbm, make, why)


def extreme(name, model, y, opset, x=X):
    def make():
        fitted = model.fit(x, y)
        return onnxmltools.convert_xgboost(fitted, initial_types=TYPES, target_opset=opset)

    return row('xgboost', f'{name}.opset{opset}', xgboost, make)


def of_boosters():
    """Boosters of the native interface, without the classes of scikit-learn."""

    def make_light():
        data = lightgbm.Dataset(X, NUMBER)
        return onnxmltools.convert_lightgbm(lightgbm.train({'verbose': -1, 'num_leaves': 4}, data, 4), initial_types=TYPES, target_opset=13)

    def make_extreme(objective, y, groups=None, **more):
        data = xgboost.DMatrix(X, y)
        if groups:
            data.set_group(groups)
        booster = xgboost.train({'max_depth': 2, 'objective': objective, **more}, data, 4)
        return onnxmltools.convert_xgboost(booster, initial_types=TYPES, target_opset=15)

    yield row('lightgbm', 'booster.opset13', lightgbm, make_light)
    yield row('xgboost', 'booster-regression.opset15', xgboost, lambda: make_extreme('reg:squarederror', NUMBER))
    yield row('xgboost', 'booster-ranker.opset15', xgboost, lambda: make_extreme('rank:pairwise', TWO, [30, 30, 30]))
    yield row('xgboost', 'booster-logistic.opset15', xgboost, lambda: make_extreme('binary:logistic', TWO))
    yield row('xgboost', 'booster-softprob.opset15', xgboost, lambda: make_extreme('multi:softprob', THREE, num_class=3))


def pipelines():
    """Boosted trees as the last step of scikit-learn's pipeline."""
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost

    options = {'nocl': [True, False], 'zipmap': [True, False, 'columns']}
    skl2onnx.update_registered_converter(lightgbm.LGBMClassifier, 'LgbmC', calculate_linear_classifier_output_shapes, convert_lightgbm, options=options)
    skl2onnx.update_registered_converter(xgboost.XGBClassifier, 'XgbC', calculate_linear_classifier_output_shapes, convert_xgboost, options=options)
    skl2onnx.update_registered_converter(xgboost.XGBRegressor, 'XgbR', calculate_linear_regressor_output_shapes, convert_xgboost)

    def make(last, y, classifier=True):
        fitted = pipeline.make_pipeline(preprocessing.StandardScaler(), last).fit(X, y)
        chosen = {id(last): {'zipmap': False}} if classifier else {}
        return skl2onnx.to_onnx(fitted, X[:1].astype(np.float32), options=chosen, target_opset={'': 15, 'ai.onnx.ml': 3})

    maker = f'skl2onnx {skl2onnx.__version__}'
    yield row('lightgbm', 'pipeline.opset15', lightgbm, lambda: make(lightgbm.LGBMClassifier(n_estimators=3, num_leaves=4, verbose=-1), THREE), maker=maker)
    yield row('xgboost', 'pipeline.opset15', xgboost, lambda: make(xgboost.XGBClassifier(n_estimators=3, max_depth=2), THREE), maker=maker)
    yield row('xgboost', 'pipeline-regressor.opset15', xgboost, lambda: make(xgboost.XGBRegressor(n_estimators=3, max_depth=2), NUMBER, False), maker=maker)


def cat(name, model, y, x=X):
    def make():
        fitted = model.fit(x, y)
        file = f'/tmp/catboost-{name}.onnx'
        fitted.save_model(file, format='onnx')
        return onnx.load(file)

    return row('catboost', name, catboost, make, maker='save_model')


def exports():
    few = {'n_estimators': 4, 'num_leaves': 4, 'verbose': -1}
    yield light('classifier', lightgbm.LGBMClassifier(**few), TWO, 9, why=LABELS_OF_ONE)
    yield light('classifier-zipmap', lightgbm.LGBMClassifier(**few), TWO, 12, zipmap=True)
    yield light('multiclass', lightgbm.LGBMClassifier(**few), THREE, 14)
    yield light('multiclass-names-zipmap', lightgbm.LGBMClassifier(**few), NAMES, 15, zipmap=True)
    yield light('regressor', lightgbm.LGBMRegressor(**few), NUMBER, 11)
    yield light('regressor-poisson', lightgbm.LGBMRegressor(objective='poisson', **few), np.abs(NUMBER), 13)
    yield light('regressor-holes', lightgbm.LGBMRegressor(**few), NUMBER, 15, x=HOLES)
    yield light('forest', lightgbm.LGBMClassifier(boosting_type='rf', bagging_freq=1, bagging_fraction=0.5, **few), TWO, 13)
    small = {'n_estimators': 4, 'max_depth': 2}
    yield extreme('classifier', xgboost.XGBClassifier(**small), TWO, 12)
    yield extreme('multiclass', xgboost.XGBClassifier(**small), THREE, 13)
    yield extreme('multiclass-softmax', xgboost.XGBClassifier(objective='multi:softmax', **small), THREE, 15)
    yield extreme('regressor', xgboost.XGBRegressor(**small), NUMBER, 11)
    yield extreme('regressor-holes', xgboost.XGBRegressor(**small), NUMBER, 15, x=HOLES)
    yield extreme('regressor-poisson', xgboost.XGBRegressor(objective='count:poisson', **small), np.abs(NUMBER), 14)
    yield extreme('forest', xgboost.XGBRFClassifier(**small), TWO, 13)
    quiet = {'iterations': 4, 'depth': 2, 'verbose': False, 'allow_writing_files': False, 'random_seed': 1}
    yield cat('classifier', catboost.CatBoostClassifier(**quiet), TWO)
    yield cat('multiclass', catboost.CatBoostClassifier(**quiet), THREE)
    yield cat('names', catboost.CatBoostClassifier(**quiet), NAMES)
    yield cat('regressor', catboost.CatBoostRegressor(**quiet), NUMBER)
    yield from of_boosters()
    yield from pipelines()
