"""Class-conditional GANs for labels that are noisy, or classes that overlap.

rGAN: Kaneko, Ushiku, Harada: Label-Noise Robust Generative Adversarial Networks. CVPR 2019.
CP-GAN: Kaneko, Ushiku, Harada: Class-Distinct and Class-Mutual Image Generation with GANs. BMVC
2019. AC-GAN and projection cGAN are the same without either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.errors import ConfigError, DataError
from noiseedit.models.base import EditModel, Inputs, Losses, Phase, required
from noiseedit.models.conditional_gan.labels import (
    clean_posterior,
    draw_classes,
    forward_corrected,
    posterior_divergence,
)
from noiseedit.models.conditional_gan.networks import class_weights
from noiseedit.noises import SampleStreams
from noiseedit.noises.label_noise import TransitionSpec, transition_matrix
from noiseedit.noises.random import Generator, integers, normal
from noiseedit.registry import DISCRIMINATORS, GENERATORS, LOSSES, MODELS
from noiseedit.seeding import derive_seed
from noiseedit.structures import EditSample

Spec = Mapping[str, Any]


@MODELS.register_module()
class ConditionalGAN(EditModel):
    """``x = generator(z, class)`` against a discriminator that knows classes.

    An iteration is ``d_steps`` steps of the discriminator, each on its own part of the batch, then
    one of the generator. Latents, classes of generated images and penalties draw anew each time.

    What a generated image is conditioned on:

    * labels of the batch (AC-GAN, cGAN);
    * with ``transition`` (rGAN): a clean label from p(clean | noisy label of the batch); the
      classifier head learns by the forward-corrected loss, a projection head judges the image with
      the noisy label;
    * with ``posterior`` (CP-GAN): s = softmax C(real image), detached, as class weights; the
      generator's class loss is KL(s || softmax C(generated)).

    Args:
        generator: Config, or the network: (latent, labels or class weights) -> images; with
            ``latent_channels`` and ``num_classes``.
        discriminator: Config, or the network: (images, labels) -> ``Judgement``.
        gan_loss: Config of the adversarial loss.
        penalty: Config of a loss of (critic, real, generated, stream) for the discriminator, such
            as ``GradientPenalty``; None: none.
        transition: Label noise, known: see
            :func:`~noiseedit.noises.label_noise.transition_matrix`; None: labels are clean.
        posterior: Condition on the classifier's posterior.
        class_weight: Factor of the discriminator's class loss on real images.
        generator_class_weight: Factor of the generator's class loss: 0.1 in rGAN, 0.4 in CP-GAN.
        d_steps: Steps of the discriminator in an iteration; divides the batch.
        generator_batch_factor: Images per generator step, in those of one discriminator step.
        kwargs: ``data_preprocessor`` (``LabelledPreprocessor``), ``channels_last``; see
            :class:`EditModel`.

    Raises:
        ConfigError: If options exclude each other, or counts are no positive whole numbers.
    """

    def __init__(
        self,
        generator: Spec | nn.Module,
        discriminator: Spec | nn.Module,
        gan_loss: Spec,
        penalty: Spec | None = None,
        transition: TransitionSpec | None = None,
        *,
        posterior: bool = False,
        class_weight: float = 1.0,
        generator_class_weight: float = 0.1,
        d_steps: int = 5,
        generator_batch_factor: int = 2,
        **kwargs: Any,
    ) -> None:
        preprocessor = {
            'type': 'LabelledPreprocessor',
            **(kwargs.pop('data_preprocessor', None) or {}),
        }
        super().__init__(preprocessor, **kwargs)
        self.generator = self.build_network(GENERATORS, generator)
        self.discriminator = self.build_network(DISCRIMINATORS, discriminator)
        self.gan_loss = LOSSES.build(dict(gan_loss))
        self.penalty = None if penalty is None else LOSSES.build(dict(penalty))
        self.posterior = posterior
        self.class_weight, self.generator_class_weight = class_weight, generator_class_weight
        self.d_steps, self.generator_batch_factor = d_steps, generator_batch_factor
        self.latent_channels: int = self.generator.latent_channels
        self.num_classes: int = self.generator.num_classes
        matrix = None if transition is None else transition_matrix(transition).float()
        self._check(matrix)
        self.register_buffer('transition', matrix, persistent=False)
        given = None if matrix is None else clean_posterior(matrix)
        self.register_buffer('clean_given_noisy', given, persistent=False)

    def _check(self, matrix: Tensor | None) -> None:
        for name in ('d_steps', 'generator_batch_factor'):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f'model.{name}: expected a positive whole number, got {value!r}')
        if matrix is not None and self.posterior:
            raise ConfigError('model: transition (rGAN) and posterior (CP-GAN) exclude each other')
        if matrix is not None and matrix.shape != (self.num_classes,) * 2:
            raise ConfigError(
                f'model.transition: expected {self.num_classes} x {self.num_classes}, as '
                f'generator.num_classes, got {tuple(matrix.shape)}'
            )
        if self.posterior and self.discriminator.head != 'classifier':
            raise ConfigError("model.posterior: needs discriminator.head='classifier'")

    def phases(self) -> Sequence[Phase]:
        """Return the discriminator's steps, each on a part of the batch, then the generator's."""
        steps = [
            Phase('discriminator', 'loss_d', ('discriminator',), (step, self.d_steps))
            for step in range(self.d_steps)
        ]
        return (*steps, Phase('generator', 'loss_g', ('generator',)))

    def loss_d(self, inputs: Inputs) -> Losses:
        """Return the discriminator's terms: real, fake and, where asked for, class and penalty."""
        real, label = required(inputs, 'real', self), required(inputs, 'label', self)
        judged = self.discriminator(real, label)
        with torch.no_grad():
            condition = self.condition(judged.classes, label)
            fake = self.generator(self.latent(len(real), self.stream), condition)
        losses = {
            'real': self.gan_loss.real(judged.logits),
            'fake': self.gan_loss.fake(self.discriminator(fake, label).logits),
        }
        if judged.classes is not None:
            loss = forward_corrected(judged.classes, label, self.transition)
            losses['class'] = self.class_weight * loss
        if self.penalty is not None:
            losses['penalty'] = self.penalty(
                lambda image: self.discriminator(image, label).logits, real, fake, self.stream
            )
        return losses

    def loss_g(self, inputs: Inputs) -> Losses:
        """Return the generator's terms: gan and, with a classifier head, class."""
        real, label = self._generator_part(inputs)
        condition = self.condition(self._classes(real, label), label)
        fake = self.generator(self.latent(len(label), self.stream), condition)
        judged = self.discriminator(fake, label)
        losses = {'gan': self.gan_loss.generator(judged.logits)}
        if judged.classes is not None:
            losses['class'] = self.generator_class_weight * self._class_loss(
                judged.classes, condition
            )
        return losses

    def _generator_part(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return the real images and labels that the generator's step starts from."""
        real, label = required(inputs, 'real', self), required(inputs, 'label', self)
        count = self.generator_batch_factor * len(real) // self.d_steps
        rows = torch.arange(count, device=real.device) % len(real)
        return real[rows], label[rows]

    @torch.no_grad()
    def _classes(self, real: Tensor, label: Tensor) -> Tensor | None:
        return self.discriminator(real, label).classes if self.posterior else None

    def condition(self, classes: Tensor | None, label: Tensor) -> Tensor:
        """Return what images are generated for: (N,) labels, or (N, K) class weights.

        Args:
            classes: Logits of real images, for the posterior.
            label: (N,) labels of the batch.
        """
        if self.posterior and classes is not None:
            return classes.detach().float().softmax(1)
        if self.clean_given_noisy is None:
            return label
        return draw_classes(self.clean_given_noisy[label], self.stream)

    def _class_loss(self, classes: Tensor, condition: Tensor) -> Tensor:
        if self.posterior:
            return posterior_divergence(condition, classes)
        return functional.cross_entropy(classes.float(), condition)

    @property
    def stream(self) -> torch.Generator:
        """The stream of this iteration."""
        return self.data_preprocessor.generator

    def latent(self, n: int, generator: Generator) -> Tensor:
        """Draw ``n`` latents N(0, 1), (n, latent_channels), on the model's device."""
        return normal((n, self.latent_channels), generator).to(self.data_preprocessor.device)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator, condition: Tensor | None = None) -> Tensor:
        """Return ``n`` generated images, (n, C, H, W) float32 in [0, 1]; see :meth:`draw`."""
        return self.restored(*self.draw(n, generator, condition)).clamp(0, 1)

    def draw(
        self, n: int, generator: Generator, condition: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return what ``n`` images are generated from: latents and class weights (n, K).

        Args:
            n: How many.
            generator: Source of latents, and of classes where none are given.
            condition: (n,) labels or (n, K) class weights; None: classes equally likely.
        """
        latent = self.latent(n, generator)
        if condition is None:
            condition = integers((n, 1), 0, self.num_classes - 1, generator)[:, 0]
        return latent, class_weights(condition, self.num_classes).to(latent.device)

    def restored(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Return the images of latents and classes (or class weights), float32 around [0, 1]."""
        return self.data_preprocessor.restore(self.generator(latent, condition).float())

    @torch.no_grad()
    def pictures(self, n: int, generator: Generator) -> dict[str, Tensor]:
        """Return images of ``n`` latents in every class, a row each; (n, C, H, W) in [0, 1]."""
        latent = self.latent(n, generator)
        labels = torch.arange(self.num_classes, device=latent.device)[:, None].expand(-1, n)
        return {
            f'class {number}': self.restored(latent, row).clamp(0, 1)
            for number, row in enumerate(labels)
        }

    def translate(self, inputs: Inputs) -> Tensor:
        """Return ``generator(latent, label)``."""
        label = required(inputs, 'label', self)
        return self.generator(required(inputs, 'latent', self), label)

    @torch.no_grad()
    def predict(self, inputs: Inputs, samples: list[EditSample]) -> list[EditSample]:
        """Fill ``pred`` of every sample: an image of its class, whose latent its key decides.

        A sample without ``label`` gets a class drawn from its key.
        """
        seed = self.data_preprocessor.noise_seed
        streams = SampleStreams([derive_seed(seed, 'eval', 'latent', s.key) for s in samples])
        images = self.sample(len(samples), streams, self._wanted(samples, seed))
        for sample, image in zip(samples, images, strict=True):
            sample.set_data({'pred': image})
        return samples

    def _wanted(self, samples: list[EditSample], seed: int) -> Tensor:
        labels = torch.tensor(
            [
                s.get('label', derive_seed(seed, 'eval', 'class', s.key) % self.num_classes)
                for s in samples
            ]
        )
        if int(labels.max()) >= self.num_classes:
            raise DataError(
                f'expected labels in 0..{self.num_classes - 1}, got {int(labels.max())}: the test '
                'pipeline must give the same classes as that of training (NoisyLabel in both)'
            )
        return labels
