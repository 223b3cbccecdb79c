"""NoiseTransfer: generated noise like that of one reference image.

Lee, Kim: NoiseTransfer: Image Noise Generation with Contrastive Embeddings. ACCV 2022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from mmengine.dist import all_gather, get_rank
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from noiseedit.models.base import EditModel, Inputs, Losses, Phase, required
from noiseedit.models.noise_transfer.contrae import Encoded
from noiseedit.models.noise_transfer.layers import CONDITION
from noiseedit.models.noise_transfer.losses import (
    consistency,
    contrast_accuracy,
    contrast_logits,
    info_nce,
    matching,
    unit_columns,
)
from noiseedit.models.noise_transfer.settings import (
    check_numbers,
    check_preprocessor,
    weights_of_terms,
)
from noiseedit.models.noise_transfer.step import Step
from noiseedit.models.preprocessor import Batch
from noiseedit.noises import SampleStreams
from noiseedit.noises.random import Generator
from noiseedit.registry import DISCRIMINATORS, GENERATORS, LOSSES, MODELS
from noiseedit.seeding import derive_seed, generator_for
from noiseedit.structures import EditSample

Spec = Mapping[str, Any]


@MODELS.register_module()
class NoiseTransfer(EditModel):
    """Noise of the kind that a reference has, on any clean image (Lee and Kim 2022).

    ``noisy = clean + generator(clean, encoder(reference))``. Inputs: ``source`` clean, ``target``
    the same with real noise, ``reference`` another image with the same noise; a test without
    ``reference`` takes ``target`` for it (paired use).

    An iteration: the references' embeddings from ``encoder`` (no gradient); a step of ``generator``
    against ``discriminator``, which is encoder and judge of patches at once; a step of
    ``discriminator``, whose passes over the real images are those of before the generator's step;
    then ``encoder`` moves towards it, ``w <- m w + (1 - m) w_discriminator``, and the embeddings
    enter ``queue``, negatives of later iterations. Several processes compare with, and enqueue, the
    embeddings of all, in order of their ranks: the same as one process with the whole batch.

    Deviations: the queue is a buffer, saved and resumed, where the release starts it anew. The
    encoder starts as a copy of the discriminator with its singular vectors (buffers of spectral
    norm; the release copies parameters alone, and starts from random vectors); later they follow by
    their own power iterations, as in the release, and only parameters are averaged.

    Args:
        generator: Config of the generator, or the network: ``VUNet``.
        discriminator: Config of encoder and judge, or the network: ``ContraE``; copied as
            ``encoder``.
        gan_loss: Config of the adversarial loss; None: non-saturating, mean over the three scales,
            the discriminator's two terms halved.
        weights: Term -> factor, where not as published: see
            :data:`~noiseedit.models.noise_transfer.settings.WEIGHTS`.
        temperature: T of the contrastive losses.
        queue_size: Embeddings kept as negatives; 0: those of the batch alone, which short trainings
            need (``docs/noise_transfer.md``).
        momentum: m of the encoder.
        num_draws: Generated images per clean one in tests; of more than one, ``pred`` is the first
            and ``draws`` holds all, for metrics with ``num_samples``.
        iterate_in_tests: Let spectral norms go on with their power iterations in tests, as the
            release does, which never leaves training mode: results then depend on what was
            generated before.
        kwargs: ``data_preprocessor``, ``channels_last``; see :class:`EditModel`.

    Raises:
        ConfigError: On an unknown term, a number out of range, or a preprocessor with another range
            than [0, 1] or with noise on the clean image.
    """

    queue: Tensor
    queue_pointer: Tensor

    def __init__(
        self,
        generator: Spec | nn.Module,
        discriminator: Spec | nn.Module,
        gan_loss: Spec | None = None,
        weights: Mapping[str, float] | None = None,
        *,
        temperature: float = 0.1,
        queue_size: int = 4096,
        momentum: float = 0.999,
        num_draws: int = 1,
        iterate_in_tests: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_preprocessor(self.data_preprocessor)
        check_numbers(temperature, queue_size, momentum, num_draws)
        self.generator = self.build_network(GENERATORS, generator)
        self.discriminator = self.build_network(DISCRIMINATORS, discriminator)
        self.encoder = deepcopy(self.discriminator).requires_grad_(False)
        self.gan_loss = LOSSES.build(dict(gan_loss or {'type': 'VanillaGANLoss', 'd_weight': 0.5}))
        self.weights = weights_of_terms(weights or {})
        self.temperature, self.momentum = temperature, momentum
        self.num_draws, self.iterate_in_tests = num_draws, iterate_in_tests
        seed = derive_seed(0, 'model', 'NoiseTransfer.queue')  # the same on every rank
        self.register_buffer('queue', unit_columns(queue_size, generator_for(seed), CONDITION))
        self.register_buffer('queue_pointer', torch.zeros((), dtype=torch.long))
        self.step: Step | None = None

    def train(self, mode: bool = True) -> NoiseTransfer:
        """Set the mode; with ``iterate_in_tests`` spectral norms stay in training mode."""
        super().train(mode)
        if self.iterate_in_tests:
            self.generator.train()
            self.encoder.train()
        return self

    def phases(self) -> Sequence[Phase]:
        """Return the generator's step, then the discriminator's."""
        return (
            Phase('generator', 'loss_g', ('generator',)),
            Phase('discriminator', 'loss_d', ('discriminator',)),
        )

    def training_only(self) -> set[str]:
        """Return the discriminator and the queue: a prediction needs generator and encoder."""
        return super().training_only() | {'queue', 'queue_pointer'}

    # What it is used for.

    def embed(self, reference: Tensor) -> Tensor:
        """Describe the noise of images.

        Args:
            reference: (N, 3, H, W) noisy, in [0, 1], of any size from 8 x 8 pixels.

        Returns:
            (N, 128) float32, of unit length.
        """
        return self.encoder(reference).embedding.float()

    def transfer(
        self, clean: Tensor, embedding: Tensor, generator: Generator | None = None
    ) -> Tensor:
        """Return noisy images, ``clean + G(clean, embedding)``: neither clipped nor rounded.

        Args:
            clean: (N, 3, H, W) in [0, 1].
            embedding: (N, 128) from :meth:`embed`.
            generator: Source of the random maps; None: a stream of the config's noise seed, the
                same at every call.
        """
        if generator is None:
            seed = derive_seed(self.data_preprocessor.noise_seed, 'eval', 'NoiseTransfer')
            generator = generator_for(seed, clean.device)
        return clean + self.generator(clean, embedding, generator)

    def translate(self, inputs: Inputs) -> Tensor:
        """Return ``source`` with noise like that of ``reference``, or else of ``target``."""
        return self.transfer(required(inputs, 'source', self), self.embed(self._reference(inputs)))

    @torch.no_grad()
    def predict(self, inputs: Inputs, samples: list[EditSample]) -> list[EditSample]:
        """Fill ``pred``, and ``draws`` of several; random maps depend on key and draw alone."""
        clean, embedding = required(inputs, 'source', self), self.embed(self._reference(inputs))
        streams = [self._streams(samples, draw) for draw in range(self.num_draws)]
        draws = torch.stack([self.transfer(clean, embedding, s).float() for s in streams], 1)
        for sample, images in zip(samples, draws, strict=True):
            images = torch.stack([self.data_preprocessor.crop_back(i, sample) for i in images])
            sample.set_data({'pred': images[0]})
            if self.num_draws > 1:
                sample.set_data({'draws': images})
        return samples

    def _streams(self, samples: list[EditSample], draw: int) -> SampleStreams:
        seed = self.data_preprocessor.noise_seed
        keys = [sample.key for sample in samples]
        return SampleStreams([derive_seed(seed, 'eval', 'NoiseTransfer', k, draw) for k in keys])

    def _reference(self, inputs: Inputs) -> Tensor:
        return inputs['reference'] if 'reference' in inputs else required(inputs, 'target', self)

    # Training.

    def train_step(self, data: Batch, optim_wrapper: OptimWrapper) -> Losses:
        """Run both phases, then move the encoder and enqueue the embeddings.

        Returns:
            The losses; ``contrast/accuracy`` of real and ``contrast/accuracy_fake`` of generated
            images, in [0, 1]; ``noise/real`` and ``noise/fake``, root mean squares in [0, 1].
        """
        logs = super().train_step(data, optim_wrapper)
        step, self.step = self._current(), None
        if optim_wrapper['discriminator'].should_update():
            self.move_encoder()
        self.enqueue(step.keys)
        return {**logs, **step.logged}

    def prepare(self, inputs: Inputs) -> Inputs:
        """Keep what both phases need: embeddings of references, passes over the real images."""
        clean, noisy = (required(inputs, name, self) for name in ('source', 'target'))
        with torch.no_grad():
            key = self.embed(required(inputs, 'reference', self))
            keys = torch.cat(all_gather(key))
            rms = (noisy - clean).float().square().mean().sqrt()
        encoded = self.discriminator(noisy)
        judged = self.discriminator(noisy, clean, key)
        logged = {'noise/real': rms}
        self.step = Step(clean, noisy, key, keys, encoded, judged, noisy, logged)
        return inputs

    def loss_g(self, inputs: Inputs) -> Losses:
        """Return the generator's terms: gan, contrast, consistency and both features."""
        step = self._current()
        noise = self.generator(step.clean, step.key, self.data_preprocessor.generator)
        fake = step.clean + noise
        encoded, judged = self.discriminator(fake), self.discriminator(fake, step.clean, step.key)
        logits = self._logits(encoded, step)
        step.fake = fake.detach()
        step.logged['noise/fake'] = noise.detach().float().square().mean().sqrt()
        step.logged['contrast/accuracy_fake'] = contrast_accuracy(logits, self._first(step))
        return {
            'gan': self.gan_loss.generator(judged.logits),
            'contrast': self.weights['contrast'] * info_nce(logits, self._first(step)),
            'consistency': self.weights['consistency'] * consistency(step.noisy, fake),
            'encoder_features': self.weights['encoder_features']
            * matching(encoded.features, step.encoded.features),
            'judge_features': self.weights['judge_features']
            * matching(judged.features, step.judged.features),
        }

    def loss_d(self, inputs: Inputs) -> Losses:
        """Return the discriminator's terms: contrast, real and fake."""
        step = self._current()
        logits = self._logits(step.encoded, step)
        step.logged['contrast/accuracy'] = contrast_accuracy(logits.detach(), self._first(step))
        fake = self.discriminator(step.fake, step.clean, step.key)
        return {
            'contrast': self.weights['d_contrast'] * info_nce(logits, self._first(step)),
            'real': self.gan_loss.real(step.judged.logits),
            'fake': self.gan_loss.fake(fake.logits),
        }

    @torch.no_grad()
    def move_encoder(self) -> None:
        """Move the parameters of ``encoder`` towards the discriminator, by 1 - momentum."""
        past, present = (list(net.parameters()) for net in (self.encoder, self.discriminator))
        torch._foreach_lerp_(past, present, 1 - self.momentum)

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Overwrite the oldest columns of the queue; what does not fit before its end is left out.

        Args:
            keys: (M, 128), of unit length.
        """
        size, start = self.queue.shape[1], int(self.queue_pointer)
        if not size:
            return
        fitting = min(len(keys), size - start)
        self.queue[:, start : start + fitting] = keys[:fitting].T
        self.queue_pointer.fill_((start + fitting) % size)

    def _logits(self, encoded: Encoded, step: Step) -> Tensor:
        return contrast_logits(encoded.embedding, step.keys, self.queue, self.temperature)

    def _first(self, step: Step) -> int:
        """Return the place of this process' first image among the embeddings of all."""
        return get_rank() * len(step.key)

    def _current(self) -> Step:
        if self.step is None:
            raise RuntimeError('NoiseTransfer: prepare(inputs) comes before the losses')
        return self.step
