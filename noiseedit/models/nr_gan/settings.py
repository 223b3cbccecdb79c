"""What the noise of the training data asks of a model: prior, view of D, measurement.

Asked of the noise's own law, not of its name: ``nrgan/M``, its replay ``nrgan/M:compat`` and a
``PoissonNoise`` of one's own give the same answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from noiseedit.errors import ConfigError
from noiseedit.noises import (
    AdditiveNoise,
    BaseNoise,
    MultiplicativeNoise,
    NoiseSpec,
    NRGANCompatNoise,
    PoissonNoise,
    build,
)

DataNoise: TypeAlias = NoiseSpec | None
Relation: TypeAlias = Literal['multiplicative', 'poisson']
_KINDS: dict[Relation, type[BaseNoise]] = {
    'multiplicative': MultiplicativeNoise,
    'poisson': PoissonNoise,
}


def law_of(spec: DataNoise) -> BaseNoise | None:
    """Return a noise of one's own with the law of ``spec``, unclipped; a replay gives its preset's.

    Args:
        spec: What :func:`noiseedit.noises.build` takes; None: the data are clean, or unknown.
    """
    if spec is None:
        return None
    noise = build(spec)
    if isinstance(noise, NRGANCompatNoise):
        noise = build(f'nrgan/{noise.letter}')
    noise.clip = False
    return noise


def parts_of(noise: BaseNoise) -> Iterator[BaseNoise]:
    """Yield the noises that ``noise`` is composed of: those that hold no other."""
    for part in noise.modules():
        if isinstance(part, BaseNoise) and not list(part.children()):
            yield part


def is_discrete(noise: BaseNoise | None) -> bool:
    """Whether values come in steps (Poisson counts), which a Gaussian prior cannot imitate."""
    if noise is None:
        return False
    return any(isinstance(part, PoissonNoise) and part.approx is None for part in parts_of(noise))


def relation_of(noise: BaseNoise | None) -> Relation:
    """Return how this noise follows the image, beside any part that does not.

    Raises:
        ConfigError: If it does not, in both ways, or there is no noise.
    """
    found = {name for name, kind in _KINDS.items() if noise is not None and _has(noise, kind)}
    if len(found) != 1:
        raise ConfigError(_unknown_relation(noise, len(found)))
    return found.pop()


def _has(noise: BaseNoise, kind: type[BaseNoise]) -> bool:
    return any(isinstance(part, kind) for part in parts_of(noise))


def _unknown_relation(noise: BaseNoise | None, count: int) -> str:
    what = 'the training data have no noise' if noise is None else f'the training noise is {noise}'
    why = 'depends on the image in two ways' if count else 'does not depend on the image'
    return (
        'SD-NR-GAN-I needs a known relation of noise and image (assumption A3 of the paper): '
        f'multiplicative (nrgan/I to L) or Poisson (nrgan/M to P); {what}'
        f'{"" if noise is None else f", which {why}"}. Take sinrgan1 or sinrgan2 for noise that '
        'ignores the image, sdnrgan2 or sdnrgan3 for an unknown relation; for noisy files of your '
        'own name the relation: model.degradation.prior.relation=multiplicative or poisson'
    )


def released_form(noise: BaseNoise) -> BaseNoise:
    """Return ``noise`` as AmbientGAN simulates it in NR-GAN's released code.

    The strength is taken from the image without gradient, so that the gradient passes as through
    the identity; Poisson counts are drawn as ``x + sqrt(x / peak) * eps``. Noises with other parts
    than additive, multiplicative and Poisson ones come back unchanged.

    Args:
        noise: Changed in place.
    """
    parts = list(parts_of(noise))
    if not all(isinstance(part, (AdditiveNoise, PoissonNoise)) for part in parts):
        return noise
    for part in parts:
        if isinstance(part, PoissonNoise):
            part.approx = 'gauss'
    noise.gradient = 'ste'
    return noise
