"""Pictures with the spectrum of photographs."""

import numpy as np


def picture(seed, size=64):
    """Return (size, size, 3) float in [0, 1]: noise with spectrum f^-3, grey with a tint."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size))
    frequency[0, 0] = np.inf
    field = np.fft.ifft2(np.fft.fft2(random.standard_normal((size, size))) / frequency**1.5).real
    grey = 0.45 + 0.13 * field / field.std()
    return np.clip(grey[:, :, None] * (1.0, 0.95, 0.9), 0, 1)
