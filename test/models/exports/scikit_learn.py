"""Estimators of scikit-learn, fitted to made-up data, converted by skl2onnx."""

import warnings
import zlib

import numpy as np
import skl2onnx
import sklearn
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn import (
    calibration, cluster, compose, cross_decomposition, decomposition, discriminant_analysis, ensemble, feature_extraction, feature_selection, gaussian_process,
    impute, linear_model, mixture, multioutput, multiclass, naive_bayes, neighbors, neural_network, pipeline, preprocessing, svm, tree,
)  # fmt: skip

import older_converters  # noqa: F401
from exporting import Export

warnings.filterwarnings('ignore')
random = np.random.default_rng(5)
X = random.standard_normal((90, 4)) * np.array([1, 10, 100, 0.1])
TWO, THREE = (X[:, 0] > 0).astype(int), np.digitize(X[:, 1], [-4, 4])
NUMBER = X @ np.array([1, 0.2, 0.01, 5]) + np.sin(X[:, 0])
NAMES = np.array(['setosa', 'versicolor', 'virginica'])[THREE]
TWO_NUMBERS = np.stack([NUMBER, X[:, 0] ** 2], 1)
HOLES = np.where(random.random(X.shape) < 0.1, np.nan, X)
COLOURS = random.choice(['red', 'green', 'blue'], (90, 2)).astype(object)
TEXTS = np.array([' '.join(random.choice(['good', 'bad', 'cat', 'dog', 'very'], 4)) for _ in range(90)])
WORDS = ['good bad', 'cat', '', 'very very good dog', 'x' * 300, 'good cat dog']
OPSETS = ((11, 1), (12, 2), (13, 2), (14, 2), (15, 2), (16, 3), (17, 3), (18, 3), (19, 3), (20, 3), (21, 3))
MAKER = f'skl2onnx {skl2onnx.__version__} (scikit-learn {sklearn.__version__})'


def export(name, model, y=None, x=X, types=None, zipmap=False, least=11, why='', row_wise=True, words=None, options=None, integers=None):
    opsets = [opset for opset in OPSETS if opset[0] >= least]
    opset = opsets[zlib.crc32(name.encode()) % len(opsets)]

    def make():
        fitted = model.fit(x, y) if y is not None else model.fit(x)
        chosen = options or {}
        if hasattr(fitted, 'predict_proba') and sklearn.base.is_classifier(fitted) and not options:
            chosen = {id(fitted): {'zipmap': zipmap}}
        kinds = types or [('X', FloatTensorType([None, x.shape[1]]))]
        return to_onnx(fitted, initial_types=kinds, options=chosen, target_opset={'': opset[0], 'ai.onnx.ml': opset[1]})

    return Export('sklearn', f'{name}.opset{opset[0]}', MAKER, make, row_wise, why, integers or {}, {}, words or {}, name == 'knn-imputer')


