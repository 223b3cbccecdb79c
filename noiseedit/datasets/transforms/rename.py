"""Other names for the images of a sample."""

from __future__ import annotations

from typing import Any

from noiseedit.datasets.transforms.base import images_of
from noiseedit.errors import ConfigError
from noiseedit.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Rename:
    """Call images by other names.

    ``dict(type='Rename', target='real')`` turns clean images into those that a GAN imitates.

    Args:
        names: Old name -> new name.

    Raises:
        ConfigError: If the sample has no image of an old name, or already one of a new name.
    """

    def __init__(self, **names: str) -> None:
        self.names = names

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``results`` with the new names, in ``paths`` too."""
        for old, new in self.names.items():
            have = images_of(results)
            if old not in have or new in have:
                raise ConfigError(
                    f'Rename({old}={new!r}): the sample {results["key"]!r} has {", ".join(have)}'
                )
            results[new] = results.pop(old)
        paths = results.get('paths', {})
        results['paths'] = {self.names.get(name, name): path for name, path in paths.items()}
        return results
