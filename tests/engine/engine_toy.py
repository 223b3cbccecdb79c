"""A toy world for engine tests: a tiny data set, a tiny GAN, a runnable config.

Nothing is registered (tests of the registries would meet it): types are dotted names.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook  # noqa: F401
from torch import nn
from torch.utils.data import Dataset

from noiseedit.config import bind_noise
from noiseedit.engine import build_runner
from noiseedit.errors import CheckpointError  # noqa: F401
from noiseedit.seeding import derive_seed, generator_for
from noiseedit.structures import EditSample

PSNR = 'PSNR(rgb,uint8,border=0)'


class ToyImages(Dataset):
    """Clean 8x8 gradients and a drawn offset; draws depend on (seed, key, visit) alone."""

    def __init__(self, length=6, seed=None):
        self.length, self.seed = length, seed
        self.asked = []

    def __len__(self):
        return self.length

    def __getitem__(self, position):
        visit, index = divmod(position, self.length)
        self.asked.append(position)
        key = f'image{index}'
        generator = generator_for(derive_seed(self.seed, 'data', key, visit))
        target = torch.linspace(0, 1, 64).view(1, 8, 8).repeat(3, 1, 1) * (index + 1) / self.length
        source = target + 0.1 * torch.randn(target.shape, generator=generator)
        sample = EditSample(metainfo={'key': key, 'visit': visit, 'position': position})
        return {'inputs': {'source': source, 'target': target}, 'data_samples': sample}


def toy_collate(items):
    names = items[0]['inputs']
    inputs = {name: torch.stack([item['inputs'][name] for item in items]) for name in names}
    return {'inputs': inputs, 'data_samples': [item['data_samples'] for item in items]}


class ToyGenerator(nn.Sequential):
    def __init__(self):
        conv = [nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.2)]
        super().__init__(*conv, nn.Conv2d(4, 3, 1))


class ToyDiscriminator(nn.Sequential):
    def __init__(self, channels=6):
        super().__init__(nn.Conv2d(channels, 4, 3), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 3))


class ToyMetric(BaseMetric):
    default_prefix = ''

    def process(self, data_batch, data_samples):
        self.results += [float((s['pred'] - s['gt']).square().mean()) for s in data_samples]

    def compute_metrics(self, results):
        return {PSNR: np.float64(-10 * np.log10(np.mean(results)))}


def optimiser(**extra):
    return {'optimizer': {'type': 'Adam', 'lr': 1e-2}, **extra}


def gan():
    return {
        'type': 'AdversarialModel',
        'generator': {'type': 'engine_toy.ToyGenerator'},
        'discriminator': {'type': 'engine_toy.ToyDiscriminator'},
        'gan_loss': {'type': 'LeastSquaresGANLoss'},
        'losses': {'pixel': {'type': 'L1Loss'}},
    }


def config(work_dir, iters=8, model=None, workers=0, accumulate=1, val=False, **more):
    """Return a config: two optimisers, schedulers, EMA, training noise."""
    adversarial = model is None or model['type'] == 'AdversarialModel'
    loader = {
        'dataset': {'type': 'engine_toy.ToyImages'},
        'sampler': {'type': 'CounterSampler', 'shuffle': True},
        'batch_size': 2,
        'num_workers': workers,
        'collate_fn': {'type': 'engine_toy.toy_collate'},
    }
    schedule = [{'type': 'StepLR', 'step_size': 3, 'gamma': 0.5, 'by_epoch': False, 'end': 1000}]
    one = optimiser(accumulative_counts=accumulate)
    several = {'constructor': 'MultiOptimConstructor', 'generator': one, 'discriminator': one}
    settings = {
        'work_dir': str(work_dir),
        'default_scope': 'noiseedit',
        'model': model or gan(),
        'noise': {'where': 'batch', 'train': {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}},
        'train_dataloader': loader,
        'train_cfg': {'type': 'IterTrainLoop', 'max_iters': iters, 'val_interval': 4},
        'optim_wrapper': several if adversarial else one,
        'param_scheduler': {'generator': schedule, 'discriminator': schedule}
        if adversarial
        else schedule,
        'default_hooks': {
            'checkpoint': {'type': 'CheckpointHook', 'interval': 4, 'max_keep_ckpts': 2},
            'iter_seed': {'type': 'IterSeedHook'},
            'nan_guard': {'type': 'NaNGuardHook'},
            'logger': {'type': 'LoggerHook', 'interval': 10**6},
        },
        'custom_hooks': [{'type': 'ModuleEMAHook', 'modules': ['generator'], 'decay': 0.9}],
        'log_processor': {'by_epoch': False},
        'log_level': 'WARNING',
    }
    if val:
        finite = {**loader, 'sampler': {'type': 'CounterSampler', 'shuffle': False}}
        settings |= {
            'val_dataloader': finite,
            'val_cfg': {},
            'val_evaluator': {'type': 'engine_toy.ToyMetric'},
        }
    return settings | more


def runner(settings, *hooks, name='run'):
    from mmengine.config import Config

    runner.count = getattr(runner, 'count', 0) + 1
    whole = Config({**settings, 'experiment_name': f'{name}{runner.count}'})
    built = build_runner(bind_noise(whole))
    for hook in hooks:
        built.register_hook(hook)
    return built


def train(settings, *hooks):
    built = runner(settings, *hooks)
    built.train()
    return built


def deterministic():
    """Plain SGD, no noise, no dropout, no batch statistics: gradients are linear in the batch."""
    plain = {'optimizer': {'type': 'SGD', 'lr': 0.1}}
    model = gan()
    model['generator'] = {'type': 'engine_toy.ToyLinear'}
    return {
        'model': model,
        'noise': {'where': 'batch'},
        'optim_wrapper': {
            'constructor': 'MultiOptimConstructor',
            'generator': plain,
            'discriminator': plain,
        },
        'param_scheduler': None,
        'randomness': {'seed': 0},
    }


class ToyLinear(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 3, 1))


class ToyPoison(nn.Module):
    """A finite loss until call ``at``, then NaN; or a finite loss whose gradient is NaN."""

    def __init__(self, at, gradient=False):
        super().__init__()
        self.at, self.gradient, self.calls = at, gradient, 0

    def forward(self, pred, target):
        self.calls += 1
        loss = (pred - target).abs().mean()
        if self.calls < self.at:
            return loss
        if self.gradient:
            loss.register_hook(lambda grad: grad * float('nan'))
            return loss
        return loss * float('nan')


class Malicious:
    """Its pickle makes the file ``marker`` when it is read."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (Path(self.marker),)
