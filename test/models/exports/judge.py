"""Judges one model: do rows that run alone answer as rows of one batch do?

Usage: python judge.py MODEL.onnx < HINTS.json > VERDICT.json. A process of its own, for a model may crash.
"""

import json
import sys

import numpy
import onnxruntime

SCALES = (1e-3, 1.0, 1e2, 1e4)
ROWS = 8
FLOATS = {'tensor(float)': 'float32', 'tensor(double)': 'float64', 'tensor(float16)': 'float16'}
INTEGERS = {'tensor(int64)': 'int64', 'tensor(int32)': 'int32', 'tensor(uint8)': 'uint8', 'tensor(int8)': 'int8'}


def made_up(spec, rows, scales, hints, random):
    """Rows of one input; row i has scale i of the list, over and over."""
    shape = [rows, *(dim if isinstance(dim, int) else hints['dims'].get(dim, 5) for dim in spec.shape[1:])]
    if spec.type == 'tensor(string)':
        return random.choice(hints['words'].get(spec.name, ['a', 'b', '', 'other']), shape).astype(object)
    if spec.type == 'tensor(bool)':
        values = random.random(shape) < 0.7
        return values if values.ndim < 2 else numpy.concatenate([numpy.ones_like(values[:, :1]), values[:, 1:]], axis=1)
    if spec.type in INTEGERS:
        return random.integers(0, hints['integers'].get(spec.name, 1) + 1, shape).astype(INTEGERS[spec.type])
    scale = numpy.resize(numpy.array(scales), rows).reshape([rows] + [1] * (len(shape) - 1))
    values = (random.standard_normal(shape) * scale).astype(FLOATS[spec.type])
    if hints['holes']:
        values[numpy.arange(rows), random.integers(0, shape[1], rows)] = numpy.nan
    return values


def difference(alone, together):
    """The largest relative difference; infinite where shapes or strings differ, and for sequences of tensors."""
    if isinstance(alone, list):
        if not isinstance(alone[0], dict):
            return float('inf')
        alone, together = ([list(row.items()) for row in rows] for rows in (alone, together))
        alone, together = (numpy.array([[value for _, value in row] for row in rows]) for rows in (alone, together))
    if alone.shape != together.shape:
        return float('inf')
    if alone.dtype.kind not in 'fc':
        return 0.0 if (alone == together).all() else float('inf')
    alone, together = alone.astype('float64'), together.astype('float64')
    same = (alone == together) | (numpy.isnan(alone) & numpy.isnan(together))
    if same.all():
        return 0.0
    with numpy.errstate(all='ignore'):
        size = numpy.maximum(numpy.abs(alone), numpy.abs(together))
        # A value is compared with the largest of its row, for small ones are sums of big ones.
        largest = size.reshape(len(size), -1).max(axis=1).reshape([-1] + [1] * (size.ndim - 1))
        gap = numpy.where(same, 0.0, numpy.abs(alone - together) / numpy.maximum(largest, 1e-6))
    return float('inf') if numpy.isnan(gap).any() else float(gap.max())


def joined(parts):
    """Answers of single rows as one."""
    if isinstance(parts[0], list):
        return [row for part in parts for row in part]
    return numpy.concatenate(parts) if parts[0].ndim else numpy.array(parts)


def compare(session, scales, hints, seed):
    """The largest difference between rows alone and together; a string where a batch is refused."""
    random = numpy.random.default_rng(seed)
    feeds = {spec.name: made_up(spec, ROWS, scales, hints, random) for spec in session.get_inputs()}
    rows = [session.run(None, {name: value[i : i + 1] for name, value in feeds.items()}) for i in range(ROWS)]
    try:
        batch = session.run(None, feeds)
    except Exception as error:
        return f'a batch is refused: {str(error)[:160]}'
    return max(difference(joined(list(parts)), whole) for parts, whole in zip(zip(*rows), batch))


def verdict(file, hints):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=['CPUExecutionProvider'])
    first = [spec.shape[0] if spec.shape else 1 for spec in session.get_inputs()]
    if any(isinstance(dim, int) for dim in first):
        return {'measured': 'fixed first dimension', 'difference': {}}
    trials = {'mixed': SCALES, **{f'{scale:g}': (scale,) for scale in SCALES}}
    found = {name: [compare(session, scales, hints, seed) for seed in range(3)] for name, scales in trials.items()}
    refused = next((value for values in found.values() for value in values if isinstance(value, str)), None)
    if refused:
        return {'measured': False, 'difference': {'refused': refused}}
    worst = {name: max(values) for name, values in found.items()}
    # Kernels of other row counts add in another order: 1e-4 of the largest value of a row.
    return {
        'measured': all(value < 1e-4 for value in worst.values()),
        'difference': {name: ('other' if value == float('inf') else float(f'{value:.1e}')) for name, value in worst.items()},
    }


if __name__ == '__main__':
    print(json.dumps(verdict(sys.argv[1], json.load(sys.stdin))))
