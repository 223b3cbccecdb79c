"""What theory predicts for the models of a report, beside what their sweeps measured.

The prediction is the divergence of the test inputs from the inputs in training, ``rho_g`` per
dimension, for the spectrum of an advice. It holds for white additive noise, in training and at
test; other noises and models are named with the reason and left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from noiseedit.errors import ConfigError, NoiseEditError
from noiseedit.noises import BaseNoise, SaltPepperNoise, build
from noiseedit.noises.correlated import FilteredNoise, PowerLawNoise
from noiseedit.noises.white import level_variance, white_law
from noiseedit.report.tables import CLEAN
from noiseedit.theory.mismatch import kl_table
from noiseedit.theory.noise_level import break_even_variance
from noiseedit.theory.units import convert_variance

Advice = Mapping[str, Any]
Result = Mapping[str, Any]
Noise = Mapping[str, Any]

COLOURED = 'coloured noise: one variance does not describe it, its spectrum against the data does'
NOT_ADDITIVE = 'salt and pepper replaces pixels, it is not added to them'
AS_GAUSSIAN = (
    'predicted as Gaussian noise of the same variance, which leaves the break-even level as it is '
    'and the divergence a little too low'
)
NOT_WHITE = 'no white additive noise'


@dataclass(frozen=True)
class Prediction:
    """What is predicted, and for what.

    Attributes:
        eigenvalues: Of the advice's data, in ``value_range``.
        value_range: All variances here are in its square.
        models: Names of all models of the report, in its order.
        trains: Model -> variance of its training noise; models left out are not predicted.
        noises: Label -> entry of the sweeps, for the noises that are predicted.
        notes: What is left out, and why; what is taken for Gaussian.
    """

    eigenvalues: Sequence[float]
    value_range: str
    models: Sequence[str]
    trains: Mapping[str, float]
    noises: Mapping[str, Noise]
    notes: Sequence[str]

    @property
    def is_empty(self) -> bool:
        """Whether there is no model, or no noise, that theory speaks of."""
        return not (self.trains and self.noises)

    def variance(self, label: str, level: float) -> float:
        """Return the variance that a level of a predicted noise means."""
        noise = self.noises[label]
        found = level_variance(noise['level_name'], level, noise['unit'])
        return convert_variance(found, '[0,1]', self.value_range)

    def divergence(self, model: str, label: str, levels: Sequence[float]) -> np.ndarray:
        """Return the KL divergence in nats per dimension of a model at levels of a noise."""
        tests = [self.variance(label, level) for level in levels]
        return kl_table(self.eigenvalues, [self.trains[model]], tests)[0] / len(self.eigenvalues)

    def break_even(self, first: str, second: str) -> float | None:
        """Return the test variance at which two models have the same divergence.

        ``None``: both were trained at one level. Noise of the smaller level counts as part of the
        data, so that the closed form for a clean-trained model serves.
        """
        low, high = sorted((self.trains[first], self.trains[second]))
        if low == high:
            return None
        noisy = [value + low for value in self.eigenvalues]
        return low + break_even_variance(noisy, high - low)


def make_prediction(
    results: Mapping[str, Result],
    advice: Advice,
    train_variances: Sequence[float] | None = None,
) -> Prediction:
    """Return what is predicted for sweeps.

    Args:
        results: Name of the model -> its sweep.
        advice: See :func:`noiseedit.advice.advise`.
        train_variances: Variance of each model's training noise, in the advice's value range;
            ``None``: what the sweeps recorded.

    Raises:
        ConfigError: If a sweep does not say what its model was trained with, or there is not one
            variance per sweep.
    """
    given = _given(results, train_variances)
    value_range = advice['value_range']
    trains, notes = {}, []
    for name, result in results.items():
        variance = given[name] if given else _recorded(name, result, value_range)
        if variance is None:
            notes.append(f'{name} is not predicted: no white training noise of one level '
                         f'({_spec_text(result["train_noise"])})')  # fmt: skip
        else:
            trains[name] = variance
    noises, noise_notes = _predictable(next(iter(results.values()))['noises'])
    eigenvalues = advice['spectrum']['eigenvalues']
    notes = [_source(advice), *notes, *noise_notes]
    return Prediction(eigenvalues, value_range, list(results), trains, noises, notes)


def _source(advice: Advice) -> str:
    data = advice['data']
    size = data['patch_size']
    return (
        f'spectrum of {data["folder"]}: {data["images"]} images, {size}x{size} patches, '
        f'{data["channels"]}; variances in {advice["value_range"]}, 8-bit sigma in brackets'
    )


def _given(
    results: Mapping[str, Result], train_variances: Sequence[float] | None
) -> dict[str, float] | None:
    if train_variances is None:
        return None
    if len(train_variances) != len(results):
        raise ConfigError(
            f'--train-variance: expected one number for each of {len(results)} sweeps '
            f'({", ".join(results)}), got {len(train_variances)}'
        )
    for value in train_variances:
        if not (math.isfinite(value) and value >= 0):
            raise ConfigError(f'--train-variance: expected finite numbers >= 0, got {value!r}')
    return dict(zip(results, train_variances, strict=True))


def _recorded(name: str, result: Result, value_range: str) -> float | None:
    if 'train_variance_01' not in result:
        raise ConfigError(
            f'{name}: its sweep.json does not say what noise the model was trained with; run the '
            'sweep again (its scores are kept), or pass --train-variance V ..., one for each '
            f'sweep, in {value_range}; 0: trained on clean images'
        )
    found = result['train_variance_01']
    return None if found is None else convert_variance(found, '[0,1]', value_range)


def _spec_text(spec: Any) -> str:
    try:
        return repr(build(dict(spec)))
    except (NoiseEditError, TypeError):  # of a plug-in that is not here
        return str(spec)


def _predictable(noises: Sequence[Noise]) -> tuple[dict[str, Noise], list[str]]:
    """Return the noises that theory speaks of, and notes on the others."""
    kept, notes = {}, []
    for noise in noises:
        law, reason = _law(noise)
        if law is None:
            notes.append(f'{noise["label"]} is not predicted: {reason}')
            continue
        kept[noise['label']] = noise
        if law != 'gaussian':
            notes.append(f'{noise["label"]}: {AS_GAUSSIAN}')
    return kept, notes


def _law(noise: Noise) -> tuple[str | None, str]:
    """Return the law of white noise; or ``None`` and why it is not predicted."""
    try:
        built = build(dict(noise['spec']))
    except (NoiseEditError, KeyError, TypeError, ValueError) as error:
        return None, f'it cannot be built here ({error})'
    if noise['levels'] == [None]:
        return None, 'it was swept without levels'
    return white_law(built), _reason(built)


def _reason(noise: BaseNoise) -> str:
    if isinstance(noise, SaltPepperNoise):
        return NOT_ADDITIVE
    coloured = isinstance(noise, (FilteredNoise, PowerLawNoise)) or getattr(noise, 'mono', False)
    return COLOURED if coloured else NOT_WHITE


# Predicted against observed.


def break_even_rows(
    prediction: Prediction, first: str, second: str, compared: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return predicted and observed break-even variance of two models, per noise and metric.

    Args:
        prediction: Of both models.
        first: The baseline.
        second: The other.
        compared: What :func:`noiseedit.evaluation.results.compare` says of the two.

    Returns:
        Rows with ``noise``, ``metric``, ``predicted`` and ``observed`` (``None``: the curves do
        not meet), in the prediction's value range; none where a model is not predicted.
    """
    if not {first, second} <= set(prediction.trains):
        return []
    predicted = prediction.break_even(first, second)
    return [
        {
            'noise': entry['noise'],
            'metric': entry['metric'],
            'predicted': predicted,
            'observed': None
            if entry['level'] is None
            else prediction.variance(entry['noise'], entry['level']),
        }
        for entry in compared['break_even']
        if entry['noise'] in prediction.noises
    ]


