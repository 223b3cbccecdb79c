"""Images from a trained generative model: each decided by its number and the seed alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.imaging import write_image
from noiseedit.models import EditModel
from noiseedit.models.conditional_gan import ConditionalGAN
from noiseedit.models.nr_gan import NRGAN, LearnedNoise
from noiseedit.models.nr_gan.priors import AdditiveGaussianPrior
from noiseedit.noises import SampleStreams
from noiseedit.noises.random import Generator
from noiseedit.seeding import derive_seed

Generative: TypeAlias = NRGAN | ConditionalGAN
STEPS = 8  # pictures of an interpolation, both ends included
PARALLEL = 0.9995  # cosine of two latents above which their arc is a straight line


class Generated(NamedTuple):
    """Generated images.

    Attributes:
        clean: (N, C, H, W) in [0, 1].
        noisy: The same images with their noise, in [0, 1].
        noise: What the model calls the noise, in its own range and before any constraint; None: it
            does not say.
        scale: sigma of the noise's prior; None: without a prior.
    """

    clean: Tensor
    noisy: Tensor
    noise: Tensor | None
    scale: Tensor | None


def generative(model: nn.Module) -> Generative:
    """Return ``model`` if it generates images.

    Raises:
        ConfigError: If it does not.
    """
    if not isinstance(model, Generative):
        raise ConfigError(
            f'{type(model).__name__} generates no images from latents; expected the config of a '
            'generative model, such as those of configs/nr_gan and configs/rgan'
        )
    return model


def with_noise(model: nn.Module) -> NRGAN:
    """Return ``model`` if it generates noisy images beside clean ones.

    Raises:
        ConfigError: If it does not.
    """
    network = generative(model)
    if not isinstance(network, NRGAN):
        raise ConfigError(
            f'{type(network).__name__} generates no noise beside its images; expected the config '
            'of a model that does, such as those of configs/nr_gan'
        )
    return network


def drawn(
    model: nn.Module, n: int, generator: Generator, label: int | None = None
) -> tuple[Tensor, ...]:
    """Return what ``n`` images are generated from: latents and, of conditional models, classes.

    Args:
        model: A generative model; its ``restored`` takes the result.
        n: How many.
        generator: Source of latents, and of classes where ``label`` is None.
        label: The class of all of them.

    Raises:
        ConfigError: If the model does not generate images, or not of this class.
    """
    network = generative(model)
    check_class(network, label)
    if isinstance(network, ConditionalGAN) and label is not None:
        return network.draw(n, generator, torch.full((n,), label))
    return network.draw(n, generator)


def check_class(model: nn.Module, label: int | None) -> None:
    """Refuse a class that a generative model does not have.

    Raises:
        ConfigError: If it has not, or the model does not generate images.
    """
    network = generative(model)
    count = network.num_classes if isinstance(network, ConditionalGAN) else 0
    if label is not None and not 0 <= label < count:
        known = f'the classes 0 to {count - 1}' if count else 'no classes'
        raise ConfigError(f'class {label}: {type(network).__name__} has {known}')


def streams(seed: int, numbers: Sequence[int]) -> SampleStreams:
    """Return the random streams of images by their numbers."""
    return SampleStreams([derive_seed(seed, 'eval', 'latent', number) for number in numbers])


@torch.no_grad()
def generate(model: EditModel, n: int, generator: Generator) -> Generated:
    """Return ``n`` images, clean and noisy.

    Args:
        model: A generative model in evaluation mode.
        n: How many.
        generator: Source of latents, then of noise; :func:`streams`: an image no longer depends on
            the others of its batch.

    Raises:
        ConfigError: If the model does not generate noisy images.
    """
    network = with_noise(model)
    latent = network.latent(n, generator)
    image = network.generator(latent).float()
    made = network.degrade(image, latent, generator)
    clean, noisy = (_unit(network, one) for one in (image, made.image))
    return Generated(clean, noisy, made.noise, made.scale)


def _unit(model: EditModel, image: Tensor) -> Tensor:
    return model.data_preprocessor.restore(image.float()).clamp(0, 1)


@torch.no_grad()
def write_samples(
    model: EditModel,
    folder: Path,
    count: int,
    *,
    seed: int = 0,
    batch_size: int = 64,
    label: int | None = None,
) -> Iterator[int]:
    """Write clean images ``000000.png`` ...; yield how many are there.

    Files that exist are kept: the rest of an interrupted run, or more images, take no more time
    than they need.

    Args:
        model: A generative model.
        folder: Where to.
        count: How many images the folder is to hold.
        seed: Base seed of latents.
        batch_size: Images generated at once.
        label: Class of all images, of a conditional model; None: drawn for each.
    """
    network = generative(model)
    missing = [number for number in range(count) if not sample_file(folder, number).exists()]
    done = count - len(missing)
    yield done
    for start in range(0, len(missing), batch_size):
        numbers = missing[start : start + batch_size]
        parts = drawn(model, len(numbers), streams(seed, numbers), label)
        images = network.restored(*parts).clamp(0, 1).cpu()
        for number, image in zip(numbers, images, strict=True):
            write_image(sample_file(folder, number), image.permute(1, 2, 0).numpy())
            done += 1
            yield done


def sample_file(folder: Path, number: int) -> Path:
    """Return the file of an image."""
    return folder / f'{number:06d}.png'


# Interpolation.


@torch.no_grad()
def interpolate(
    model: EditModel,
    pairs: int,
    *,
    seed: int = 0,
    steps: int = STEPS,
    label: int | None = None,
) -> Tensor:
    """Return what lies between images 2k and 2k + 1: (pairs, steps, C, H, W) in [0, 1].

    Where their classes differ, class weights go from one to the other along a straight line.

    Args:
        model: A generative model.
        pairs: Pairs of images; the first and the last picture of a row are images themselves.
        seed: Base seed of latents.
        steps: Pictures per pair, at equal angles.
        label: Class of all images, of a conditional model; None: drawn for each.
    """
    network = generative(model)
    latents, *classes = drawn(model, 2 * pairs, streams(seed, range(2 * pairs)), label)
    weights = torch.linspace(0, 1, steps, device=latents.device)
    rows = []
    for pair in range(pairs):
        ends = slice(2 * pair, 2 * pair + 2)
        mixed = [torch.lerp(*of[ends].unbind(), weights[:, None]) for of in classes]
        arc = slerp(latents[ends][0], latents[ends][1], weights)
        rows.append(network.restored(arc, *mixed).clamp(0, 1))
    return torch.stack(rows)


def slerp(first: Tensor, last: Tensor, weights: Tensor) -> Tensor:
    """Return latents on the arc between two, ``sin((1-w)a)/sin(a) first + sin(wa)/sin(a) last``.

    ``a`` is the angle between them: latents N(0, I) are of about equal length, and so is all that
    lies on the arc, but not what lies on the straight line.

    Args:
        first: (d,).
        last: (d,).
        weights: (n,) in [0, 1].

    Returns:
        (n, d).
    """
    weights = weights[:, None]
    cosine = torch.nn.functional.cosine_similarity(first, last, dim=0).clamp(-1, 1)
    if cosine.abs() > PARALLEL:
        return torch.lerp(first, last, weights)
    angle = torch.arccos(cosine)
    return (torch.sin((1 - weights) * angle) * first + torch.sin(weights * angle) * last) / (
        torch.sin(angle)
    )


# The learnt noise.


class NoiseLevel(NamedTuple):
    """How strong the learnt noise is.

    Attributes:
        level: (H, W) per pixel, in units of [-1, 1], averaged over images and channels.
        of: ``'sigma'``: mean |sigma| of the prior; ``'rms'``: root mean square of the noise.
        to_8bit: Factor to 8-bit units; for noise that depends on the image: at white.
    """

    level: Tensor
    of: str
    to_8bit: float

    def mean(self) -> float:
        """Return the mean over pixels in units of [-1, 1] (of a root mean square: its own)."""
        if self.of == 'rms':
            return float(self.level.square().mean().sqrt())
        return float(self.level.mean())


@torch.no_grad()
def noise_level(
    model: EditModel, count: int, *, seed: int = 0, batch_size: int = 64
) -> NoiseLevel | None:
    """Return the level of the learnt noise over ``count`` generated images; None: no noise.

    With a prior it is that of sigma, which the noise network gives; else that of the noise itself,
    or, where the model does not define it, of the difference of noisy and clean images.
    """
    if not isinstance(generative(model), NRGAN):
        return None
    total, of = 0.0, ''
    for start in range(0, count, batch_size):
        numbers = range(start, min(start + batch_size, count))
        made = generate(model, len(numbers), streams(seed, numbers))
        of = 'rms' if made.scale is None else 'sigma'
        total = total + _strength(made).sum(0)
    level = torch.as_tensor(total).mean(0) / count
    level = level.sqrt() if of == 'rms' else level
    return NoiseLevel(level.cpu(), of, _to_8bit(model)) if level.any() else None


def _strength(made: Generated) -> Tensor:
    """Return |sigma|, or the square of the noise, (N, C, H, W) float64."""
    if made.scale is not None:
        return made.scale.double().abs()
    noise = 2 * (made.noisy - made.clean) if made.noise is None else made.noise
    return noise.double().square()


def _to_8bit(model: EditModel) -> float:
    """Return 255 / 2; twice that for priors that scale with an image in [0, 1]."""
    degradation = with_noise(model).degradation
    prior = degradation.prior if isinstance(degradation, LearnedNoise) else None
    return 127.5 if prior is None or isinstance(prior, AdditiveGaussianPrior) else 255.0
