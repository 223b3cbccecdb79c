"""GANs that learn clean images from noisy ones: GAN, AmbientGAN and the NR-GAN family.

Kaneko, Harada: Noise Robust Generative Adversarial Networks. CVPR 2020. One model; what differs is
its degradation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from noiseedit.errors import ConfigError
from noiseedit.models.base import EditModel, Inputs, Losses, Phase, required
from noiseedit.models.nr_gan.degradation import Degraded
from noiseedit.models.nr_gan.finish import Finish
from noiseedit.models.preprocessor import Batch
from noiseedit.noises import NoiseSpec, SampleStreams
from noiseedit.noises.random import Generator, normal
from noiseedit.registry import DISCRIMINATORS, GENERATORS, LOSSES, MODELS
from noiseedit.seeding import derive_seed
from noiseedit.structures import EditSample

Spec = Mapping[str, Any]


@MODELS.register_module()
class NRGAN(EditModel):
    """A clean image generator trained against noisy images (Kaneko and Harada 2020).

    ``x = generator(z)``, ``y = clamp(degradation(x, z))``; the discriminator sees ``real`` images
    of the batch and generated ``y``, never ``x``. An iteration is one step of the discriminator,
    then one of generator and degradation together, each on fresh latents. Predictions are clean
    images ``x``, the latent of each drawn from the key of its sample: the same whatever the batch.

    Args:
        generator: Config of the image generator, or the network, with ``latent_channels``.
        discriminator: Config of the discriminator, or the network. A config counts the channels of
            the image; those of a view are put in here.
        gan_loss: Config of the adversarial loss.
        degradation: Config of what makes an image noisy, or the module; None: ``NoDegradation``.
        measurement: Noise that generated images pass instead of a degradation, applied as its spec
            says; bound by ``noise.where='measurement'``, for images that were noisy from the start.
        penalty: Config of a loss of (logits, images) for the discriminator, such as ``R1Penalty``,
            of the tensor that the discriminator sees; None: none.
        view: Config of what the discriminator sees of an image, such as ``BlurView``: a module with
            ``factor`` times as many channels; None: the image.
        penalty_interval: Add the penalty in every n-th step only, times n (lazy regularisation).
        generator_batch_factor: Images per generator step, in batches of real images.
        finish: Arguments of :class:`Finish`: what else makes generated images like the data; None:
            its defaults, clamping alone.
        kwargs: ``data_preprocessor``, ``channels_last``; see :class:`EditModel`.

    Raises:
        ConfigError: If both ``degradation`` and ``measurement`` are given, or an interval or factor
            is no positive whole number.
    """

    def __init__(
        self,
        generator: Spec | nn.Module,
        discriminator: Spec | nn.Module,
        gan_loss: Spec,
        degradation: Spec | nn.Module | None = None,
        measurement: NoiseSpec | None = None,
        penalty: Spec | None = None,
        view: Spec | None = None,
        *,
        penalty_interval: int = 1,
        generator_batch_factor: int = 2,
        finish: Mapping[str, bool] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _check_count('penalty_interval', penalty_interval)
        _check_count('generator_batch_factor', generator_batch_factor)
        self.penalty_interval = penalty_interval
        self.generator_batch_factor = generator_batch_factor
        self.view = None if view is None else MODELS.build(dict(view))
        self.generator = self.build_network(GENERATORS, generator)
        self.degradation = self.build_network(MODELS, _degradation(degradation, measurement))
        judge = _with_channels(discriminator, self.view)
        self.discriminator = self.build_network(DISCRIMINATORS, judge)
        self.gan_loss = LOSSES.build(dict(gan_loss))
        self.penalty = None if penalty is None else LOSSES.build(dict(penalty))
        self.finish = Finish(**(finish or {}))
        self.latent_channels: int = self.generator.latent_channels
        self.steps = 0
        self.measured: Losses = {}

    def phases(self) -> Sequence[Phase]:
        """Return the discriminator's step, then that of generator and degradation."""
        return (
            Phase('discriminator', 'loss_d', ('discriminator',)),
            Phase('generator', 'loss_g', ('generator', 'degradation')),
        )

    def training_only(self) -> set[str]:
        """Return discriminator and degradation: a prediction is a clean image."""
        return super().training_only() | {'degradation'}

    def train_step(self, data: Batch, optim_wrapper: OptimWrapper) -> Losses:
        """Run both steps; also log the noise: ``noise/sigma``, ``noise/rms``, in [-1, 1] units."""
        logs = super().train_step(data, optim_wrapper)
        self.steps += 1
        return {**logs, **self.measured}

    def loss_d(self, inputs: Inputs) -> Losses:
        """Return the discriminator's terms: real, fake and, when due, penalty."""
        real = required(inputs, 'real', self)
        with torch.no_grad():
            real = self.seen(self.finish.clamp(real)).detach()
            fake = self.seen(self.noisy(len(real)).image)
        due = self.penalty is not None and self.steps % self.penalty_interval == 0
        real.requires_grad_(due)
        logits = self.discriminator(real)
        losses = {
            'real': self.gan_loss.real(logits),
            'fake': self.gan_loss.fake(self.discriminator(fake)),
        }
        if self.penalty is not None and due:
            losses['penalty'] = self.penalty_interval * self.penalty(logits, real)
        return losses

    def loss_g(self, inputs: Inputs) -> Losses:
        """Return the terms of generator and degradation: gan, and the degradation's penalties."""
        made = self.noisy(self.generator_batch_factor * len(required(inputs, 'real', self)))
        self.measured = noise_level(made)
        logits = self.discriminator(self.seen(made.image))
        return {'gan': self.gan_loss.generator(logits), **made.penalties}

    def noisy(self, n: int) -> Degraded:
        """Return ``n`` generated noisy images as the discriminator's view starts from them.

        Raises:
            RuntimeError: If the iteration has no seed.
        """
        stream = self.data_preprocessor.generator
        latent = self.latent(n, stream)
        return self.degrade(self.generator(latent), latent, stream)

    def degrade(self, image: Tensor, latent: Tensor, generator: torch.Generator) -> Degraded:
        """Return generated images with their noise, made like the data as ``finish`` says.

        Args:
            image: (N, C, H, W) in [-1, 1].
            latent: (N, latent_channels), from which ``image`` was generated.
            generator: Source of all randomness.
        """
        made = self.degradation(image, latent, generator)
        return made._replace(image=self.finish(image, made.image, generator))

    def seen(self, image: Tensor) -> Tensor:
        """Return what the discriminator sees of ``image``."""
        return image if self.view is None else self.view(image)

    def latent(self, n: int, generator: Generator) -> Tensor:
        """Draw ``n`` latents N(0, 1), (n, latent_channels), on the model's device."""
        return normal((n, self.latent_channels), generator).to(self.data_preprocessor.device)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Tensor:
        """Return ``n`` generated clean images, (n, C, H, W) float32 in [0, 1]."""
        return self.restored(*self.draw(n, generator)).clamp(0, 1)

    def draw(self, n: int, generator: Generator) -> tuple[Tensor]:
        """Return what ``n`` clean images are generated from: their latents."""
        return (self.latent(n, generator),)

    def restored(self, latent: Tensor) -> Tensor:
        """Return the clean images of ``latent`` (N, latent_channels), float32 around [0, 1]."""
        return self.data_preprocessor.restore(self.generator(latent).float())

    def pictures(self, n: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Return ``n`` generated ``clean`` images and, if they get noise, ``noise`` and ``noisy``.

        Each (n, C, H, W) in [0, 1]; noise, as it was added, around mid-grey.

        Args:
            n: Images.
            generator: Source of latents and noise.
        """
        latent = self.latent(n, generator)
        clean = self.generator(latent).float()
        noisy = self.degrade(clean, latent, generator).image
        restore = self.data_preprocessor.restore
        shown = {'clean': restore(clean)}
        if noisy.shape == clean.shape and not torch.equal(noisy, clean):
            shown |= {'noise': (noisy - clean) / 2 + 0.5, 'noisy': restore(noisy)}
        return {name: image.clamp(0, 1) for name, image in shown.items()}

    def translate(self, inputs: Inputs) -> Tensor:
        """Return ``generator(latent)``."""
        return self.generator(required(inputs, 'latent', self))

    @torch.no_grad()
    def predict(self, inputs: Inputs, samples: list[EditSample]) -> list[EditSample]:
        """Fill ``pred`` of every sample: a generated clean image, whose latent its key decides."""
        seed = self.data_preprocessor.noise_seed
        seeds = [derive_seed(seed, 'eval', 'latent', sample.key) for sample in samples]
        latent = self.latent(len(samples), SampleStreams(seeds))
        for sample, image in zip(samples, self.restored(latent), strict=True):
            sample.set_data({'pred': image})
        return samples

    def training_state(self) -> dict[str, Any]:
        """Return the number of steps done, which decides when a penalty is due."""
        return {'steps': self.steps}

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Continue to count the steps."""
        self.steps = state.get('steps', 0)


@torch.no_grad()
def noise_level(made: Degraded) -> Losses:
    """Return ``noise/sigma``, the mean |sigma| of a prior, and ``noise/rms`` of the noise itself.

    Both in units of [-1, 1]; what the degradation does not define is left out.
    """
    level = {}
    if made.scale is not None:
        level['noise/sigma'] = made.scale.float().abs().mean()
    if made.noise is not None:
        level['noise/rms'] = made.noise.float().square().mean().sqrt()
    return level


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, int) or value < 1:
        raise ConfigError(f'model.{name}: expected a positive whole number, got {value!r}')


def _with_channels(spec: Spec | nn.Module, view: nn.Module | None) -> Spec | nn.Module:
    """Return the discriminator's config for what it sees."""
    if view is None or isinstance(spec, nn.Module):
        return spec
    return {**spec, 'in_channels': getattr(view, 'factor', 1) * spec.get('in_channels', 3)}


def _degradation(
    degradation: Spec | nn.Module | None, measurement: NoiseSpec | None
) -> Spec | nn.Module:
    """Return what makes images noisy; ``measurement`` stands in where nothing else does."""
    degradation = {'type': 'NoDegradation'} if degradation is None else degradation
    spec = degradation if isinstance(degradation, Mapping) else {}
    if measurement is None or spec.get('data_noise') == measurement:  # simulated already
        return degradation
    if spec.get('type') != 'NoDegradation':
        raise ConfigError(
            "NRGAN: got both degradation and measurement (noise.where='measurement'); images are "
            'made noisy by one of them: drop model.degradation, or choose where the noise acts'
        )
    return {'type': 'SimulatedNoise', 'noise': measurement}