def rank_rows(prediction: Prediction, results: Mapping[str, Result]) -> list[dict[str, Any]]:
    """Return, per metric, how well the divergence orders what was lost: Spearman's correlation.

    Over all models, predicted noises and levels; the clean images count once per model.

    Returns:
        Rows with ``metric``, ``cells`` (how many), ``own`` (the loss against the same model on
        clean images) and ``best`` (against the best model of the same cell; ``None`` with one
        model); a correlation is ``None`` where one side is constant.
    """
    first = next(iter(results.values()))
    return [_rank_row(prediction, results, metric) for metric in first['metrics']]


def _rank_row(
    prediction: Prediction, results: Mapping[str, Result], metric: Mapping[str, Any]
) -> dict[str, Any]:
    sign = 1 if metric['higher_is_better'] else -1
    cells: dict[Any, dict[str, tuple[float, float]]] = {}
    clean = {}
    for name in prediction.trains:
        rows = [row for row in results[name]['rows'] if row['metric'] == metric['name']]
        (clean[name],) = (sign * row['mean'] for row in rows if row['noise'] == CLEAN)
        for place, divergence, mean in _cells(prediction, name, rows):
            cells.setdefault(place, {})[name] = (divergence, sign * mean)
    own, best, predicted = [], [], []
    for models in cells.values():
        top = max(quality for _, quality in models.values())
        for name, (divergence, quality) in models.items():
            predicted.append(divergence)
            own.append(clean[name] - quality)
            best.append(top - quality)
    against_best = spearman(predicted, best) if len(clean) > 1 else None
    return {
        'metric': metric['name'],
        'cells': len(predicted),
        'own': spearman(predicted, own),
        'best': against_best,
    }


def _cells(
    prediction: Prediction, model: str, rows: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Any, float, float]]:
    """Yield place, divergence and mean of every predicted cell with a finite mean."""
    for row in rows:
        if row['noise'] not in prediction.noises or not math.isfinite(row['mean']):
            continue
        level = row['level']
        (divergence,) = prediction.divergence(model, row['noise'], [level])
        place = CLEAN if level == 0 else (row['noise'], level)
        yield place, float(divergence), row['mean']


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation; ``None`` with fewer than three pairs or a constant.

    Pairs with NaN do not count.
    """
    from scipy.stats import spearmanr

    pairs = np.array([a, b])[:, np.isfinite(a) & np.isfinite(b)]
    if pairs.shape[1] < 3 or any(len(np.unique(side)) == 1 for side in pairs):
        return None
    return float(spearmanr(*pairs).statistic)
