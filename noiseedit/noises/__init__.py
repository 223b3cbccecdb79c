"""Noise models: write one class, use it in pipeline, batch, sweep and measurement."""

from noiseedit.noises.base import AdditiveNoise, BaseNoise
from noiseedit.noises.blur import DefocusBlur, GaussianBlur, GlassBlur, MotionBlur, ZoomBlur
from noiseedit.noises.build import NoiseSpec, build
from noiseedit.noises.compose import Mixture, OneOf, Sequential
from noiseedit.noises.compression import JPEGNoise, QuantizeNoise
from noiseedit.noises.correlated import AdditiveBrownNoise, BrownNoise, KernelNoise, PowerLawNoise
from noiseedit.noises.differentiable_jpeg import DifferentiableJPEG
from noiseedit.noises.digital import (
    Brightness,
    Contrast,
    ElasticTransform,
    Pixelate,
    Saturate,
)
from noiseedit.noises.measurement import (
    BlockNoise,
    BlockPatch,
    ExtractPatch,
    KeepPatch,
    KernelBlur,
)
from noiseedit.noises.nrgan_compat import NRGANCompatNoise
from noiseedit.noises.pixelwise import GaussianNoise, LaplaceNoise, SaltPepperNoise, UniformNoise
from noiseedit.noises.presets import add_preset, list_presets, preset_spec
from noiseedit.noises.random import SampleStreams
from noiseedit.noises.signal_dependent import (
    HeteroscedasticNoise,
    MultiplicativeNoise,
    PoissonGaussianNoise,
    PoissonNoise,
)
from noiseedit.noises.spatial import Patch, PatchGaussianNoise
from noiseedit.noises.weather import Fog, Frost, Snow, Spatter
from noiseedit.noises.wrap import RandomLevel, Severity

__all__ = [
    'AdditiveBrownNoise',
    'AdditiveNoise',
    'BaseNoise',
    'BlockNoise',
    'BlockPatch',
    'Brightness',
    'BrownNoise',
    'Contrast',
    'DefocusBlur',
    'DifferentiableJPEG',
    'ElasticTransform',
    'ExtractPatch',
    'Fog',
    'Frost',
    'GaussianBlur',
    'GaussianNoise',
    'GlassBlur',
    'HeteroscedasticNoise',
    'JPEGNoise',
    'KeepPatch',
    'KernelBlur',
    'KernelNoise',
    'LaplaceNoise',
    'Mixture',
    'MotionBlur',
    'MultiplicativeNoise',
    'NRGANCompatNoise',
    'NoiseSpec',
    'OneOf',
    'Patch',
    'PatchGaussianNoise',
    'Pixelate',
    'PoissonGaussianNoise',
    'PoissonNoise',
    'PowerLawNoise',
    'QuantizeNoise',
    'RandomLevel',
    'SaltPepperNoise',
    'SampleStreams',
    'Saturate',
    'Sequential',
    'Severity',
    'Snow',
    'Spatter',
    'UniformNoise',
    'ZoomBlur',
    'add_preset',
    'build',
    'list_presets',
    'preset_spec',
]
