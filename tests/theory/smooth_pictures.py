"""Drawn pictures for spectra."""

import numpy as np


def picture(height, width, seed, channels=3):
    """Return smooth uint8 colours with a little noise."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((height, width, channels)).cumsum(0).cumsum(1)
    steps = (steps - steps.mean()) / steps.std() * 40 + 120 + rng.normal(0, 3, steps.shape)
    return np.rint(steps.clip(0, 255)).astype(np.uint8)
