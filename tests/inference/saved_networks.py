"""A small NoiseTransfer with random weights, as checkpoint and as the networks in it."""

from functools import lru_cache

import numpy as np
import torch

from noiseedit.engine.checkpoint import save_checkpoint
from noiseedit.imaging import write_image
from noiseedit.models.noise_transfer import ContraE, VUNet

WIDTH = 4


@lru_cache(maxsize=4)
def small_networks(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator, encoder = VUNet(WIDTH).eval(), ContraE(WIDTH).eval()
    with torch.no_grad():  # noise of about 20 of 255 instead of 100
        generator.conv_last.conv2d.weight_u.mul_(5)
    return generator, encoder


def weights_of(generator, encoder, **others):
    parts = {'generator': generator, 'encoder': encoder, **others}
    return {
        f'{part}.{name}': tensor.clone()
        for part, network in parts.items()
        for name, tensor in network.state_dict().items()
    }


def write_checkpoint(path, seed=0, **more):
    generator, encoder = small_networks(seed)
    weights = weights_of(generator, encoder, discriminator=encoder)
    save_checkpoint({'state_dict': weights, **more}, path)
    return path


def pixels(height, width, seed=0, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def write_images(folder, sizes, seed=0):
    for number, (name, (height, width)) in enumerate(sizes.items()):
        write_image(folder / f'{name}.png', pixels(height, width, seed + number))
    return folder


def random_images(n=2, height=20, width=24, channels=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, channels, height, width, generator=generator)
