"""A trained NoiseTransfer at work: the noise of reference images on any clean images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.device import get_device
from torch import Tensor, nn
from torch.nn.utils import remove_spectral_norm

from noiseedit.errors import CheckpointError, ConfigError, DataError, MissingWeightsError
from noiseedit.inference.loading import Ema, load_model, read_weights
from noiseedit.inference.noise_tiles import TILE, noise_in_tiles, tiles_of
from noiseedit.inference.references import LEAST
from noiseedit.inference.tiling import Tiles
from noiseedit.noises import SampleStreams
from noiseedit.noises.random import Generator
from noiseedit.registry import DISCRIMINATORS, GENERATORS

PARTS = {
    'generator': (GENERATORS, 'VUNet', 'conv_first.conv2d.weight_orig'),
    'encoder': (DISCRIMINATORS, 'ContraE', 'pre_noise.conv2d.weight_orig'),
}
"""Name in the model -> registry, class, and the weight whose first dimension is the width."""

UNTRAINED_WIDTH = 4


class TransferNetworks(NamedTuple):
    """What noise transfer needs of a trained model: frozen, in evaluation mode.

    Attributes:
        generator: ``(clean, condition, random generator) -> noise``.
        encoder: ``reference -> (features, embedding)``.
    """

    generator: nn.Module
    encoder: nn.Module


# Loading.


def load_networks(
    checkpoint: str | Path,
    config: str | Path | None = None,
    *,
    ema: Ema = 'auto',
    device: str | torch.device | None = None,
    trust: bool = False,
) -> TransferNetworks:
    """Return generator and encoder of a checkpoint, trained here or converted.

    Args:
        checkpoint: File, or a work folder: its newest complete one.
        config: Of a model with other networks than ``VUNet`` and ``ContraE``; None: these two, as
            wide as the weights say.
        ema: See :func:`~noiseedit.inference.loading.load_model`.
        device: ``None``: a GPU if there is one.
        trust: Read a checkpoint that holds code; only for files of a trusted source.

    Raises:
        MissingWeightsError: If there is no such checkpoint.
        CheckpointError: If it is damaged or not of such a model.
        ConfigError: If the config is not of such a model.
    """
    checkpoint = existing(checkpoint)
    if config is None:
        weights = read_weights(checkpoint, ema=ema, trust=trust)
        networks = TransferNetworks(*(_network(part, weights, checkpoint) for part in PARTS))
    else:
        needs = ('encoder',)
        model = load_model(config, checkpoint, ema=ema, device=device, trust=trust, needs=needs)
        networks = _networks_of(model, config)
    return _at_work(networks, device or get_device())


def existing(checkpoint: str | Path) -> Path:
    """Return a checkpoint or a work folder.

    Raises:
        MissingWeightsError: If there is none; says where to get one.
    """
    path = Path(checkpoint)
    if not path.exists():
        raise MissingWeightsError(
            f'noise transfer: {path}: no such checkpoint or work folder (seen from {Path.cwd()}). '
            'Train one with a config of configs/noise_transfer, or convert the released files: '
            'tools/convert.py noise_transfer VUNet.pt encoder_k.pt OUT'
        )
    return path


def untrained_networks(device: str | torch.device = 'cpu') -> TransferNetworks:
    """Return small networks with random weights, seed 0: noise without any meaning, for tests."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)  # torch.manual_seed would reach other devices
        width = {'width': UNTRAINED_WIDTH}
        parts = [registry.build({'type': kind, **width}) for registry, kind, _ in PARTS.values()]
    return _at_work(TransferNetworks(*parts), device)


def _network(part: str, weights: Mapping[str, Tensor], checkpoint: str | Path) -> nn.Module:
    registry, kind, first = PARTS[part]
    head = f'{part}.'
    own = {name.removeprefix(head): t for name, t in weights.items() if name.startswith(head)}
    if first not in own or own[first].ndim != 4:
        raise CheckpointError(_wrong(checkpoint, f'{part}.{first}', weights))
    with torch.random.fork_rng(devices=[]):  # initial weights draw from the global stream
        network: nn.Module = registry.build({'type': kind, 'width': own[first].shape[0]})
    try:
        network.load_state_dict(own, strict=True)
    except RuntimeError as error:
        raise CheckpointError(f'{checkpoint}: {part} is no {kind}: {error}') from None
    return network


