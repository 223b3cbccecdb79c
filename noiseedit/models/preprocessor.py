"""From a loaded batch to network input, and back: cast, noise, range, padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.errors import ConfigError
from noiseedit.models.noise_std import NoiseLevel, checked_level, level_input, noise_level
from noiseedit.noises import BaseNoise, build
from noiseedit.noises.random import Generator, uniform_like
from noiseedit.registry import MODELS
from noiseedit.structures import EditSample

Batch = dict[str, Any]


@MODELS.register_module()
class EditPreprocessor(BaseDataPreprocessor):
    """Cast to float, add noise, convert to the network's range, pad; and undo the last two.

    Samples whose metainfo has ``window`` (the place of the picture on a padded canvas, see
    ``PadTo``) are scored and saved without the canvas: ``input``, ``gt`` and ``pred`` are the
    picture alone.

    Args:
        noise: ``dict(train=spec, test=spec, target='source', seed=0)``; bound from the top-level
            ``noise`` of a config. A missing spec means no noise in that mode.
        value_range: What the network wants; images are in [0, 1] everywhere else.
        pad_multiple: Pad right and bottom (reflect) to a multiple of this when testing; 1: never.
        noise_pad: Whether the canvas around a padded picture becomes noisy too, as in deployment
            noise covers the whole image; False: only the picture.
        dequantise: Give 8-bit images a density, as NR-GAN does: in training
            ``x -> (255 x + u) / 256``, u ~ U(0, 1) drawn anew for every value from the stream of
            the iteration, after the noise; in tests u = 1/2. The value v of 8 bits becomes
            ``v / 128 - 1 + U(0, 1 / 128)`` in [-1, 1). The way back gives 8-bit rounding the result
            ``floor(128 (y + 1))`` for y in [-1, 1].
        noise_level: Give the network the input ``level`` (N, 1, 1, 1), the noise's standard
            deviation in [0, 1]. 'known': of the noise that is added here, see
            :func:`~noiseedit.models.noise_std.noise_std`; 0 for images without any. 'estimate': of
            every noisy image alone, see :func:`~noiseedit.noises.blind.estimate_sigma`, for images
            that nothing is known of. A number: this one in 8-bit units, for images that are noisy
            already. None: no such input.
        crop_border: In training cut so many pixels off every side after the noise (generated: 4).
    """

    def __init__(
        self,
        noise: Mapping[str, Any] | None = None,
        value_range: Literal['[0,1]', '[-1,1]'] = '[0,1]',
        pad_multiple: int = 1,
        noise_pad: bool = True,
        dequantise: bool = False,
        noise_level: NoiseLevel = None,
        crop_border: int = 0,
    ) -> None:
        super().__init__()
        noise = dict(noise or {})
        if unknown := set(noise) - {'train', 'test', 'target', 'seed'}:
            raise ConfigError(
                f'data_preprocessor.noise: unknown keys {", ".join(sorted(unknown))}; '
                'known: train, test, target, seed'
            )
        if value_range not in ('[0,1]', '[-1,1]'):
            raise ConfigError(f"value_range: expected '[0,1]' or '[-1,1]', got {value_range!r}")
        self.scale, self.shift = (2.0, -1.0) if value_range == '[-1,1]' else (1.0, 0.0)
        self.pad_multiple, self.noise_pad = pad_multiple, noise_pad
        self.dequantise = dequantise
        self.noise_level, self.crop_border = checked_level(noise_level, noise_pad), crop_border
        self.noise_target: str = noise.get('target', 'source')
        self.noise_seed: int = noise.get('seed', 0)
        self.noises: dict[str, BaseNoise] = {  # a plain dict: noises are not part of the state
            mode: build(noise[mode]) for mode in ('train', 'test') if noise.get(mode) is not None
        }
        self._generator: torch.Generator | None = None

    def check_noise_files(self) -> None:
        """Raise before the first iteration what a noise would raise at its first image."""
        for part in nn.ModuleList(self.noises.values()).modules():
            if isinstance(part, BaseNoise):
                part.check_files()

    def seed_iteration(self, seed: int) -> None:
        """Seed the training noise of the coming iteration (``IterSeedHook`` calls this)."""
        if self._generator is None or self._generator.device != self.device:
            self._generator = torch.Generator(device=self.device)
        self._generator.manual_seed(seed)

    @property
    def generator(self) -> torch.Generator:
        """The stream of this iteration; model-side draws (measurement, latents) continue it.

        Raises:
            RuntimeError: If nobody called :meth:`seed_iteration`.
        """
        if self._generator is None:
            raise RuntimeError(
                'training noise has no seed: call data_preprocessor.seed_iteration(seed) first '
                '(the hook IterSeedHook does it before every iteration)'
            )
        return self._generator

    def forward(self, data: Batch, training: bool = False) -> Batch:
        """Prepare a batch of the data loader for the network.

        Args:
            data: ``inputs`` (name -> (N, C, H, W) uint8 or float in [0, 1]) and ``data_samples``,
                which may be ``None`` in training.
            training: Use the training noise and its iteration stream, and do not pad.

        Returns:
            The same keys; ``inputs`` in the network's range.
        """
        batch = self.load(data)
        if training:
            return self._train_batch(batch)
        return self.test_batch(batch, self.noises.get('test'))

    def load(self, data: Batch) -> Batch:
        """Move to the device and convert to float32 in [0, 1]; a clean set is its own source."""
        data = self.cast_data(data)
        inputs = {name: _to_float(image) for name, image in data['inputs'].items()}
        if 'source' not in inputs and 'target' in inputs:
            inputs['source'] = inputs['target']
        return {'inputs': inputs, 'data_samples': data.get('data_samples')}

    def _train_batch(self, batch: Batch) -> Batch:
        inputs = batch['inputs']
        if 'train' in self.noises:
            target = self._noisy_input(inputs)
            noisy, level = self._corrupted(inputs[target], self.noises['train'], self.generator)
            noisy = self._where_noisy(inputs[target], noisy, batch['data_samples'])
            inputs = {**inputs, target: noisy}
        else:
            level = level_input(self.noise_level, inputs)
        inputs = {name: without_border(image, self.crop_border) for name, image in inputs.items()}
        dithered = {
            name: self.normalise(image, self._dither(image)) for name, image in inputs.items()
        }
        return {**batch, 'inputs': dithered | level}

    def _corrupted(
        self, clean: Tensor, noise: BaseNoise, generator: Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the noisy images, and the input ``level`` where it is wanted."""
        noisy, params = noise.with_params(clean, generator)
        return noisy, noise_level(self.noise_level, noise, clean, noisy, params)

    def _dither(self, image: Tensor) -> Tensor | float:
        return uniform_like(image, self.generator) if self.dequantise else 0.5

    def test_batch(
        self,
        batch: Batch,
        noise: BaseNoise | None,
        seed: int | None = None,
        repetition: int = 0,
        target: str | None = None,
    ) -> Batch:
        """Corrupt, record and normalise a loaded batch; the batch itself is not changed.

        Fills ``gt`` and ``input`` of new copies of the samples. One stream per image: the result
        depends on noise name, sample key, seed and repetition alone.

        Args:
            batch: What :meth:`load` returned.
            noise: The noise of this evaluation; ``None``: none.
            seed: Base seed; ``None``: the seed of the config's noise.
            repetition: Which of several independent draws.
            target: The input that becomes noisy; ``None``: that of the config's noise.

        Raises:
            ConfigError: If the batch has no samples, or not the input that the noise is for.
        """
        inputs, samples = dict(batch['inputs']), _copies(batch['data_samples'])
        if noise is not None:
            target = self._noisy_input(inputs, target)
            seed = self.noise_seed if seed is None else seed
            keys = [sample.key for sample in samples]
            streams = noise.streams(keys, seed, repetition=repetition)
            noisy, level = self._corrupted(inputs[target], noise, streams)
            inputs[target] = self._where_noisy(inputs[target], noisy, samples)
        else:
            level = level_input(self.noise_level, inputs)
        for index, sample in enumerate(samples):
            _record(sample, inputs, index, noise)
        padded = {name: self.pad(self.normalise(image)) for name, image in inputs.items()}
        return {'inputs': padded | level, 'data_samples': samples}

    def _noisy_input(self, inputs: Mapping[str, Tensor], target: str | None = None) -> str:
        target = self.noise_target if target is None else target
        if target not in inputs:
            raise ConfigError(f'noise.target={target!r}: the batch has {", ".join(inputs)}')
        return target

    def _where_noisy(
        self, clean: Tensor, noisy: Tensor, samples: Sequence[EditSample] | None
    ) -> Tensor:
        """Return ``noisy``; without ``noise_pad``, ``clean`` with noise on the pictures alone."""
        if self.noise_pad:
            return noisy
        if samples is None:
            raise ConfigError(
                'noise_pad=False needs data_samples, which say where the picture is; '
                'set samples=True where the data set leaves them out (WholeSet)'
            )
        mixed = noisy.clone()
        for index, sample in enumerate(samples):
            rows, columns = picture(sample, clean)
            mixed[index] = clean[index]
            mixed[index, :, rows, columns] = noisy[index, :, rows, columns]
        return mixed

    def normalise(self, image: Tensor, dither: Tensor | float = 0.5) -> Tensor:
        """Map [0, 1] to the network's range.

        Args:
            image: Of any shape.
            dither: With ``dequantise``: where in its 8-bit step a value comes to lie, in [0, 1).
        """
        if self.dequantise:
            step = self.scale / 256
            return torch.add(image * (255 * step) + self.shift, dither, alpha=step)
        return image * self.scale + self.shift if self.scale != 1 else image

    def restore(self, image: Tensor) -> Tensor:
        """Map the network's range to [0, 1]; neither clipped nor cropped."""
        if self.dequantise:
            return from_steps((image - self.shift) * (256 / self.scale))
        return (image - self.shift) / self.scale if self.scale != 1 else image

    def pad(self, image: Tensor) -> Tensor:
        """Pad right and bottom to a multiple of ``pad_multiple``, reflecting where it fits."""
        height, width = image.shape[-2:]
        bottom, right = -height % self.pad_multiple, -width % self.pad_multiple
        if not (bottom or right):
            return image
        mode = 'reflect' if bottom < height and right < width else 'replicate'
        return functional.pad(image, (0, right, 0, bottom), mode=mode)

    def crop_back(self, image: Tensor, sample: EditSample) -> Tensor:
        """Undo all padding of one (C, H, W) image: return the size that ``sample.input`` has."""
        rows, columns = picture(sample, sample.input if 'input' in sample else image)
        return image[:, rows, columns]