def classifiers():
    lr = linear_model.LogisticRegression(max_iter=300)
    forest = lambda: ensemble.RandomForestClassifier(5, max_depth=3, random_state=1)
    yield export('logistic', lr, TWO)
    yield export('logistic-zipmap', linear_model.LogisticRegression(max_iter=300), THREE, zipmap=True)
    yield export('logistic-names-zipmap', linear_model.LogisticRegression(max_iter=300), NAMES, zipmap=True)
    yield export('logistic-columns', linear_model.LogisticRegression(max_iter=300), NAMES, zipmap='columns')
    yield export('ridge-classifier', linear_model.RidgeClassifier(), THREE)
    yield export('sgd', linear_model.SGDClassifier(loss='log_loss', random_state=1), THREE)
    yield export('perceptron', linear_model.Perceptron(random_state=1), TWO)
    yield export('svc', svm.SVC(probability=False), THREE)
    yield export('svc-probability', svm.SVC(probability=True, random_state=1), TWO)
    yield export('linear-svc', svm.LinearSVC(), THREE)
    yield export('nu-svc-poly', svm.NuSVC(kernel='poly', nu=0.3), TWO)
    yield export('knn', neighbors.KNeighborsClassifier(3), THREE)
    yield export('knn-distance', neighbors.KNeighborsClassifier(3, weights='distance'), THREE)
    yield export('radius-neighbours', neighbors.RadiusNeighborsClassifier(radius=1e6), THREE)
    yield export('tree', tree.DecisionTreeClassifier(max_depth=3), THREE)
    yield export('forest', forest(), THREE)
    yield export('forest-zipmap', forest(), NAMES, zipmap=True)
    yield export('forest-double', forest(), THREE, types=[('X', DoubleTensorType([None, 4]))])
    yield export('extra-trees', ensemble.ExtraTreesClassifier(5, max_depth=3, random_state=1), THREE)
    yield export('gradient-boosting', ensemble.GradientBoostingClassifier(n_estimators=5, max_depth=2), THREE)
    yield export('hist-gradient-boosting', ensemble.HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=6), THREE)
    yield export('ada-boost', ensemble.AdaBoostClassifier(n_estimators=4), TWO)
    yield export('bagging', ensemble.BaggingClassifier(tree.DecisionTreeClassifier(max_depth=2), 4, random_state=1), TWO)
    yield export('mlp', neural_network.MLPClassifier((8,), max_iter=50, random_state=1), THREE)
    yield export('gaussian-nb', naive_bayes.GaussianNB(), THREE)
    yield export('bernoulli-nb', naive_bayes.BernoulliNB(), THREE)
    yield export('multinomial-nb', naive_bayes.MultinomialNB(), THREE, x=np.abs(X))
    yield export('lda', discriminant_analysis.LinearDiscriminantAnalysis(), THREE)
    yield export('qda', discriminant_analysis.QuadraticDiscriminantAnalysis(), THREE, row_wise=False, why='labels are [1, rows]: axis 1')
    yield export('one-vs-rest', multiclass.OneVsRestClassifier(linear_model.LogisticRegression(max_iter=300)), THREE)
    yield export('one-vs-one', multiclass.OneVsOneClassifier(linear_model.LogisticRegression(max_iter=300)), THREE)
    yield export('voting-soft', ensemble.VotingClassifier([('a', linear_model.LogisticRegression(max_iter=300)), ('b', forest())], voting='soft', flatten_transform=False), THREE)
    yield export('voting-hard', ensemble.VotingClassifier([('a', linear_model.LogisticRegression(max_iter=300)), ('b', forest())], voting='hard', flatten_transform=False), THREE)
    yield export('stacking', ensemble.StackingClassifier([('a', linear_model.LogisticRegression(max_iter=300)), ('b', forest())], cv=2), THREE)
    yield export('calibrated', calibration.CalibratedClassifierCV(linear_model.LogisticRegression(max_iter=300), cv=2), THREE)
    yield export('calibrated-isotonic', calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=2, method='isotonic'), TWO)
    yield export('multioutput', multioutput.MultiOutputClassifier(tree.DecisionTreeClassifier(max_depth=2)), np.stack([TWO, THREE], 1), row_wise=False, why='the output is a sequence of tensors')
    yield export('forest-multioutput', forest(), np.stack([TWO, THREE], 1), row_wise=False, why='scores are [targets, rows, classes]: axis 1')
    yield export('logistic-raw', (raw := linear_model.LogisticRegression(max_iter=300)), THREE, options={id(raw): {'raw_scores': True, 'zipmap': False}})


