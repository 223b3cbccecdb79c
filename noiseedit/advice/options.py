"""What an advice is asked for, checked."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from noiseedit.errors import ConfigError, nearest
from noiseedit.theory import checks, range_limits
from noiseedit.theory.patches import Channels

RULES = ('average', 'minimax', 'clean', 'matched')
LEVELS = ('max_sigma', 'max_variance', 'deployment')
WHOLE = {'patch_size': 2, 'limit': 1, 'workers': 1}  # name -> least value
DEFAULT_RANGE = '[-1,1]'
SPELLINGS = {'255': 'uint8'}


@dataclass(frozen=True)
class Options:
    """How the level at test is given, and how the data are looked at.

    Exactly one of ``max_sigma``, ``max_variance`` and ``deployment`` must be given.

    Attributes:
        max_sigma: Largest standard deviation at test, in 8-bit units (51 is 0.16 in [-1, 1]).
        max_variance: Largest variance at test, in ``value_range``. Of both: all variances up to the
            largest are taken to be equally likely.
        deployment: Folder of noisy images as they come at test. The variance of each is estimated;
            their mean and 95th percentile are the mean and the largest variance.
        value_range: What the network gets: ``'[-1,1]'``, ``'[0,1]'`` or ``'uint8'``; ``None``:
            ``'[-1,1]'``, with a warning.
        rule: The recommended one: ``'average'``, ``'minimax'``, ``'clean'``, or ``'matched'`` for
            noise that is not white.
        budget: Of the clean rule: nats per dimension that clean inputs may cost.
        patch_size: Edge of the patches, in pixels.
        channels: ``'luma'``, ``'rgb'`` (jointly) or ``'each'`` (without covariance between them).
        limit: Use so many images, evenly spread over the folder; ``None``: all.
        data_noise: Take the noise that the data themselves seem to have off the spectrum.
        workers: Processes that read images.
        seed: Of the noise that is measured.

    Raises:
        ConfigError: If an option is none of these, or not exactly one level is given.
    """

    max_sigma: float | None = None
    max_variance: float | None = None
    deployment: str | Path | None = None
    value_range: str | None = None
    rule: str = 'average'
    budget: float = 0.1
    patch_size: int = 8
    channels: Channels = 'luma'
    limit: int | None = None
    data_noise: bool = False
    workers: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the options; see the class."""
        range_limits(self.range)
        if self.rule not in RULES:
            raise ConfigError(f'rule: expected one of {", ".join(RULES)}, got {self.rule!r}')
        for name, least in WHOLE.items():
            if getattr(self, name) is not None:
                object.__setattr__(self, name, checks.whole(name, getattr(self, name), low=least))
        self._check_level()
        for name in ('budget', 'max_sigma', 'max_variance'):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, checks.number(name, getattr(self, name)))

    def _check_level(self) -> None:
        given = [name for name in LEVELS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ConfigError(
                'level at test: expected exactly one of max_sigma (8-bit units), max_variance and '
                f'deployment (a folder), got {" and ".join(given) or "none"}'
            )

    @property
    def range(self) -> str:
        """The value range, given or assumed."""
        return self.value_range or DEFAULT_RANGE


def make_options(**options: Any) -> Options:
    """Return the options; the range may also be written ``255`` or with spaces.

    Raises:
        ConfigError: If a name is unknown (lists the nearest), or :class:`Options` refuses one.
    """
    if options.get('value_range') is not None:
        written = str(options['value_range']).replace(' ', '')
        options['value_range'] = SPELLINGS.get(written, written)
    known = [field.name for field in fields(Options)]
    for name in options:
        if name not in known:
            raise ConfigError(f'{name}: unknown option; nearest: {", ".join(nearest(name, known))}')
    return Options(**options)
