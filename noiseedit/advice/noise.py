"""The noise of an advice: by name, at given variances, and what it does to the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from noiseedit.advice.moments import Kind, NoiseMoments, measure
from noiseedit.errors import ConfigError, UnknownNameError, nearest
from noiseedit.noises.base import BaseNoise
from noiseedit.noises.build import NoiseSpec, build, build_named
from noiseedit.noises.presets import list_presets
from noiseedit.noises.white import white_law
from noiseedit.noises.wrap import Severity
from noiseedit.registry import NOISES
from noiseedit.theory import convert_variance
from noiseedit.theory.checks import Array
from noiseedit.theory.patches import PatchStatistics
from noiseedit.theory.streaming import Progress

FAMILY = 'gni/'  # where names without family are looked for first

Conversion: TypeAlias = Callable[[float], float]

# Levels without unit: what gives about this variance in [0, 1] on a mid-grey image.
LEVEL_FOR: dict[str, Conversion] = {
    'amount': lambda variance: min(1.0, 3 * variance),
    'peak': lambda variance: 0.5 / variance,
}
TRIAL = 4  # images on which is tried what variance a level gives
MOST = 16.0  # times the variance that a level may be raised to reach the one wanted
UNIT_RANGE = {255: 'uint8', '[0,1]': '[0,1]', '[-1,1]': '[-1,1]'}


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """What a noise does to the data at every level.

    Attributes:
        kind: ``'white'``, ``'coloured'``, ``'signal-dependent'`` or ``'general'`` (biased).
        text: The noise at its strongest.
        variances: Levels that were measured, ascending; none for noise known to be white.
        energies: What each adds to the second moments, shape ``(len(variances), d)``.
        strongest: The measurement at the last level; ``None`` for noise known to be white.
    """

    kind: Kind
    text: str
    variances: Array
    energies: Array
    strongest: NoiseMoments | None = None

    def energy(self, variance: float, size: int) -> Array:
        """Return ``c_i - lam_i`` at a variance: measured levels are joined by straight lines.

        Beyond the last one energy that was added grows in proportion to the variance; energy that
        was taken away stays.
        """
        if self.kind == 'white':
            return np.full(size, variance)
        known = np.concatenate(([0.0], self.variances))
        rows = np.vstack([np.zeros(size), self.energies])
        inside = min(variance, known[-1])
        found = np.array([np.interp(inside, known, column) for column in rows.T])
        return np.where(found > 0, found * (variance / inside if inside else 1.0), found)


def noise_named(noise: NoiseSpec) -> BaseNoise:
    """Return the noise called ``noise``: ``'gaussian'`` is the preset ``'gni/gaussian'``.

    Args:
        noise: A preset, one of the family ``gni`` without its family, a registered class (at its
            example), a spec or a noise.

    Raises:
        UnknownNameError: If there is no such noise; lists the nearest names.
        ConfigError: If it cannot be built.
    """
    if not isinstance(noise, str):
        return build(noise)
    presets = list_presets()
    for name in (noise, FAMILY + noise):
        if name in presets:
            return build(name)
    if noise in NOISES.names():
        return build_named(noise)
    short = [name.removeprefix(FAMILY) for name in presets]
    raise UnknownNameError(
        f'noise {noise!r}: neither a preset nor a registered class. Nearest names: '
        f'{", ".join(nearest(noise, [*short, *NOISES.names()]))}. All: python tools/noise.py list'
    )


def known_white(noise: BaseNoise) -> bool:
    """Tell whether the class says that the noise is white: nothing needs to be measured."""
    return white_law(noise) is not None and not (noise.clip or noise.quantize)


def at_variance(noise: BaseNoise, variance: float, value_range: str) -> BaseNoise | None:
    """Return the noise at a level of about this mean square; ``None``: it has no such level.

    Args:
        noise: Any noise.
        variance: In ``value_range``, > 0.
        value_range: Range of the network.
    """
    level = noise.level
    if level is None or not (level.has_unit or level.name in LEVEL_FOR):
        return None
    if level.name in LEVEL_FOR:
        value = LEVEL_FOR[level.name](convert_variance(variance, value_range, '[0,1]'))
    else:
        value = convert_variance(variance, value_range, UNIT_RANGE[level.unit])  # type: ignore[index]
        value = {'variance': value, 'amplitude': (3 * value) ** 0.5}.get(level.name, value**0.5)
    try:
        return noise.with_level(value)
    except ConfigError:  # its level is something else, such as a severity
        return None


def model_noise(
    noise: BaseNoise,
    variances: Sequence[float],
    images: Sequence[Path],
    statistics: PatchStatistics,
    seed: int = 0,
    progress: Progress | None = None,
) -> NoiseModel:
    """Return what a noise does to the data, measured near the given variances.

    Noise without a level that can be set is measured as it is.

    Args:
        noise: Any noise.
        variances: Levels of interest, > 0, in the value range of ``statistics``.
        images: Files to measure on; see :func:`~noiseedit.advice.moments.measure`.
        statistics: Of the clean patches.
        seed: Base seed.
        progress: Wraps the levels; ``None``: none.

    Raises:
        DataError: If an image cannot be read, or the noise does nothing.
    """
    if known_white(noise) or not variances:
        return _white(noise, variances, statistics)
    ladder = _ladder(noise, variances, images, statistics, seed)
    each = progress(ladder) if progress else ladder
    measured = [(measure(found, images, statistics, seed), repr(found)) for found in each]
    measured.sort(key=lambda found: found[0].variance)
    strongest, text = measured[-1]
    return NoiseModel(
        kind=strongest.kind,
        text=text,
        variances=np.array([found.variance for found, _ in measured]),
        energies=np.array([found.energy for found, _ in measured]),
        strongest=strongest,
    )


def _white(noise: BaseNoise, variances: Sequence[float], statistics: PatchStatistics) -> NoiseModel:
    strongest = at_variance(noise, max(variances), statistics.value_range) if variances else None
    nothing = np.zeros((0, statistics.dimension))
    return NoiseModel('white', repr(strongest or noise), np.zeros(0), nothing)


def _ladder(
    noise: BaseNoise,
    variances: Sequence[float],
    images: Sequence[Path],
    statistics: PatchStatistics,
    seed: int,
) -> list[BaseNoise]:
    """Return the noise at levels that reach the variances: what a level gives is measured once."""
    if isinstance(noise, Severity):
        return [noise.with_level(severity) for severity in range(1, len(noise.levels) + 1)]
    top, value_range = max(variances), statistics.value_range
    strongest = at_variance(noise, top, value_range)
    if strongest is None:
        return [noise]
    reach = measure(strongest, images[:TRIAL], statistics, seed).variance
    scale = min(MOST, max(1.0, top / reach))
    asked = [at_variance(noise, scale * variance, value_range) for variance in variances]
    return [found for found in asked if found is not None]
