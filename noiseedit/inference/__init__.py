"""Trained models at work: loading, sampling, pairs of images on the fly."""

from noiseedit.inference.loading import find_checkpoint, load_model
from noiseedit.inference.pairs import GeneratedPairs

__all__ = ['GeneratedPairs', 'find_checkpoint', 'load_model']
