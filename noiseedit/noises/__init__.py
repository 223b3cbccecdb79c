"""Noise models: write one class, use it in pipeline, batch, sweep and measurement."""

from noiseedit.noises.base import AdditiveNoise, BaseNoise
from noiseedit.noises.build import NoiseSpec, build
from noiseedit.noises.pixelwise import GaussianNoise
from noiseedit.noises.random import SampleStreams

__all__ = [
    'AdditiveNoise',
    'BaseNoise',
    'GaussianNoise',
    'NoiseSpec',
    'SampleStreams',
    'build',
]
