"""Small images for the tests of this folder."""

import numpy as np
import torch

from noiseedit.structures import EditSample


def image_pair(height: int = 48, width: int = 56, channels: int = 3, sigma: float = 20, seed=0):
    """Return a smooth 8-bit image and a noisy copy, (H, W, C)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin((y * (c + 2) + x * 3) / 17 + c) for c in range(channels)]
    clean = np.stack(waves, -1) * 90 + 128
    noisy = clean + rng.normal(0, sigma, clean.shape)
    return tuple(np.clip(np.rint(image), 0, 255).astype(np.uint8) for image in (clean, noisy))


def sample_of(pred: np.ndarray, target: np.ndarray, key: str = 'a') -> EditSample:
    """Return a sample with two 8-bit or float images."""
    sample = EditSample(metainfo={'key': key})
    for name, image in (('pred', pred), ('gt', target)):
        tensor = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
        scaled = tensor.float() / 255 if image.dtype == np.uint8 else tensor.float()
        sample.set_data({name: scaled})
    return sample
