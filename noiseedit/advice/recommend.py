"""From a folder of images and a noise to the level to train with."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from noiseedit.advice.deployment import SAMPLE, Deployment, Stages, find_deployment, spread
from noiseedit.advice.options import Options, make_options
from noiseedit.advice.prior import LEVELS, TestInputs
from noiseedit.advice.rules import chosen_variance, divergence_table, rule_entries
from noiseedit.errors import ConfigError, DataError
from noiseedit.theory.estimate import deployment_levels
from noiseedit.theory.patches import PatchStatistics, patch_statistics
from noiseedit.theory.spectrum import Spectrum, dft_spectrum, spectral_slope, usable_spectrum

if TYPE_CHECKING:
    from noiseedit.advice.noise import NoiseModel
    from noiseedit.noises.base import BaseNoise

FORMAT = 1
SLOPE_SAMPLE = 256  # images whose Fourier spectrum is taken


class Data(NamedTuple):
    """The images: their statistics and spectrum, the sample, estimated noise variance, slope."""

    statistics: PatchStatistics
    spectrum: Spectrum
    sample: list[Path]
    noise_variance: float
    slope: float | None


def advise(
    folder: str | Path, noise: Any = 'gaussian', *, progress: Stages | None = None, **options: Any
) -> dict[str, Any]:
    """Recommend the variance of the Gaussian noise that source images get in training.

    The spectrum of the data is that of their patches. White additive noise is known by its variance
    (closed forms); of every other noise the second moments are measured by applying it to some of
    the images at several levels.

    Args:
        folder: Images of the source domain, read recursively.
        noise: Noise at test: a preset (``'gaussian'`` means ``'gni/gaussian'``), a registered
            class, a spec or a noise. Its own level does not count.
        progress: ``progress(stage, total)`` gives what wraps the images of a stage; ``None``: none.
        options: See :class:`~noiseedit.advice.Options`; one of ``max_sigma``, ``max_variance`` and
            ``deployment`` must be given.

    Returns:
        A plain dict, strict JSON, that ``noiseedit.report.advice`` shows. Variances are in the
        value range, divergences in nats per dimension; ``rules`` holds one entry per rule.

    Raises:
        ConfigError: If an option is not allowed, or the rule does not fit the noise.
        UnknownNameError: If there is no such noise; lists the nearest names.
        DataError: If a folder is missing or without images, or one cannot be used.
    """
    asked = make_options(**options)
    stages, files = progress or _silent, _files(folder, asked)
    from noiseedit.advice.noise import known_white, model_noise, noise_named

    built = noise_named(noise)
    if asked.rule == 'matched' and known_white(built):
        raise ConfigError(f"rule 'matched': {built.name} is white, for it the average rule is that")
    deployment = find_deployment(asked, stages)
    data = _look_at(files, asked, stages)
    levels = _levels(deployment.max_variance)
    model = model_noise(
        built,
        levels[1:],
        data.sample,
        data.statistics,
        asked.seed,
        stages('noise', len(levels) - 1),
    )
    inputs = _test_inputs(data.spectrum, model, levels, deployment)
    rules = rule_entries(inputs, asked.budget, asked.range)
    return {
        'format': FORMAT,
        'data': _data_facts(folder, data.statistics),
        'value_range': asked.range,
        'noise': {'name': _name(noise), 'text': model.text, 'kind': model.kind},
        'spectrum': _spectrum_facts(data),
        'deployment': _deployment_facts(deployment, inputs),
        'rules': rules,
        'recommended': asked.rule,
        'table': divergence_table(inputs, chosen_variance(rules, asked.rule)),
        **_cautions(data, model, inputs, deployment, built, asked),
        'inputs': {'folder': str(folder), 'noise': _name(noise), **_plain(asdict(asked))},
        'versions': _versions(),
    }


# What is asked.


def _silent(stage: str, total: int) -> None:
    return None


def _levels(top: float) -> list[float]:
    return [float(level) for level in np.linspace(0, top, LEVELS)] if top else [0.0]


# The data.


def _files(folder: str | Path, asked: Options) -> list[Path]:
    from noiseedit.imaging import list_images

    return spread(list_images(folder), asked.limit)


def _look_at(files: Sequence[Path], asked: Options, stages: Stages) -> Data:
    progress = stages('images', len(files))
    statistics = patch_statistics(
        files,
        asked.patch_size,
        asked.channels,
        value_range=asked.range,
        workers=asked.workers,
        progress=progress,
    )
    sample = spread(files, SAMPLE)
    found = _noise_in(sample, asked)
    removed = found if asked.data_noise else 0.0
    spectrum = usable_spectrum(
        statistics.eigenvalues, noise_variance=removed, value_range=asked.range
    )
    return Data(statistics, spectrum, sample, found, _slope(spread(files, SLOPE_SAMPLE)))


def _noise_in(sample: Sequence[Path], asked: Options) -> float:
    """Return the variance of noise in the data; 0 where images are too small to tell."""
    try:
        noisy = deployment_levels(sample, 'wavelet', value_range=asked.range)
    except DataError:
        if asked.data_noise:
            raise
        return 0.0
    return float(np.median(noisy.variances))


def _slope(files: Sequence[Path]) -> float | None:
    """Return the slope of the power spectrum; ``None``: images too small, or flat."""
    try:
        return spectral_slope(dft_spectrum(files))
    except DataError:
        return None


# The noise at test.


def _test_inputs(
    spectrum: Spectrum, model: NoiseModel, levels: Sequence[float], deployment: Deployment
) -> TestInputs:
    lam = spectrum.eigenvalues
    moments = [lam + model.energy(level, lam.size) for level in levels]
    return TestInputs(
        eigenvalues=lam,
        levels=np.array(levels),
        moments=np.maximum(moments, spectrum.floor),
        estimates=deployment.estimates,
        white=model.kind == 'white',
    )


# The parts of an advice.


def _data_facts(folder: str | Path, statistics: PatchStatistics) -> dict[str, Any]:
    return {
        'folder': str(folder),
        'images': statistics.images,
        'patches': statistics.count,
        'patch_size': statistics.patch_size,
        'channels': statistics.channels,
        'dimension': statistics.dimension,
    }


def _name(noise: Any) -> str:
    return noise if isinstance(noise, str) else str(getattr(noise, 'name', noise))


def _spectrum_facts(data: Data) -> dict[str, Any]:
    spectrum = data.spectrum
    return {
        'eigenvalues': spectrum.eigenvalues.tolist(),
        'floor': spectrum.floor,
        'floored': spectrum.floored,
        'trace_per_dimension': float(spectrum.eigenvalues.mean()),
        'noise_variance_removed': spectrum.noise_variance,
        'slope': data.slope,
    }


def _deployment_facts(deployment: Deployment, inputs: TestInputs) -> dict[str, Any]:
    estimates = deployment.estimates
    return {
        'max_variance': deployment.max_variance,
        'mean_variance': inputs.mean_variance,
        'source': deployment.source,
        'estimates': None if estimates is None else estimates.tolist(),
        'half_size_ratio': deployment.half_size_ratio,
    }


def _cautions(
    data: Data,
    model: NoiseModel,
    inputs: TestInputs,
    deployment: Deployment,
    built: BaseNoise,
    asked: Options,
) -> dict[str, list[str]]:
    from noiseedit.advice.cautions import Case, limits, warnings
    from noiseedit.noises.white import white_law

    case = Case(
        statistics=data.statistics,
        spectrum=data.spectrum,
        model=model,
        inputs=inputs,
        data_variance=data.noise_variance,
        half_size_ratio=deployment.half_size_ratio,
        law=white_law(built),
        range_given=asked.value_range is not None,
    )
    return {'warnings': warnings(case), 'limits': limits(case)}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: str(v) if isinstance(v, Path) else v for name, v in values.items()}


def _versions() -> dict[str, str]:
    import scipy
    import torch

    from noiseedit.version import __version__

    return {
        'noiseedit': __version__,
        'python': platform.python_version(),
        'numpy': np.__version__,
        'scipy': scipy.__version__,
        'torch': str(torch.__version__),
    }
