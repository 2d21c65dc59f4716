"""Modules whose rows meet, at any value or only at some."""

import torch
from torch import nn
from torch.nn import functional as F

from exporting import Export
from torch_export import both, scripted
from torch_models import Do, rows


@torch.jit.script
def rescaled(x):
    if bool(x.max() > 1.0):
        x = x / 255.0
    return x


@torch.jit.script
def filled(x):
    if bool(torch.isnan(x).any()):
        x = torch.where(torch.isnan(x), torch.zeros_like(x), x) + 1.0
    return x


@torch.jit.script
def running(x):
    total = torch.zeros_like(x[0])
    for i in range(x.size(0)):
        total = total + x[i]
    return x + total


def plain():
    """Forward functions of x and one layer a."""
    return {
        'minus-mean': (lambda m, x: m.a(x - x.mean(0)), 'the mean of the batch'),
        'standardised': (lambda m, x: m.a((x - x.mean(0, keepdim=True)) / (x.std(0, unbiased=False, keepdim=True) + 1e-5)), 'moments of the batch'),
        'batch-softmax': (lambda m, x: m.a(x).softmax(0), 'softmax over the batch'),
        'contrastive': (lambda m, x: F.normalize(m.a(x), dim=1) @ F.normalize(m.a(x), dim=1).t(), 'similarities of all rows'),
        'similarity-row-sum': (lambda m, x: (m.a(x) @ m.a(x).t()).sum(1), 'similarities of all rows'),
        'by-max': (lambda m, x: m.a(x / x.abs().max()), 'the largest value of the batch'),
        'by-norm': (lambda m, x: m.a(x / x.norm()), 'the norm of the batch'),
        'sorted': (lambda m, x: m.a(x).sort(0).values, 'sorts the batch'),
        'top-rows': (lambda m, x: m.a(x).topk(1, dim=0).values + m.a(x), 'the best of the batch'),
        'cumulated': (lambda m, x: m.a(x).cumsum(0), 'sums of earlier rows'),
        'flipped': (lambda m, x: m.a(x).flip(0), 'reverses the batch'),
        'rolled': (lambda m, x: m.a(x) + torch.cat([x[-1:], x[:-1]], 0)[:, :4], 'reads the row before'),
        'first-row': (lambda m, x: m.a(x) - m.a(x[:1]), 'reads the first row'),
        'differences': (lambda m, x: (m.a(x).unsqueeze(0) - m.a(x).unsqueeze(1)).abs().sum((1, 2)), 'distances of all rows'),
        'divided-by-size': (lambda m, x: m.a(x) / x.size(0), 'the number of rows'),
        'argmax-of-rows': (lambda m, x: m.a(x) * F.one_hot(m.a(x)[:, 0].argmax(0), 4).float(), 'the best row'),
        'self-attention-over-rows': (lambda m, x: (m.a(x) @ m.a(x).t()).softmax(-1) @ m.a(x), 'attention over the batch'),
        'transposed-view': (lambda m, x: x.t().reshape(x.size(0), -1) @ m.w, 'a view across rows'),
        'unit-columns': (lambda m, x: F.normalize(m.a(x), dim=0), 'norms over the batch'),
        'clipped-by-any': (lambda m, x: torch.where((x > 50).any(), m.a(x.clamp(-1, 1)), m.a(x)), 'any value above 50'),
        'unique-row-count': (lambda m, x: m.a(x) + (x[:, 0] > 1000).sum(), 'counts rows above 1000'),
        'filled-by-column-mean': (lambda m, x: m.a(torch.where(x.isnan(), torch.nan_to_num(x).mean(0).expand_as(x), x)), 'means of columns replace NaN'),
        'scripted-rescale': (lambda m, x: m.a(rescaled(x)), 'a branch by the largest value'),
        'scripted-fill': (lambda m, x: m.a(filled(x)), 'a branch by any NaN'),
        'scripted-loop': (lambda m, x: m.a(running(x)), 'a loop over rows'),
    }  # fmt: skip


def exports():
    script_only = {'scripted-rescale', 'scripted-fill', 'scripted-loop'}
    for name, (forward, why) in plain().items():
        build = lambda forward=forward: Do(forward, a=nn.Linear(6, 4), w=torch.randn(6, 2))
        yield from both('mixing', name, build, rows, False, why, exporters=['script'] if name in script_only else ('script', 'dynamo'))

    def training(build, example, opset):
        torch.manual_seed(7)
        axes = {'input': {0: 'batch'}, 'output': {0: 'batch'}}
        return scripted(build().train(), (example(),), ['input'], ['output'], axes, opset, training=True, fold=False)

    maker = f'torch {torch.__version__.split("+")[0]} (dynamo=False, training)'
    norm = lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    drop = lambda: nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    yield Export('mixing', 'batchnorm-training.script15', maker, lambda: training(norm, rows, 15), False, 'moments of the batch')
    yield Export('mixing', 'batchnorm-training.script13', maker, lambda: training(norm, rows, 13), False, 'moments of the batch')
    yield Export('mixing', 'dropout-training.script13', maker, lambda: training(drop, rows, 13), False, 'random, never the same')
