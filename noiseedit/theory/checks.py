"""What the theory functions demand of their numbers; a wrong one is an error that names it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noiseedit.errors import ConfigError, DataError

Array: TypeAlias = NDArray[np.float64]

REAL_KINDS = 'biufO'  # of NumPy: no text, no complex numbers; objects may be fractions
ROUNDING = 1e-9  # relative asymmetry and negative eigenvalues that count as rounding


def number(name: str, value: float, *, low: float = 0.0, exclusive: bool = False) -> float:
    """Return ``value`` as a finite float not below ``low`` (above it if ``exclusive``).

    Raises:
        ConfigError: If ``value`` is no single number, not finite or too small.
    """
    found = _floats(name, value, ConfigError)
    if found.ndim or not np.isfinite(found) or found < low or (exclusive and found == low):
        relation = '>' if exclusive else '>='
        raise ConfigError(f'{name}: expected a finite number {relation} {low:g}, got {value!r}')
    return float(found)


def whole(name: str, value: int, *, low: int = 1) -> int:
    """Return ``value`` as a whole number not below ``low``.

    Raises:
        ConfigError: If it is not that.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
        raise ConfigError(f'{name}: expected a whole number >= {low}, got {value!r}')
    return int(value)


def vector(name: str, values: ArrayLike, size: int | None = None) -> Array:
    """Return ``values`` as a finite, non-empty float64 vector (of ``size`` entries if given).

    Raises:
        DataError: If they are not that; names the first bad entry.
    """
    found = array(name, values)
    if found.ndim != 1 or not found.size or (size is not None and found.size != size):
        wanted = 'at least one number' if size is None else f'{size} numbers'
        raise DataError(f'{name}: expected a vector of {wanted}, got shape {found.shape}')
    if not np.all(np.isfinite(found)):
        index = int(np.argmin(np.isfinite(found)))
        raise DataError(f'{name}: expected finite numbers, got {found[index]} at index {index}')
    return found


def variances(name: str, values: ArrayLike, size: int | None = None) -> Array:
    """Return a vector of variances, finite and not negative, as float64.

    Raises:
        DataError: If they are not that; names the first bad entry.
    """
    found = vector(name, values, size)
    if np.any(found < 0):
        index = int(np.argmax(found < 0))
        raise DataError(f'{name}: expected none below 0, got {found[index]} at index {index}')
    return found


def spectrum(eigenvalues: ArrayLike) -> Array:
    """Return eigenvalues of a covariance, shape ``(d,)``; see :func:`variances`."""
    return variances('eigenvalues', eigenvalues)


def covariance(name: str, values: ArrayLike, size: int | None = None) -> Array:
    """Return a covariance matrix, shape ``(d, d)``, as float64, made exactly symmetric.

    Raises:
        DataError: If it is not square (of ``size`` if given), finite, symmetric and positive
            semidefinite, the last two up to rounding.
    """
    found = array(name, values)
    wanted = '(d, d)' if size is None else f'({size}, {size})'
    if found.ndim != 2 or found.shape[0] != found.shape[1] or size not in (None, len(found)):
        raise DataError(f'{name}: expected a matrix of shape {wanted}, got {found.shape}')
    vector(name, found.ravel())
    tolerance = ROUNDING * float(np.abs(found).max())
    if np.abs(found - found.T).max() > tolerance:
        raise DataError(f'{name}: expected a symmetric matrix, got one that is not')
    lowest = float(np.linalg.eigvalsh(found)[0])
    if lowest < -tolerance:
        raise DataError(f'{name}: expected no eigenvalue below 0, got {lowest:.6g}')
    return (found + found.T) / 2


def array(name: str, values: ArrayLike) -> Array:
    """Return numbers of any shape as float64.

    Raises:
        DataError: If they are no real numbers.
    """
    return _floats(name, values, DataError)


def _floats(name: str, values: ArrayLike, error: type[ConfigError] | type[DataError]) -> Array:
    try:
        found = np.asarray(values)
        if found.dtype.kind not in REAL_KINDS:
            raise TypeError(found.dtype)
        return found.astype(np.float64, copy=False)
    except (TypeError, ValueError, RuntimeError) as cause:  # RuntimeError: tensors with gradient
        raise error(f'{name}: expected real numbers, got {values!r}') from cause
