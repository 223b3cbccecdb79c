"""Small models and batches for the tests of models."""

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict

from noiseedit.registry import MODELS
from noiseedit.structures import EditSample

GENERATOR = {'type': 'ResNetGenerator', 'num_blocks': 1, 'width': 4}
DISCRIMINATOR = {'type': 'PatchGAN', 'num_layers': 1, 'width': 4, 'norm': 'instance'}
GAUSSIAN = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}


def make_batch(n=2, height=16, width=20, seed=0, names=('source', 'target')):
    """Return what a data loader gives: 8-bit images and one sample per image."""
    generator = torch.Generator().manual_seed(seed)
    shape = (n, 3, height, width)
    inputs = {
        name: torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator) for name in names
    }
    samples = [
        EditSample(metainfo={'key': f'image{i}', 'visit': 0, 'ori_shape': (height, width)})
        for i in range(n)
    ]
    return {'inputs': inputs, 'data_samples': samples}


def make_restoration(**changes):
    torch.manual_seed(0)
    spec = {
        'type': 'RestorationModel',
        'generator': {'type': 'DnCNN', 'in_channels': 3, 'depth': 3, 'width': 4, 'norm': False},
        'losses': {'pixel': {'type': 'MSELoss', 'weight': 2.0}},
    }
    return MODELS.build({**spec, **changes})


def make_adversarial(**changes):
    torch.manual_seed(0)
    spec = {
        'type': 'AdversarialModel',
        'generator': GENERATOR,
        'discriminator': DISCRIMINATOR,
        'gan_loss': {'type': 'VanillaGANLoss', 'd_weight': 0.5},
        'losses': {'pixel': {'type': 'L1Loss', 'weight': 100.0}},
        'data_preprocessor': {'value_range': '[-1,1]'},
    }
    return MODELS.build({**spec, **changes})


def sgd(network, lr=0.1, **kwargs):
    return OptimWrapper(torch.optim.SGD(network.parameters(), lr=lr), **kwargs)


def gan_optimisers(model, lr=1e-3, **kwargs):
    return OptimWrapperDict(
        generator=sgd(model.generator, lr, **kwargs),
        discriminator=sgd(model.discriminator, lr, **kwargs),
    )