def from_steps(steps: Tensor) -> Tensor:
    """Return [0, 1] for [0, 256) of dequantised images: ``(steps - 1/2) / 255``.

    Within a step values move by up to 0.005 / 255 towards its middle, so that rounding to 8 bits
    gives ``floor(steps)`` exactly; the gradient is that of the formula.
    """
    inward = 0.01 * (0.5 - (steps - steps.floor())).detach()
    return (steps - 0.5 + inward) / 255


def picture(sample: EditSample, image: Tensor) -> tuple[slice, slice]:
    """Return rows and columns of the picture: the sample's ``window``, else all of ``image``."""
    top, left, height, width = sample.get('window', (0, 0, *image.shape[-2:]))
    return slice(top, top + height), slice(left, left + width)


def without_border(image: Tensor, border: int) -> Tensor:
    """Return images (N, C, H, W) without ``border`` pixels on every side."""
    inner = image[..., border:-border, border:-border] if border else image
    if not inner.numel():
        raise ConfigError(f'border of {border} pixels: that is all of {tuple(image.shape)}')
    return inner


def _to_float(image: Tensor) -> Tensor:
    return image.float().div_(255) if image.dtype == torch.uint8 else image.float()


def _copies(samples: list[EditSample] | None) -> list[EditSample]:
    if samples is None:
        raise ConfigError(
            'a test batch needs data_samples, one EditSample with its key per image; '
            'collate with edit_collate'
        )
    return [sample.new() for sample in samples]


def _record(
    sample: EditSample, inputs: Mapping[str, Tensor], index: int, noise: BaseNoise | None
) -> None:
    if noise is not None or 'noise' not in sample:  # the pipeline may have noted its own
        sample.set_metainfo({'noise': repr(noise) if noise is not None else 'none'})
    rows, columns = picture(sample, next(iter(inputs.values())))
    image = inputs.get('source', inputs.get('real'))
    if image is not None:
        sample.set_data({'input': image[index][:, rows, columns]})
    if 'target' in inputs:
        sample.set_data({'gt': inputs['target'][index][:, rows, columns]})
