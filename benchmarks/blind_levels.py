"""The noise of single images, estimated blindly, against noise that is known.

Three tables: white Gaussian noise (estimate over truth), Poisson-Gaussian noise (a, b and the error
of the whole curve a x + b over the intensities of the image, beside the best level that does not
depend on them), and the camera noise of CC15, whose truth is the difference to its clean image.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from blind_levels_figure import draw
from harness import DOCS, one_thread, section, versions
from torch import Tensor

from noiseedit.imaging import list_images, read_image, to_float
from noiseedit.noises import build
from noiseedit.noises.blind import estimate_noise_function, estimate_sigma
from noiseedit.report.tables import markdown
from noiseedit.theory.estimate import estimate_noise_variance

SIGMAS = (5, 10, 15, 25, 50, 75)
LINES = ((500, 2), (100, 5), (30, 10), (10, 25))  # photons at white, read noise of 255
FORMS = {'float': {}, '8 bits': {'clip': True, 'quantize': True}}
FLATTEST, BROAD = 'flattest blocks', 'flattest blocks, correlated'
SKIMAGE = 'scikit-image estimate_sigma'
Estimator = Callable[[Tensor], float]


def variance_of(method: str) -> Estimator:
    def estimate(noisy: Tensor) -> float:
        image = noisy[0].permute(1, 2, 0).double().numpy()
        return estimate_noise_variance(image, method, '[0,1]') ** 0.5

    return estimate


def of_skimage(noisy: Tensor) -> float:
    from skimage.restoration import estimate_sigma as released

    image = noisy[0].permute(1, 2, 0).numpy()
    sigmas = released(image, channel_axis=2)
    return float(np.sqrt(np.mean(np.square(sigmas))))


def estimators() -> dict[str, Estimator]:
    found: dict[str, Estimator] = {
        FLATTEST: lambda noisy: float(estimate_sigma(noisy)),
        'eigenvalue': variance_of('eigenvalue'),
        'wavelet': variance_of('wavelet'),
    }
    return found | ({SKIMAGE: of_skimage} if find_spec('pywt') else {})


def photographs(folder: Path, step: int, channels: int) -> list[Tensor]:
    """Return every ``step``-th image, (1, C, H, W) in [0, 1]."""
    files = list_images(folder)[::step]
    return [as_tensor(read_image(file, channels=channels)) for file in files]  # type: ignore[arg-type]


def as_tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(to_float(image)).permute(2, 0, 1)[None].contiguous()


def corrupted(images: list[Tensor], **spec: object) -> Iterator[Tensor]:
    noise = build(spec)
    for number, image in enumerate(images):
        yield noise.per_sample(image, [str(number)], 0)


def gaussian(images: list[Tensor], form: str, seconds: dict[str, list[float]]) -> dict:
    """Return estimator -> sigma -> relative errors of the images."""
    errors: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for sigma in SIGMAS:
        spec = {'type': 'GaussianNoise', 'sigma': sigma, 'unit': 255, **FORMS[form]}
        for noisy in corrupted(images, **spec):
            for name, estimate in estimators().items():
                start = time.process_time()
                errors[name][sigma].append(255 * estimate(noisy) / sigma - 1)
                seconds[name].append(time.process_time() - start)
    return errors


def gaussian_table(errors: dict) -> str:
    header = ('estimator', *(f'{sigma}' for sigma in SIGMAS))
    cells = {name: [_bias(np.array(of[s])) for s in SIGMAS] for name, of in errors.items()}
    return markdown(header, [(name, *row) for name, row in cells.items()])


def _bias(errors: np.ndarray) -> str:
    return f'{100 * errors.mean():+.1f} % ({100 * np.sqrt(np.mean(errors**2)):.1f})'


def curve_error(a: Tensor, b: Tensor, truth: Tensor) -> float:
    """Return the root mean square of estimate / truth - 1 over the pixels."""
    return float(((a + b) / truth - 1).square().mean().sqrt())


def poisson_gaussian(images: list[Tensor], form: str) -> Iterator[tuple[str, ...]]:
    for peak, sigma in LINES:
        spec = {'type': 'PoissonGaussianNoise', 'peak': peak, 'sigma': sigma, 'unit': 255}
        rows = []
        for image, noisy in zip(images, corrupted(images, **spec, **FORMS[form]), strict=True):
            found = estimate_noise_function(noisy)
            a, b = found.a[..., None, None], found.b[..., None, None]
            truth = image / peak + (sigma / 255) ** 2
            constant = torch.full_like(image, float(truth.mean()))
            errors = curve_error(a * image, b, truth), curve_error(constant, 0 * b, truth)
            rows.append((float(found.a.mean()) * peak, float(found.b.mean().sqrt()), *errors))
        ratio, read, ours, flat = np.median(rows, axis=0)
        yield (
            f'{peak}', f'{sigma}', f'{ratio:.2f}', f'{255 * read:.1f}', f'{100 * ours:.0f} %',
            f'{100 * flat:.0f} %',
        )  # fmt: skip


def camera(folder: Path) -> dict[str, list[float]]:
    """Return estimator -> estimate over truth, of the 15 crops; ``'sigma'``: the truth of 255."""
    found = defaultdict(list)
    kinds = {**estimators(), BROAD: lambda noisy: float(estimate_sigma(noisy, correlated=True))}
    for file in sorted(folder.glob('*_real.png')):
        clean_file = file.with_name(file.name.replace('_real', '_mean'))
        noisy, clean = (as_tensor(read_image(path)) for path in (file, clean_file))
        truth = float((noisy - clean).var((2, 3)).mean().sqrt())
        found['sigma'].append(255 * truth)
        for name, estimate in kinds.items():
            found[name].append(estimate(noisy) / truth)
    return dict(found)


def camera_table(found: dict[str, list[float]]) -> str:
    rows = [
        (name, f'{np.mean(v):.2f}', f'{min(v):.2f} to {max(v):.2f}', f'{_rank(v, found):.2f}')
        for name, v in found.items()
        if name != 'sigma'
    ]
    return markdown(('estimator', 'estimate / truth', 'range', 'rank correlation'), rows)


def _rank(ratios: list[float], found: dict[str, list[float]]) -> float:
    from scipy.stats import spearmanr

    truth = np.array(found['sigma'])
    return float(spearmanr(np.array(ratios) * truth, truth).statistic)


def run(args: argparse.Namespace) -> None:
    print(versions('torch', 'scikit-image', 'PyWavelets'))
    step = 12 if args.quick else 1
    seconds: dict[str, list[float]] = defaultdict(list)
    white = {}
    for name, folder, channels in (('Set12', args.set12, 1), ('CBSD68', args.cbsd68, 3)):
        images = photographs(folder, step, channels)
        for form in FORMS:
            white[name, form] = gaussian(images, form, seconds)
            print(f'### White noise, sigma below: {name}, {form}, {len(images)} images\n')
            print(gaussian_table(white[name, form]))
    for form in FORMS:
        print(f'### Photon and read noise: CBSD68, {form}, medians\n')
        header = ('chi', 'read/255', 'a / truth', 'read', 'error of the curve', 'best constant')
        print(markdown(header, list(poisson_gaussian(images, form)), text_columns=0))
    real = camera(args.cc15)
    low, high = min(real['sigma']), max(real['sigma'])
    print(f'### Cameras: CC15, {len(real["sigma"])} crops, sigma {low:.1f} to {high:.1f} of 255\n')
    print(camera_table(real))
    spent = {name: 1e3 * float(np.median(times)) for name, times in seconds.items()}
    print('### CPU time of an image (median)\n')
    print(markdown(('estimator', 'ms'), [(name, f'{ms:.0f}') for name, ms in spent.items()]))
    draw(white['CBSD68', 'float'], real, BROAD, args.figure)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--set12', type=Path, default=Path('data/Set12'))
    parser.add_argument('--cbsd68', type=Path, default=Path('data/CBSD68'))
    parser.add_argument('--cc15', type=Path, default=Path('data/CC15'))
    parser.add_argument('--quick', action='store_true', help='every twelfth image')
    parser.add_argument('--save', action='store_true', help='write into docs/benchmarks.md')
    picture = DOCS.parent / 'images' / 'blind_levels.png'
    parser.add_argument('--figure', type=Path, default=picture, help='default: %(default)s')
    args = parser.parse_args()
    one_thread()
    with section('blind_levels', args.save):
        run(args)


if __name__ == '__main__':
    main()
