"""Pipeline steps: ``dict -> dict``, random ones as a function of the sample's seed."""

from noiseedit.datasets.transforms.base import Transform
from noiseedit.datasets.transforms.colour import ToFloat, ToGrey, ToRGB
from noiseedit.datasets.transforms.cutmix import CutMixCrop, Smooth
from noiseedit.datasets.transforms.drawing import DrawPencil
from noiseedit.datasets.transforms.geometry import (
    CenterCrop,
    RandomCrop,
    RandomDihedral,
    RandomFlip,
    Resize,
)
from noiseedit.datasets.transforms.labels import NoisyLabel
from noiseedit.datasets.transforms.noise import AddNoise
from noiseedit.datasets.transforms.padding import PadTo
from noiseedit.datasets.transforms.rename import Rename

__all__ = [
    'AddNoise',
    'CenterCrop',
    'CutMixCrop',
    'DrawPencil',
    'NoisyLabel',
    'PadTo',
    'RandomCrop',
    'RandomDihedral',
    'RandomFlip',
    'Rename',
    'Resize',
    'Smooth',
    'ToFloat',
    'ToGrey',
    'ToRGB',
    'Transform',
]
