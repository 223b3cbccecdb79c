"""Scoring: metrics under named protocols, sweeps over noises and levels."""

from noiseedit.evaluation import metrics
from noiseedit.evaluation.profiles import PROFILES, Protocol, protocol

__all__ = ['PROFILES', 'Protocol', 'metrics', 'protocol']
