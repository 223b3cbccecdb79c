"""What a noise is: parameters drawn per image, and a pure function of image and parameters."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.noises.level import Level, Number, Unit, one_level
from noiseedit.noises.random import Generator, SampleStreams
from noiseedit.seeding import derive_seed

Gradient = Literal['path', 'ste', 'none']
Params = dict[str, Tensor]

WEAKER: tuple[Gradient, ...] = ('path', 'ste', 'none')  # each keeps less than the one before


class BaseNoise(nn.Module):
    """A noise model, written once for pipeline, batch, sweep and measurement.

    A new noise implements :meth:`apply` and, where it has more parameters than its level,
    :meth:`sample_params`. Both are pure: randomness comes from ``generator`` alone, nothing is
    clipped, nothing is remembered.

    Args:
        level: Strength of the noise, or a range that is drawn from once per image.
        clip: Clip the noisy image to [0, 1].
        quantize: Round the noisy image to multiples of 1/255 (half to even), after clipping.
        gradient: Keep less gradient than the class offers, e.g. ``'ste'`` for a measurement
            whose scale is held constant; ``None``: what the class declares.
        name: Replaces the class name in seeds and result files.

    Attributes:
        gradient: What backward through the noise means: ``'path'`` (exact pathwise derivative),
            ``'ste'`` (straight-through: backward as if the noise were the identity), ``'none'``
            (no gradient reaches ``x``). A class declares it; this base enforces it.
        example: Constructor arguments that show the noise well, for pictures and tests.
        shown: Attributes that ``repr`` shows beside level and post-processing.
        name: What seeds of the stream ``eval`` and result files call this noise; holds no level.

    Raises:
        ConfigError: If ``gradient`` asks for more than the class offers.
    """

    gradient: Gradient = 'path'
    example: ClassVar[dict[str, Any]] = {}
    shown: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        level: Level | None = None,
        *,
        clip: bool = False,
        quantize: bool = False,
        gradient: Gradient | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self.level = level
        self.clip = clip
        self.quantize = quantize
        self.name = name or type(self).__name__
        if gradient is not None:
            self.gradient = self._weakened(gradient)

    def _weakened(self, gradient: Gradient) -> Gradient:
        offered = WEAKER[WEAKER.index(self.gradient) :]
        if gradient not in offered:
            raise ConfigError(f'{self.name}: gradient: expected one of {offered}, got {gradient!r}')
        return gradient

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw the parameters of ``n`` images; every value has first dimension ``n``.

        The default draws the level: ``{'sigma': (n, 1, 1, 1)}`` in [0, 1] units for levels named
        sigma or variance, else ``{level.name: (n, 1, 1, 1)}``.
        """
        if self.level is None:
            return {}
        key = 'sigma' if self.level.name == 'variance' else self.level.name
        return {key: self.level.sample(n, generator)}

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Return the noisy images; pure, unclipped.

        Args:
            x: (N, C, H, W) float32 in [0, 1].
            params: What :meth:`sample_params` drew for these images.
            generator: Source of all randomness.
        """
        raise NotImplementedError(f'{type(self).__name__} must implement apply')

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return E[noisy | x, params] before clipping; here ``x``: most noises are unbiased."""
        return x

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return Var[noisy | x, params], broadcastable to ``x``, before clipping, in [0, 1] units.

        Raises:
            NotImplementedError: Where the noise has no closed form.
        """
        raise NotImplementedError(f'{type(self).__name__} has no closed-form variance')

    def forward(self, x: Tensor, *, generator: Generator | None = None) -> Tensor:
        """Draw parameters, apply the noise, then clip and round if the spec says so.

        Args:
            x: (N, C, H, W) float32 in [0, 1].
            generator: A ``torch.Generator`` or :class:`~noiseedit.noises.random.SampleStreams`.

        Raises:
            ValueError: If ``generator`` is missing (no noise draws from the global state) or ``x``
                is not a 4-D float tensor.
        """
        return self.with_params(x, generator)[0]

    def with_params(self, x: Tensor, generator: Generator | None) -> tuple[Tensor, Params]:
        """Do what :meth:`forward` does; return also the parameters that were drawn."""
        if generator is None:
            raise ValueError(
                f'{self.name}: generator is missing; pass torch.Generator().manual_seed(...)'
            )
        if x.ndim != 4 or not x.is_floating_point():
            raise ValueError(
                f'{self.name}: expected (N, C, H, W) float in [0, 1], '
                f'got shape {tuple(x.shape)} of {x.dtype}'
            )
        params = {k: v.to(x.device) for k, v in self.sample_params(len(x), generator).items()}
        return self.corrupt(x, params, generator), params

    def corrupt(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Apply with the declared gradient, then clip and round: what composed noises call."""
        if self.gradient == 'path' or not x.requires_grad:
            return self.finish(self.apply(x, params, generator))
        y = self.finish(self.apply(x.detach(), params, generator))
        return straight_through(y, x) if self.gradient == 'ste' else y

    def finish(self, y: Tensor) -> Tensor:
        """Clip and round as the spec says; both are straight-through for the gradient."""
        if not (self.clip or self.quantize):
            return y
        z = y.detach().clamp(0, 1) if self.clip else y.detach()
        if self.quantize:
            z = z.mul(255).round().div(255)
        return straight_through(z, y) if y.requires_grad else z

    def per_sample(
        self,
        x: Tensor,
        keys: Sequence[Hashable],
        seed: int = 0,
        *,
        stream: str = 'eval',
        repetition: int = 0,
    ) -> Tensor:
        """Apply the noise with one stream per image: independent of batch size, device, order.

        Args:
            x: (N, C, H, W) float32 in [0, 1].
            keys: One stable id per image.
            seed: The user's base seed.
            stream: ``'eval'`` (ids: noise name, key, repetition) or ``'data'`` (id: key, visit).
            repetition: Which of several independent draws; the visit for stream ``'data'``.
        """
        return self(x, generator=self.streams(keys, seed, stream=stream, repetition=repetition))

    def streams(
        self,
        keys: Sequence[Hashable],
        seed: int = 0,
        *,
        stream: str = 'eval',
        repetition: int = 0,
    ) -> SampleStreams:
        """Return the streams that :meth:`per_sample` draws from, one per image."""
        head = (self.name,) if stream == 'eval' else ()
        seeds = [derive_seed(seed, stream, *head, key, repetition) for key in keys]
        return SampleStreams(seeds, keys)

    def apply_uint8(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Apply the noise to one 8-bit image, rounding half to even and saturating.

        Classes with :meth:`fast_uint8` use it: same distribution, other draws, several times
        faster. The general path goes through float32.

        Args:
            image: (H, W, C) uint8; not changed.
            seed: Determines the result alone.

        Raises:
            ValueError: If ``image`` is something else.
        """
        if image.ndim != 3 or image.dtype != np.uint8:
            raise ValueError(
                f'{self.name}: expected (H, W, C) uint8, got shape {image.shape} of {image.dtype}'
            )
        fast = self.fast_uint8(image, seed) if self._fast_is_current() else None
        return self._general_uint8(image, seed) if fast is None else fast

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray | None:
        """Do what :meth:`apply_uint8` says in integers; ``None``: not with these settings."""
        return None

    def _fast_is_current(self) -> bool:
        """Whether ``fast_uint8`` belongs to the class that says what the noise is."""
        for cls in type(self).__mro__:
            if 'fast_uint8' in vars(cls):
                return True
            if 'apply' in vars(cls) or 'field' in vars(cls):
                return False
        return False

    def drawn(self, seed: int) -> dict[str, float]:
        """Return the parameters of one image as numbers."""
        params = self.sample_params(1, SampleStreams([seed]))
        return {name: value.item() for name, value in params.items()}

    def _general_uint8(self, image: np.ndarray, seed: int) -> np.ndarray:
        x = torch.tensor(image).permute(2, 0, 1)[None].float().div_(255)
        y = self(x, generator=SampleStreams([seed]))[0]
        y = y.mul(255).round_().clamp_(0, 255).to(torch.uint8)
        return y.permute(1, 2, 0).contiguous().numpy()

    def check_files(self) -> None:
        """Raise now what else the first image would: files that are missing. Most need none."""

    def with_level(self, level: Number) -> BaseNoise:
        """Return a copy at another level (number or range), in the unit of the spec.

        Raises:
            ConfigError: If this noise has no level, or refuses this one.
        """
        if self.level is None:
            raise ConfigError(f'{self.name} has no level to change')
        clone = copy.deepcopy(self)
        clone.level = self.level.at(level)
        return clone

    def extra_repr(self) -> str:
        """Show level (in its unit, network units and 8-bit units), settings, post-processing."""
        settings = [(name, getattr(self, name)) for name in self.shown]
        texts = [f'{n}={v}' for n, v in settings if v is not None and v is not False]
        flags = [flag for flag in ('clip', 'quantize') if getattr(self, flag)]
        return ', '.join([*self.strength(), *texts, *flags])

    def strength(self) -> list[str]:
        """Return the texts that say how strong the noise is; composed noises show their members."""
        return [] if self.level is None else [str(self.level)]

    def __repr__(self) -> str:
        """Return one line: name and :meth:`extra_repr` (results and logs hold it)."""
        return f'{self.name.split("(")[0]}({self.extra_repr()})'


class AdditiveNoise(BaseNoise):
    """Base of noises ``y = x + sigma * field`` with a field that does not depend on the image.

    A subclass implements :meth:`field`; level 0 is then the identity, bit for bit.

    Args:
        sigma: Standard deviation, or (low, high) to draw it uniformly per image, in ``unit``.
        variance: Its square instead, in squared ``unit``; a range is uniform in the variance.
        unit: 255, '[0,1]' or '[-1,1]'; must be given.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``; see :class:`BaseNoise`.
    """

    example: ClassVar[dict[str, Any]] = {'sigma': 25, 'unit': 255}

    def __init__(
        self,
        sigma: Number | None = None,
        *,
        variance: Number | None = None,
        unit: Unit | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(one_level(unit, sigma=sigma, variance=variance), **kwargs)

    def field(self, x: Tensor, generator: Generator) -> Tensor:
        """Draw zero-mean noise of unit variance, broadcastable to ``x``, on its device.

        Must be a new tensor: it is overwritten.
        """
        raise NotImplementedError(f'{type(self).__name__} must implement field or apply')

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Return ``x + sigma * field``."""
        field, sigma = self.field(x, generator), params['sigma']
        if field.shape != x.shape or field.dtype != x.dtype or sigma.requires_grad:
            return torch.addcmul(x, sigma, field)
        return field.mul_(sigma).add_(x)  # in place: no second image in memory

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return sigma^2 (N, 1, 1, 1)."""
        return params['sigma'] ** 2


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, x: Tensor) -> Tensor:
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        return grads[0], grads[0]


def straight_through(value: Tensor, x: Tensor) -> Tensor:
    """Return exactly ``value``; backward gives the gradient to ``x`` (and to ``value``) unchanged.

    Args:
        value: What the forward pass computes.
        x: Of the same shape; what ``value`` is treated as in the backward pass.
    """
    return _StraightThrough.apply(value, x)


def image_mean(x: Tensor) -> Tensor:
    """Return the mean of every image, (N, 1, 1, 1), without gradient.

    Summed in float64, so that memory layout and batch size do not show in the float32 result.
    """
    return x.detach().double().mean((1, 2, 3), keepdim=True).float()
