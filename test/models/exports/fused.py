"""Fused forms (com.microsoft) that ONNX Runtime's own tools write."""

import pathlib
import tempfile

import onnx
import onnxruntime
import torch
from onnxruntime.transformers import optimizer

import hugging_face
import torch_models
import torch_sequences
from exporting import Export

MAKER = f'onnxruntime {onnxruntime.__version__} (%s of torch {torch.__version__.split("+")[0]})'
LEVELS = onnxruntime.GraphOptimizationLevel


def fused(export, kind, heads, hidden):
    """What onnxruntime.transformers.optimizer makes of an export."""
    with tempfile.TemporaryDirectory() as folder:
        before = str(pathlib.Path(folder, 'before.onnx'))
        onnx.save(export.make(), before)
        return optimizer.optimize_model(before, model_type=kind, num_heads=heads, hidden_size=hidden, opt_level=0).model


def optimised(export, level):
    """What ONNX Runtime saves after its own optimisation."""
    with tempfile.TemporaryDirectory() as folder:
        after = str(pathlib.Path(folder, 'after.onnx'))
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level, options.optimized_model_filepath = level, after
        options.log_severity_level = 4
        onnxruntime.InferenceSession(export.make().SerializeToString(), options, providers=['CPUExecutionProvider'])
        return onnx.load(after)


def exports():
    known = {export.name: export for module in (hugging_face, torch_sequences, torch_models) for export in reversed([*module.exports()])}
    find = lambda start: next(known[name] for name in sorted(known, reverse=True) if name.startswith(start))
    for start, kind in {'bert-classifier.script': 'bert', 'bert-tokens.script': 'bert', 'bert.dynamo': 'bert', 'distilbert.script': 'bert', 'roberta.script': 'bert',
                        'gpt2.script': 'gpt2', 'vit.script': 'vit', 'view-transpose-mask.script': 'bert', 't5-encoder.script': 't5'}.items():  # fmt: skip
        export = find(start)
        yield Export('fused', f'{start.split(".")[0]}.transformers-{kind}', MAKER % f'transformers.optimizer, {kind}',
                     lambda e=export, k=kind: fused(e, k, 2, 8), True, '', export.integers, export.dims)  # fmt: skip
    for start in ('gelu.', 'layernorm.', 'residual.', 'resnet-like.', 'depthwise.', 'squeeze-excite.', 'conv-pool-flatten.', 'encoder.script',
                  'encoder-norm-first.script', 'multihead.script', 'qkv-permute.script', 'bert-classifier.script', 'vit.script', 'lstm-last-step.script'):  # fmt: skip
        export = find(start)
        for level in (LEVELS.ORT_ENABLE_EXTENDED, LEVELS.ORT_ENABLE_ALL):
            # The second also writes layouts of the machine (NCHWc).
            label = 'extended' if level == LEVELS.ORT_ENABLE_EXTENDED else 'all'
            yield Export('fused', f'{start.split(".")[0]}.{label}', MAKER % f'optimized_model_filepath, {label}',
                         lambda e=export, l=level: optimised(e, l), True, '', export.integers, export.dims)  # fmt: skip