def _wrong(checkpoint: str | Path, expected: str, weights: Mapping[str, Any]) -> str:
    return (
        f'{checkpoint}: expected a checkpoint of NoiseTransfer with {expected}, got '
        f'{", ".join(list(weights)[:3])} ... Released files first go through '
        'tools/convert.py noise_transfer VUNet.pt encoder_k.pt OUT; a model with other networks '
        'needs its config'
    )


def _networks_of(model: nn.Module, config: str | Path) -> TransferNetworks:
    missing = [part for part in PARTS if not hasattr(model, part)]
    if missing:
        raise ConfigError(
            f'{config}: expected a model with generator and encoder such as NoiseTransfer, got '
            f'{type(model).__name__} without {", ".join(missing)}'
        )
    return TransferNetworks(model.generator, model.encoder)


def _at_work(networks: TransferNetworks, device: str | torch.device) -> TransferNetworks:
    for network in networks:
        network.to(device).float().eval().requires_grad_(requires_grad=False)
        fold_spectral_norm(network)
    return networks


def fold_spectral_norm(network: nn.Module) -> None:
    """Put the normalised weights in the place of those that are normalised at every call."""
    for module in network.modules():
        if hasattr(module, 'weight_orig'):
            remove_spectral_norm(module)
            module.requires_grad_(requires_grad=False)


# Use.


@torch.no_grad()
def embed(networks: TransferNetworks, reference: Tensor) -> Tensor:
    """Describe the noise of images.

    Args:
        networks: From :func:`load_networks`.
        reference: (N, 3, H, W) noisy, in [0, 1].

    Returns:
        (N, 128) float32, of unit length.

    Raises:
        DataError: If the images are too small.
    """
    if min(reference.shape[-2:]) < LEAST:
        raise DataError(
            f'reference: expected at least {LEAST} x {LEAST} pixels, got '
            f'{reference.shape[-2]} x {reference.shape[-1]} (height x width)'
        )
    with _full_precision(reference.device):
        embedding: Tensor = networks.encoder(reference.float()).embedding
    return embedding


@torch.no_grad()
def transfer(
    networks: TransferNetworks,
    clean: Tensor,
    condition: Tensor,
    generator: Generator,
    tile: int = TILE,
) -> Tensor:
    """Return ``clean + G(clean, condition)``: noisy images, neither clipped nor rounded.

    In float32 also under autocast. With one stream per image (``SampleStreams``) images go through
    the network one by one, so that not a bit depends on the batch.

    Args:
        networks: From :func:`load_networks`.
        clean: (N, 3, H, W) in [0, 1].
        condition: (N, 128) from :func:`embed`.
        generator: Source of the random maps.
        tile: Images with a longer side than this many pixels go through the network in tiles of
            this side; see :func:`~noiseedit.inference.noise_tiles.noise_in_tiles`.

    Raises:
        ConfigError: If ``tile`` is less than 148 or no multiple of 4.
    """
    tiles, clean = tiles_of(tile), clean.float().contiguous()
    with _full_precision(clean.device):
        if max(clean.shape[-2:]) <= tile and not isinstance(generator, SampleStreams):
            return clean + networks.generator(clean, condition, generator)
        streams = _one_per_image(generator, len(clean))
        parts = [
            _noise(networks.generator, image[None], k[None], streams.select([i]), tiles)
            for i, (image, k) in enumerate(zip(clean, condition, strict=True))
        ]
        return clean + torch.cat(parts)


def _noise(
    network: nn.Module, clean: Tensor, condition: Tensor, streams: SampleStreams, tiles: Tiles
) -> Tensor:
    if max(clean.shape[-2:]) > tiles.size:
        return noise_in_tiles(network, clean, condition, streams, tiles)
    noise: Tensor = network(clean, condition, streams)
    return noise


def _one_per_image(generator: Generator, n: int) -> SampleStreams:
    """Return streams as they start; of a generator of a batch: seeded from it."""
    if isinstance(generator, SampleStreams):
        return generator.fork()
    device = generator.device
    return SampleStreams(torch.randint(2**62, (n,), generator=generator, device=device).tolist())


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    with torch.autocast(device.type, enabled=False):
        yield
