"""How strong the noise of an image is, for networks that are told: one standard deviation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.noises import BaseNoise
from noiseedit.noises.blind import estimate_sigma

NoiseLevel = Literal['known', 'estimate'] | float | None
NAMED = ('known', 'estimate')


def noise_std(noise: BaseNoise, clean: Tensor, noisy: Tensor, params: dict[str, Tensor]) -> Tensor:
    """Return sqrt(mean over the image of Var[noisy | clean]), (N, 1, 1, 1) in [0, 1].

    For white Gaussian noise that is its sigma, for Poisson-Gaussian noise the level of the image as
    a whole. Before clipping and rounding. Noises without closed form are measured instead: the root
    mean square of what they changed, clipping included.

    Args:
        noise: What made ``noisy`` of ``clean``.
        clean: (N, C, H, W) in [0, 1].
        noisy: Of the same shape.
        params: Drawn for these images.
    """
    try:
        variance = noise.variance(clean, params)
    except NotImplementedError:
        variance = (noisy - clean).square()
    return variance.mean((1, 2, 3), keepdim=True).sqrt().expand(len(clean), 1, 1, 1)


def noise_level(
    wanted: NoiseLevel, noise: BaseNoise, clean: Tensor, noisy: Tensor, params: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Return the input ``level`` of images that got noise, as ``wanted`` says; None: no input.

    Args:
        wanted: See :class:`~noiseedit.models.preprocessor.EditPreprocessor`.
        noise: What made ``noisy`` of ``clean``.
        clean: (N, C, H, W) in [0, 1].
        noisy: Of the same shape.
        params: Drawn for these images.
    """
    if wanted == 'known':
        return {'level': noise_std(noise, clean, noisy, params)}
    return level_input(wanted, {'source': noisy})


def level_input(wanted: NoiseLevel, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the input ``level`` of images that get no noise here; None: no input."""
    return {} if wanted is None else {'level': level_without_noise(wanted, inputs)}


def level_without_noise(level: NoiseLevel, inputs: Mapping[str, Tensor]) -> Tensor:
    """Return the level of images that get no noise here, (N, 1, 1, 1) in [0, 1].

    Args:
        level: A number in 8-bit units; 'estimate': of each image alone, see
            :func:`~noiseedit.noises.blind.estimate_sigma`, 0 where clipping left no noise: black
            and white patches; 'known': then clean images have 0.
        inputs: Name -> images; without noise ``source`` and ``target`` are one tensor.

    Raises:
        ConfigError: If the level cannot be known: images from files that may be noisy.
        DataError: If it cannot be estimated from such images.
    """
    image = inputs['source'] if 'source' in inputs else next(iter(inputs.values()))
    if isinstance(level, (int, float)):
        return image.new_full((len(image), 1, 1, 1), level / 255)
    if level == 'estimate':
        sigma = estimate_sigma(image, strict=False).nan_to_num(0)
        return sigma.to(image.dtype).view(-1, 1, 1, 1)
    if 'target' not in inputs or inputs['target'] is not image:
        raise ConfigError(
            "data_preprocessor.noise_level='known': the noise level of these images is not known, "
            "as no noise is added to them here (noise.where='batch'); give it as a number of 8-bit "
            'units, e.g. --cfg-options model.data_preprocessor.noise_level=15'
        )
    return torch.zeros(len(image), 1, 1, 1, dtype=image.dtype, device=image.device)


def checked_level(level: NoiseLevel, noise_pad: bool = True) -> NoiseLevel:
    """Return ``level``.

    Args:
        level: As a config has it.
        noise_pad: Whether the canvas around a padded picture is noisy too.

    Raises:
        ConfigError: If it is neither None, 'known', 'estimate' nor a finite number >= 0; if it is
            to be estimated from images that are noisy in part.
    """
    if level == 'estimate' and not noise_pad:
        raise ConfigError(
            "data_preprocessor.noise_level='estimate' measures whole images, the canvas around a "
            'picture too: it needs noise_pad=True'
        )
    if level is None or level in NAMED:
        return level
    is_number = isinstance(level, (int, float)) and not isinstance(level, bool)
    if not (is_number and 0 <= float(level) < math.inf):
        raise ConfigError(
            "data_preprocessor.noise_level: expected None, 'known', 'estimate' or a number >= 0 of "
            f'8-bit units, got {level!r}'
        )
    return level
