"""The spectra that published values of the rules refer to, built from their names."""

import numpy as np

_K = np.arange(1, 65)


def _falling(power):
    weights = 1.0 / _K**power
    return 0.25 * weights / weights.mean()


def _ar1(size, correlation):
    steps = np.arange(size)
    return correlation ** np.abs(steps[:, None] - steps[None, :])


SPECTRA = {
    'S1': np.array([1.0]),
    'S2': np.array([0.01]),
    'S3': np.full(64, 0.25),
    'S4': _falling(1.0),
    'S5': _falling(2.0),
    'S6': np.linalg.eigvalsh(0.25 * _ar1(64, 0.95)),
    'S7': np.linalg.eigvalsh(0.25 * np.kron(_ar1(8, 0.95), _ar1(8, 0.95))),
    'S8': np.concatenate([np.full(8, 2.0), np.full(56, 1e-5)]),
}
