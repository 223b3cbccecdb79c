"""Build a noise from a config dict, a preset name, or a noise itself."""

from __future__ import annotations

from typing import Any, TypeAlias

from noiseedit.errors import ConfigError
from noiseedit.noises.base import BaseNoise
from noiseedit.registry import NOISES

NoiseSpec: TypeAlias = dict[str, Any] | str | BaseNoise


def build(spec: NoiseSpec) -> BaseNoise:
    """Return the noise that ``spec`` describes.

    Args:
        spec: ``dict(type='GaussianNoise', sigma=25, unit=255)``, a preset name such as
            ``'nrgan/A'``, ``dict(preset='gni/laplace', level=0.08)``, or a noise (returned as is).

    Raises:
        ConfigError: If ``spec`` is something else.
        UnknownNameError: If type or preset is unknown; lists the nearest names.
    """
    if isinstance(spec, BaseNoise):
        return spec
    if isinstance(spec, str):
        spec = {'preset': spec}
    if not isinstance(spec, dict) or not ({'type', 'preset'} & set(spec)):
        raise ConfigError(
            f"noise: expected dict(type=..., ...) or a preset name such as 'nrgan/A', got {spec!r}"
        )
    return _from_preset(**spec) if 'preset' in spec else NOISES.build(spec)


def _from_preset(preset: str, level: Any = None, **changes: Any) -> BaseNoise:
    from noiseedit.noises.presets import preset_spec

    noise: BaseNoise = NOISES.build({**preset_spec(preset), **changes})
    noise.name = preset
    return noise if level is None else noise.with_level(level)


def build_named(name: str, **changes: Any) -> BaseNoise:
    """Return a preset, or a registered class at its ``example``: what command lines take.

    Args:
        name: Preset or class.
        changes: Arguments that replace those of the preset or example.

    Raises:
        UnknownNameError: If ``name`` is neither; lists the nearest.
    """
    if '/' in name:
        return build({'preset': name, **changes})
    return build({'type': name, **NOISES.get(name).example, **changes})
