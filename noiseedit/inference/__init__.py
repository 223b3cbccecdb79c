"""Trained models at work: loading, sampling, pairs of images on the fly, transferred noise."""

from noiseedit.inference.loading import find_checkpoint, load_model
from noiseedit.inference.pairs import GeneratedPairs
from noiseedit.inference.transferred_noise import TransferredNoise
from noiseedit.inference.transferred_scheme import TransferredReference

__all__ = [
    'GeneratedPairs',
    'TransferredNoise',
    'TransferredReference',
    'find_checkpoint',
    'load_model',
]
