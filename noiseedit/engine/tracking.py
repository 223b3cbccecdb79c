"""Experiment trackers: one config line each; a missing package is named before training starts."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from noiseedit.errors import ConfigError, MissingExtraError

PACKAGES = {
    'TensorboardVisBackend': 'tensorboard',
    'WandbVisBackend': 'wandb',
    'MLflowVisBackend': 'mlflow',
}


def check_trackers(visualizer: Any) -> None:
    """Check that every tracker of ``visualizer.vis_backends`` is there once and installed.

    Raises:
        ConfigError: If one is listed twice under the same name (it would log nothing).
        MissingExtraError: If its package is missing; gives the pip command.
    """
    if not isinstance(visualizer, Mapping):
        return
    seen = set()
    for backend in visualizer.get('vis_backends') or []:
        config = backend if isinstance(backend, Mapping) else {'type': type(backend).__name__}
        kind = str(config.get('type'))
        name = config.get('name', kind)
        if name in seen:
            raise ConfigError(f'visualizer.vis_backends: {name} is listed twice')
        seen.add(name)
        package = PACKAGES.get(kind.rpartition('.')[2])
        if package and find_spec(package) is None:
            raise MissingExtraError(
                f'{kind} needs the package {package}: pip install {package} '
                '(or pip install "noiseedit[track]")'
            )
