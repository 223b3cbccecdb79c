"""Every noise there is: one case per registered class and per preset."""

from noiseedit.noises import build, list_presets
from noiseedit.noises.random import SampleStreams
from noiseedit.registry import NOISES


def registered() -> dict[str, dict]:
    """Return a spec for every registered class (a class with two names counts once)."""
    classes = {NOISES.get(name): name for name in NOISES.names() if '.' not in name}
    return {name: {'type': name, **cls.example} for cls, name in classes.items()}


VARIANTS = {
    'GaussianNoise mono': {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255, 'mono': True},
    'PoissonNoise gauss': {'type': 'PoissonNoise', 'peak': 30, 'approx': 'gauss'},
    'PoissonGaussianNoise gauss': {
        'type': 'PoissonGaussianNoise', 'peak': 30, 'sigma': 9, 'unit': 255, 'approx': 'gauss',
    },
    'SaltPepperNoise per_channel': {'type': 'SaltPepperNoise', 'amount': 0.2, 'per_channel': True},
    'SaltPepperNoise moments': {
        'type': 'SaltPepperNoise', 'variance': 0.03, 'unit': '[0,1]', 'moments': (0.4, 0.2),
    },
    'BrownNoise full': {'type': 'BrownNoise', 'sigma': 25, 'unit': 255, 'border': 'full'},
    'AdditiveBrownNoise unshared': {
        'type': 'AdditiveBrownNoise', 'sigma': 25, 'unit': 255, 'shared': False,
    },
    'PowerLawNoise brown': {'type': 'PowerLawNoise', 'sigma': 25, 'unit': 255, 'alpha': 2},
    'Spatter mud': {'type': 'Spatter', 'density': 0.65, 'width': 1, 'opacity': 1.5, 'mud': True},
}  # fmt: skip


def presets() -> dict[str, dict]:
    """Return all presets; of families with severities, one without a number and the strongest."""
    return {
        name: {'preset': name}
        for name in list_presets()
        if not name.endswith(('/1', '/2', '/3', '/4'))
    }


CASES = {**registered(), **VARIANTS, **presets()}

FIXED = (
    'defocus_blur', 'zoom_blur', 'brightness', 'contrast', 'pixelate', 'jpeg_compression',
    'gaussian_blur', 'saturate',
)  # fmt: skip
"""Presets in which nothing is random."""


def unclipped(spec: dict):
    """Build a noise without its clip."""
    return build({**spec, 'clip': False})


def is_replay(noise) -> bool:
    """Tell whether the noise depends on the image index alone."""
    return type(noise).__name__ == 'NRGANCompatNoise'


def is_fixed(noise) -> bool:
    """Tell whether nothing in the noise is random."""
    return any(name in noise.name.split('/') for name in FIXED)


def streams(seeds) -> SampleStreams:
    return SampleStreams(list(seeds), [seed % 1000 for seed in seeds])
