"""Noise of class labels as a pipeline step."""

from __future__ import annotations

from typing import Any

from noiseedit.errors import DataError
from noiseedit.noises.label_noise import TransitionSpec, transition_matrix
from noiseedit.registry import TRANSFORMS
from noiseedit.seeding import derive_seed


@TRANSFORMS.register_module()
class NoisyLabel:
    """Replace ``label`` by one drawn from T[label]; the true one becomes ``clean_label``.

    The draw depends on seed and key alone: an image has the same noisy label at every visit, in
    every run.

    Args:
        transition: See :func:`~noiseedit.noises.label_noise.transition_matrix`; None: labels stay.
            ``config.label_noise`` fills it, and tells the model.
        seed: Base seed of the labels; not that of the data set.

    Raises:
        DataError: If a sample has no label, or one without a row in T.
    """

    def __init__(self, transition: TransitionSpec | None = None, seed: int = 12345) -> None:
        self.edges: list[list[float]] | None = None
        if transition is not None:
            self.edges = transition_matrix(transition).cumsum(1).tolist()
        self.seed = seed

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``results`` with the noisy label."""
        if self.edges is None:
            return results
        label = results.get('label')
        if label is None or not 0 <= label < len(self.edges):
            raise DataError(
                f'NoisyLabel: {results["key"]!r}: expected a label in 0..{len(self.edges) - 1}, '
                f'got {label!r}'
            )
        u = derive_seed(self.seed, 'data', results['key'], 'label') / 2**63
        row = self.edges[label]
        noisy = next((c for c, edge in enumerate(row) if u < edge), row.index(row[-1]))
        return {**results, 'label': noisy, 'clean_label': int(label)}
