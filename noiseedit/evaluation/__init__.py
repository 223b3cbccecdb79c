"""Scoring: metrics under named protocols, sweeps over noises and levels."""

from noiseedit.evaluation import metrics
from noiseedit.evaluation.comparison import compare
from noiseedit.evaluation.images import SaveImagesHook
from noiseedit.evaluation.profiles import PROFILES, Protocol, protocol
from noiseedit.evaluation.results import read_result
from noiseedit.evaluation.sidd_submission import SIDDSubmission
from noiseedit.evaluation.statistics import break_even, mean_interval
from noiseedit.evaluation.submission import DNDSubmission
from noiseedit.evaluation.sweep import load_sweep
from noiseedit.evaluation.sweep_loop import SweepTestLoop

__all__ = [
    'PROFILES',
    'DNDSubmission',
    'Protocol',
    'SIDDSubmission',
    'SaveImagesHook',
    'SweepTestLoop',
    'break_even',
    'compare',
    'load_sweep',
    'mean_interval',
    'metrics',
    'protocol',
    'read_result',
]
