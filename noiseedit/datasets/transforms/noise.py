"""A noise model as a pipeline step."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from noiseedit import noises
from noiseedit.datasets.transforms.base import images_of
from noiseedit.errors import ConfigError
from noiseedit.noises import BaseNoise, NoiseSpec, SampleStreams
from noiseedit.registry import TRANSFORMS
from noiseedit.seeding import derive_seed


@TRANSFORMS.register_module(name=['AddNoise', 'NoiseSlot'])
class AddNoise:
    """Add noise to one image of a sample. As ``NoiseSlot`` it waits for ``config.noise``.

    Float images get exactly what ``noise.per_sample(x, [key], seed, stream='data',
    repetition=visit)`` gives: not clipped or rounded unless the spec says so. 8-bit images stay
    8-bit through ``noise.apply_uint8``: rounded half to even, saturated, faster. Put ``ToFloat``
    before this step where the values beyond [0, 1] matter. The second step of a pipeline, and every
    further one, has draws of its own.

    Args:
        noise: Spec of the noise; ``None``: the identity.
        key: Name of the image that becomes noisy. A sample that has only ``target`` gets a noisy
            copy of it under this name.
        seed: Base seed; ``None``: that of the data set, so that another run has other noise.
        fixed: Leave out the visit: an image has the same noise whenever it is seen, as in a data
            set that was noisy from the start (NR-GAN). ``seed=None`` then means 0.

    Raises:
        ConfigError: If the sample has neither ``key`` nor ``target``.
    """

    stream = ''
    """Given by the pipeline; one with a dot is that of a repeated step."""

    def __init__(
        self,
        noise: NoiseSpec | None = None,
        key: str = 'source',
        seed: int | None = None,
        fixed: bool = False,
    ) -> None:
        self.noise: BaseNoise | None = None if noise is None else noises.build(noise)
        self.text = repr(self.noise)
        self.key, self.seed, self.fixed = key, seed, fixed

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``results`` with the noisy image and the text of its noise."""
        if self.noise is None:
            return results
        clean = results.get(self.key, results.get('target'))
        if clean is None:
            raise ConfigError(
                f'AddNoise: key={self.key!r} is not in the sample {results["key"]!r}, which has '
                f'{", ".join(images_of(results))}'
            )
        results[self.key] = self._noisy(self.noise, clean, results)
        results['noise'] = self.text
        return results

    def _noisy(self, noise: BaseNoise, clean: np.ndarray, results: dict[str, Any]) -> np.ndarray:
        seed = self.seed_of(results)
        if clean.dtype == np.uint8:
            return noise.apply_uint8(np.ascontiguousarray(clean), seed)
        x = torch.from_numpy(np.array(clean.transpose(2, 0, 1), order='C'))[None]
        with torch.no_grad():
            y = noise(x, generator=SampleStreams([seed], [results['key']]))
        return y[0].permute(1, 2, 0).numpy()

    def seed_of(self, results: dict[str, Any]) -> int:
        """Return the seed of this sample's noise."""
        seed = self._base_seed_of(results)
        return derive_seed(seed, 'data', self.stream) if '.' in self.stream else seed

    def _base_seed_of(self, results: dict[str, Any]) -> int:
        if self.seed is None and not self.fixed:
            return int(results['seed'])
        visit = 0 if self.fixed else results['visit']
        return derive_seed(self.seed or 0, 'data', results['key'], visit)
