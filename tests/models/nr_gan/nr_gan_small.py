"""Networks that train in milliseconds, with the signatures of NR-GAN's; types are dotted names."""

import copy

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn
from torch.nn import functional

from noiseedit.binding import bind_noise
from noiseedit.config import load_config, shipped_root
from noiseedit.registry import MODELS

SIZE = 32
VARIANTS = ('gan', 'ambientgan', 'sinrgan1', 'sinrgan2', 'sdnrgan1', 'sdnrgan2', 'sdnrgan3')
LETTERS = tuple('ABCDEFGHIJKLMNOP')


class TinyGenerator(nn.Module):
    """A latent to ``cells`` x ``cells`` colours, enlarged to ``image_size``."""

    def __init__(self, latent_channels=128, channels=128, image_size=SIZE, cells=4):
        super().__init__()
        self.latent_channels, self.size, self.cells = latent_channels, image_size, cells
        self.linear = nn.Linear(latent_channels, 3 * cells * cells)

    def forward(self, latent):
        small = self.linear(latent).view(-1, 3, self.cells, self.cells)
        return functional.interpolate(small.tanh(), size=self.size, mode='nearest')


class TinyDiscriminator(nn.Module):
    """Two convolutions, mean, linear."""

    def __init__(self, in_channels=3, channels=8):
        super().__init__()
        self.in_channels = in_channels
        self.first = nn.Conv2d(in_channels, channels, 3, stride=2, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
        self.linear = nn.Linear(channels, 1)

    def forward(self, image):
        x = self.second(functional.leaky_relu(self.first(image), 0.2))
        return self.linear(functional.leaky_relu(x, 0.2).mean((2, 3))).squeeze(1)


def small(network, **settings):
    """Return the config of a tiny network for that of a shipped one."""
    latent = network.get('latent_channels')
    if latent is None:
        return {'type': 'nr_gan_small.TinyDiscriminator', 'channels': 4, **settings}
    return {
        'type': 'nr_gan_small.TinyGenerator',
        'latent_channels': latent // 16,
        'image_size': SIZE,
        **settings,
    }


def shipped(variant):
    """Return the shipped model config of a variant with tiny networks."""
    config = load_config(shipped_root() / '_base_' / 'models' / f'{variant}.py').model
    config.generator = small(config.generator)
    config.discriminator = small(config.discriminator)
    if 'network' in config.degradation:
        config.degradation.network = small(config.degradation.network)
    return config


def make_model(variant, letter=None, **changes):
    """Return a variant for data with a noise, as its config with that noise would give it."""
    config = Config({'model': {**copy.deepcopy(shipped(variant)), **changes}})
    if letter is not None:
        config.noise = {'where': 'pipeline', 'target': 'real', 'train': f'nrgan/{letter}'}
    torch.manual_seed(0)
    return MODELS.build(bind_noise(config).model)


def adam(*networks, lr=2e-4):
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return OptimWrapper(torch.optim.Adam(parameters, lr=lr, betas=(0.0, 0.99)))


def optimisers(model, lr=2e-4):
    return OptimWrapperDict(
        generator=adam(model.generator, model.degradation, lr=lr),
        discriminator=adam(model.discriminator, lr=lr),
    )


def step(model, optim, iteration=0, images=None, n=4):
    """Run one iteration on random images."""
    if images is None:
        generator = torch.Generator().manual_seed(iteration)
        images = torch.rand((n, 3, SIZE, SIZE), generator=generator)
    model.data_preprocessor.seed_iteration(iteration)
    return model.train_step({'inputs': {'real': images}}, optim)