def regressors():
    forest = lambda: ensemble.RandomForestRegressor(5, max_depth=3, random_state=1)
    rbf = gaussian_process.kernels.RBF(20.0)
    plain = {
        'linear': linear_model.LinearRegression(), 'ridge': linear_model.Ridge(), 'lasso': linear_model.Lasso(0.1), 'poisson': linear_model.PoissonRegressor(),
        'svr': svm.SVR(), 'linear-svr': svm.LinearSVR(), 'knn-regressor': neighbors.KNeighborsRegressor(3), 'tree-regressor': tree.DecisionTreeRegressor(max_depth=3),
        'forest-regressor': forest(), 'extra-trees-regressor': ensemble.ExtraTreesRegressor(5, max_depth=3),
        'gradient-boosting-regressor': ensemble.GradientBoostingRegressor(n_estimators=5, max_depth=2),
        'hist-gradient-boosting-regressor': ensemble.HistGradientBoostingRegressor(max_iter=5, max_leaf_nodes=6),
        'ada-boost-regressor': ensemble.AdaBoostRegressor(n_estimators=4, random_state=1), 'mlp-regressor': neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=50),
        'gaussian-process-regressor': gaussian_process.GaussianProcessRegressor(rbf, alpha=1.0),
        'voting-regressor': ensemble.VotingRegressor([('a', linear_model.Ridge()), ('b', forest())]),
        'stacking-regressor': ensemble.StackingRegressor([('a', linear_model.Ridge()), ('b', forest())], cv=2),
        'bagging-regressor': ensemble.BaggingRegressor(tree.DecisionTreeRegressor(max_depth=2), 3, random_state=1),
    }  # fmt: skip
    for name, model in plain.items():
        yield export(name, model, np.abs(NUMBER) if name == 'poisson' else NUMBER)
    yield export('linear-double', linear_model.LinearRegression(), NUMBER, types=[('X', DoubleTensorType([None, 4]))])
    yield export('ridge-two-outputs', linear_model.Ridge(), TWO_NUMBERS)
    yield export('multioutput-regressor', multioutput.MultiOutputRegressor(linear_model.Ridge()), TWO_NUMBERS)
    yield export('pls', cross_decomposition.PLSRegression(2), TWO_NUMBERS)
    yield export('integers', linear_model.Ridge(), NUMBER, types=[('X', Int64TensorType([None, 4]))], integers={'X': 1000})


def others():
    yield export('pca', decomposition.PCA(2))
    yield export('truncated-svd', decomposition.TruncatedSVD(2))
    yield export('k-means', cluster.KMeans(3, n_init=1, random_state=1))
    yield export('gaussian-mixture', mixture.GaussianMixture(2, random_state=1))
    yield export('isolation-forest', ensemble.IsolationForest(n_estimators=4, max_samples=16, random_state=1), least=12)
    yield export('one-class-svm', svm.OneClassSVM(nu=0.2))
    yield export('local-outlier', neighbors.LocalOutlierFactor(5, novelty=True))
    for name, model in {
        'standard-scaler': preprocessing.StandardScaler(), 'min-max': preprocessing.MinMaxScaler(clip=True), 'robust': preprocessing.RobustScaler(),
        'max-abs': preprocessing.MaxAbsScaler(), 'normalizer': preprocessing.Normalizer(), 'normalizer-max': preprocessing.Normalizer('max'),
        'binarizer': preprocessing.Binarizer(), 'polynomial': preprocessing.PolynomialFeatures(2), 'power': preprocessing.PowerTransformer(),
        'quantile': preprocessing.QuantileTransformer(n_quantiles=10), 'bins': preprocessing.KBinsDiscretizer(4, encode='onehot-dense', quantile_method='averaged_inverted_cdf'),
        'imputer': impute.SimpleImputer(), 'imputer-median': impute.SimpleImputer(strategy='median'), 'knn-imputer': impute.KNNImputer(n_neighbors=2),
        'variance': feature_selection.VarianceThreshold(0.1), 'kernel-pca': decomposition.KernelPCA(2, kernel='rbf', gamma=0.01),
        'neighbourhood': neighbors.NeighborhoodComponentsAnalysis(2),
    }.items():  # fmt: skip
        data = HOLES if 'imputer' in name else X
        yield export(name, model, THREE if name == 'neighbourhood' else None, x=data, least=18 if name == 'knn-imputer' else 11)
    yield export('k-best', feature_selection.SelectKBest(k=2), THREE)


