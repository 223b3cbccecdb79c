"""An advice as ``noiseedit.advice`` makes it, from a made-up spectrum."""

import numpy as np

from noiseedit.theory.mismatch import gaussian_kl, kl_table
from noiseedit.theory.noise_level import (
    average_kl,
    average_variance,
    break_even_variance,
    clean_variance,
    minimax_variance,
)

FLOOR = (2 / 255) ** 2 / 12


def image_like_spectrum(size=64):
    """Return eigenvalues that fall as those of photographs, the last two at the floor."""
    falling = 12.0 / np.arange(1, size + 1) ** 2.0
    return np.maximum([*falling[:-2], 0.0, 0.0], FLOOR)


def rule_entry(rule, text, variance, eigenvalues, top):
    size = len(eigenvalues)
    ends = [gaussian_kl(eigenvalues, variance, e) / size for e in (0.0, top)]
    return {
        'rule': rule, 'text': text, 'variance': variance, 'sigma': variance**0.5,
        'sigma_255': variance**0.5 * 127.5, 'clean_cost': ends[0],
        'average_kl': average_kl(eigenvalues, variance, top) / size, 'worst_kl': max(ends),
        'break_even': break_even_variance(eigenvalues, variance),
        'break_even_conservative': variance / 2,
    }  # fmt: skip


def example_advice(top=0.16, eigenvalues=None, **changes):
    eigenvalues = image_like_spectrum() if eigenvalues is None else eigenvalues
    size = len(eigenvalues)
    chosen = average_variance(top)
    rules = [
        rule_entry('average', 'smallest average divergence', chosen, eigenvalues, top),
        rule_entry('minimax', 'smallest worst divergence',
                   minimax_variance(eigenvalues, top), eigenvalues, top),
        rule_entry('clean', 'costs at most 0.3 nats per dimension on clean images',
                   clean_variance(eigenvalues, 0.3), eigenvalues, top),
    ]  # fmt: skip
    trains = [0.0, chosen / 2, chosen, 2 * chosen]
    tests = [top * i / 5 for i in range(6)]
    return {
        'format': 1,
        'data': {'folder': 'photos', 'images': 68, 'patches': 163200, 'patch_size': 8,
                 'channels': 'luma', 'dimension': size},
        'value_range': '[-1,1]',
        'noise': {'name': 'gaussian', 'kind': 'white',
                  'text': 'gaussian(variance=0.16 in [-1,1] (std 0.4 = 51/255))'},
        'spectrum': {'eigenvalues': list(map(float, eigenvalues)), 'floor': FLOOR, 'floored': 2,
                     'trace_per_dimension': float(np.mean(eigenvalues)),
                     'noise_variance_removed': 0.0, 'slope': -2.28},
        'deployment': {'max_variance': top, 'mean_variance': top / 2,
                       'source': 'given as sigma 51 in 8-bit units', 'estimates': None},
        'rules': rules,
        'recommended': 'average',
        'table': {'train_variances': trains, 'test_variances': tests,
                  'kl_per_dimension': (kl_table(eigenvalues, trains, tests) / size).tolist()},
        'warnings': ['4.2 % of the pixels lie within two sigma of the range: clipping changes '
                     'the noise there'],
        'limits': ['The data are taken for Gaussian.',
                   'A divergence of the inputs bounds that of the outputs from above only.',
                   'Absolute values scale with the size of the patch; this predicts no FID.'],
        'inputs': {'folder': 'photos', 'max_sigma': 51, 'rule': 'average'},
        'versions': {'noiseedit': '0', 'numpy': np.__version__},
        **changes,
    }  # fmt: skip
