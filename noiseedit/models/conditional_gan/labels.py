"""Class labels on their way to a model, and what their noise means for its losses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from noiseedit.errors import DataError
from noiseedit.models.preprocessor import Batch, EditPreprocessor
from noiseedit.noises.random import Generator, uniform
from noiseedit.registry import MODELS


@MODELS.register_module()
class LabelledPreprocessor(EditPreprocessor):
    """A preprocessor that hands the classes of a training batch on, as the input ``label``.

    The class of an image is ``label`` in the metainfo of its sample (CIFAR-10 gives it;
    ``WholeSet`` with ``samples=True``). Batches of one's own may hold ``labels``, (N,), instead.

    Args:
        num_classes: Labels must be below this.
        kwargs: See :class:`~noiseedit.models.preprocessor.EditPreprocessor`.
    """

    def __init__(self, num_classes: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def forward(self, data: Batch, training: bool = False) -> Batch:
        """Prepare a batch; in training, ``inputs['label']`` is (N,) int64.

        Raises:
            DataError: If an image has no label, or one out of range.
        """
        batch = super().forward(data, training)
        if training:
            labels = self._labels(data).to(self.device, non_blocking=True)
            batch['inputs'] = {**batch['inputs'], 'label': labels}
        return batch

    def _labels(self, data: Batch) -> Tensor:
        if 'labels' in data:
            labels = torch.as_tensor(data['labels']).long()
            if not bool(((labels >= 0) & (labels < self.num_classes)).all()):
                raise DataError(f'labels: expected 0..{self.num_classes - 1}, got {labels}')
            return labels
        samples = data.get('data_samples')
        if samples is None:
            raise DataError(
                'a conditional model needs class labels; the batch has no samples that hold them: '
                'set samples=True of WholeSet'
            )
        return torch.tensor([self._label(sample) for sample in samples])

    def _label(self, sample: Any) -> int:
        label = sample.get('label')
        if label is None or not 0 <= label < self.num_classes:
            raise DataError(
                f'{sample.key!r}: expected a label in 0..{self.num_classes - 1}, got {label!r}; '
                'set num_classes of preprocessor and networks to those of the data'
            )
        return int(label)


def forward_corrected(logits: Tensor, noisy: Tensor, transition: Tensor | None) -> Tensor:
    """Return mean -log((softmax(logits) T)[noisy] + 1e-8), rGAN's class loss on noisy labels.

    Args:
        logits: (N, K) of the clean classes.
        noisy: (N,) labels.
        transition: T[clean, noisy]; None: labels are clean, the cross-entropy.
    """
    if transition is None:
        return functional.cross_entropy(logits.float(), noisy)
    given = transition.T[
        noisy
    ]  # p(noisy | clean) by clean class; no matrix product: float32 always
    probability = (logits.float().softmax(1) * given).sum(1)
    return -(probability + 1e-8).log().mean()


def clean_posterior(transition: Tensor) -> Tensor:
    """Return p(clean | noisy), [noisy, clean], for classes that are equally frequent.

    Proportional to T[clean, noisy]. A noisy label that T never gives counts as clean, where the
    classes are the same.
    """
    total = transition.sum(0)
    identity = torch.eye(*transition.shape).to(transition)
    return torch.where(total > 0, transition / total, identity).T.contiguous()


def draw_classes(probabilities: Tensor, generator: Generator) -> Tensor:
    """Draw one class per row of (N, K) probabilities, (N,) int64."""
    u = uniform((len(probabilities), 1), generator).to(probabilities)
    drawn = (u >= probabilities.cumsum(1)).sum(1)
    return drawn.clamp_(max=probabilities.shape[1] - 1)


def posterior_divergence(target: Tensor, logits: Tensor) -> Tensor:
    """Return mean KL(target || softmax(logits)), CP-GAN's class loss of generated images.

    Args:
        target: (N, K) probabilities.
        logits: (N, K).
    """
    return functional.kl_div(logits.float().log_softmax(1), target, reduction='batchmean')