def pipelines():
    scaled = lambda last: pipeline.make_pipeline(preprocessing.StandardScaler(), last)
    yield export('scaler-logistic', scaled(linear_model.LogisticRegression(max_iter=300)), THREE)
    yield export('scaler-svc', scaled(svm.SVC()), THREE)
    yield export('scaler-mlp', scaled(neural_network.MLPRegressor(hidden_layer_sizes=(6,), max_iter=30)), NUMBER)
    yield export('imputer-scaler-forest', pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler(), ensemble.RandomForestClassifier(4, max_depth=3)), THREE, x=HOLES)
    yield export('imputer-indicator', pipeline.make_pipeline(impute.SimpleImputer(add_indicator=True), linear_model.Ridge()), NUMBER, x=HOLES)
    yield export('pca-logistic', pipeline.make_pipeline(decomposition.PCA(2), linear_model.LogisticRegression(max_iter=300)), TWO)
    yield export('union', pipeline.make_pipeline(pipeline.FeatureUnion([('a', preprocessing.StandardScaler()), ('b', decomposition.PCA(2))]), linear_model.Ridge()), NUMBER)
    yield export('function', pipeline.make_pipeline(preprocessing.FunctionTransformer(), linear_model.Ridge()), NUMBER)
    text, colours = [('X', StringTensorType([None, 1]))], [('X', StringTensorType([None, 2]))]
    words, hues = {'X': WORDS}, {'X': ['red', 'green', 'blue', '', 'other']}
    yield export('tfidf', feature_extraction.text.TfidfVectorizer(lowercase=False), x=TEXTS, types=[('X', StringTensorType([None]))], words=words)
    yield export('tfidf-bigrams-logistic', pipeline.make_pipeline(feature_extraction.text.TfidfVectorizer(lowercase=False, ngram_range=(1, 2)), linear_model.LogisticRegression()), TWO, x=TEXTS, types=text, words=words)
    yield export('counts-nb', pipeline.make_pipeline(feature_extraction.text.CountVectorizer(lowercase=False), naive_bayes.MultinomialNB()), TWO, x=TEXTS, types=text, words=words)
    yield export('one-hot', preprocessing.OneHotEncoder(handle_unknown='ignore', sparse_output=False), x=COLOURS, types=colours, words=hues)
    yield export('ordinal', preprocessing.OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=-1), x=COLOURS, types=colours, words=hues, least=12)
    yield export('one-hot-ridge', pipeline.make_pipeline(preprocessing.OneHotEncoder(handle_unknown='ignore'), linear_model.Ridge()), NUMBER, x=COLOURS, types=colours, words=hues)
    yield export('label-binarizer', preprocessing.LabelBinarizer(), x=THREE, types=[('X', Int64TensorType([None, 1]))], integers={'X': 2})
    yield export('hashed', feature_extraction.FeatureHasher(8, input_type='string'), x=COLOURS, types=colours, words=hues, least=18)
    yield frame('column-transformer', ensemble.RandomForestClassifier(4, max_depth=3), THREE)
    yield frame('column-transformer-zipmap', linear_model.LogisticRegression(max_iter=300), NAMES, zipmap=True)
    yield frame('column-transformer-boosting', ensemble.GradientBoostingRegressor(n_estimators=4, max_depth=2), NUMBER)


def frame(name, last, y, zipmap=False):
    """The usual pipeline of a data frame: one input a column."""
    import pandas

    x = pandas.DataFrame({'age': HOLES[:, 0], 'income': X[:, 1], 'colour': COLOURS[:, 0], 'shape': COLOURS[:, 1]})
    numbers = pipeline.make_pipeline(impute.SimpleImputer(strategy='median'), preprocessing.StandardScaler())
    columns = compose.ColumnTransformer([('n', numbers, ['age', 'income']), ('c', preprocessing.OneHotEncoder(handle_unknown='ignore'), ['colour', 'shape'])])
    types = [(key, (FloatTensorType if key in ('age', 'income') else StringTensorType)([None, 1])) for key in x]
    words = {key: ['red', 'green', 'blue', '', 'other'] for key in ('colour', 'shape')}
    return export(name, pipeline.Pipeline([('prepare', columns), ('model', last)]), y, x=x, types=types, words=words, zipmap=zipmap)


def exports():
    for group in (classifiers, regressors, others, pipelines):
        yield from group()
