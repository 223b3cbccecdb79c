"""Settings of NoiseTransfer: published factors, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping

from noiseedit.errors import ConfigError, nearest
from noiseedit.models.preprocessor import EditPreprocessor

WEIGHTS = {
    'contrast': 1.0,
    'consistency': 100.0,
    'encoder_features': 100.0,
    'judge_features': 100.0,
    'd_contrast': 1.0,
}
"""Published factors of the terms; that of the adversarial one is in ``gan_loss``."""


def check_preprocessor(preprocessor: EditPreprocessor) -> None:
    """Refuse another range than [0, 1], and noise on the clean image.

    Raises:
        ConfigError: With what to write instead.
    """
    if preprocessor.scale != 1:
        raise ConfigError(
            "data_preprocessor.value_range: NoiseTransfer's networks take [0, 1] and scale inside; "
            "got '[-1,1]'"
        )
    if preprocessor.noises and preprocessor.noise_target == 'source':
        raise ConfigError(
            "noise.target='source' would make the clean image noisy; NoiseTransfer learns noises "
            'that its data bring (train_dataloader.dataset: SyntheticTriplets.noise), and tests on '
            "clean images take noise = dict(target='target', test=...)"
        )


def check_numbers(temperature: float, queue_size: int, momentum: float, num_draws: int) -> None:
    """Refuse numbers out of range.

    Raises:
        ConfigError: With the range and what came.
    """
    if temperature <= 0 or not 0 <= momentum <= 1:
        raise ConfigError(
            'NoiseTransfer: expected temperature > 0 and momentum in [0, 1], got '
            f'{temperature} and {momentum}'
        )
    if queue_size < 0 or num_draws < 1:
        raise ConfigError(
            f'NoiseTransfer: expected queue_size >= 0 and num_draws >= 1, got {queue_size} '
            f'and {num_draws}'
        )


def weights_of_terms(weights: Mapping[str, float]) -> dict[str, float]:
    """Return the factor of every term: that of ``weights``, else the published one.

    Raises:
        ConfigError: On an unknown term; names the nearest.
    """
    for term in weights:
        if term not in WEIGHTS:
            raise ConfigError(
                f'NoiseTransfer weights.{term}: unknown term; nearest: '
                f'{", ".join(nearest(term, WEIGHTS))}'
            )
    return {**WEIGHTS, **weights}
