"""What NoiseLevel and SlicedWasserstein answer to images of known noise: two tables of values.

    python benchmarks/metric_response.py data/cifar10 --save

Gaussian noise is added to images of 32x32 pixels and clipped: to grey ones, and to CIFAR-10's test
images. The second table compares noisy images with as many others without noise; what it finds at
noise 0 is what two sets of one law have.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import torch
from harness import DOCS, section, versions

from noiseedit.datasets.cifar import load_cifar10
from noiseedit.evaluation.metrics import NoiseLevel, SlicedWasserstein
from noiseedit.structures import EditSample

NOISES = (0, 2, 5, 10, 15, 25, 50)


def noisy(images: np.ndarray, sigma: float) -> np.ndarray:
    """Return (n, H, W, C) float32 in [0, 1] with noise of ``sigma`` grey levels, clipped."""
    draws = np.random.default_rng(0).normal(0, sigma, images.shape)
    return (np.clip(images + draws, 0, 255) / 255).astype(np.float32)


def samples(preds: np.ndarray, targets: np.ndarray | None = None) -> list[EditSample]:
    """Return samples of (n, H, W, C) images in [0, 1]."""
    found = []
    for index, pred in enumerate(preds):
        found.append(EditSample(metainfo={'key': str(index)}))
        images = {'pred': pred} if targets is None else {'pred': pred, 'gt': targets[index]}
        found[-1].set_data(
            {name: torch.from_numpy(image).permute(2, 0, 1) for name, image in images.items()}
        )
    return found


def values(metric: NoiseLevel | SlicedWasserstein, scored: Sequence[EditSample]) -> list[float]:
    metric.process(None, scored)
    found = metric.evaluate(len(scored))
    return [found[name] for name in getattr(metric, 'value_names', (metric.name,))]


def level_columns(images: np.ndarray) -> list[float]:
    """Return both estimates of the package and, where it runs, scikit-image's."""
    found = [values(NoiseLevel(m), samples(images))[0] for m in ('wavelet', 'eigenvalue')]
    if find_spec('pywt') is not None:
        from skimage.restoration import estimate_sigma

        sigmas = [estimate_sigma(x, channel_axis=2, average_sigmas=True) for x in images]
        found.append(255 * float(np.mean(sigmas)))
    return found


def levels(natural: np.ndarray) -> None:
    grey = np.full_like(natural, 128)
    columns = ['wavelet', 'eigenvalue', 'scikit-image'][: 3 if find_spec('pywt') else 2]
    heads = [f'{kind}, {column}' for kind in ('grey', 'CIFAR-10') for column in columns]
    print(f'### NoiseLevel of {len(natural)} images, grey levels\n')
    print('| noise | ' + ' | '.join(heads) + ' |\n|---:|' + '---:|' * len(heads))
    for sigma in NOISES:
        found = [v for images in (grey, natural) for v in level_columns(noisy(images, sigma))]
        print(f'| {sigma} | ' + ' | '.join(f'{value:.1f}' for value in found) + ' |')
    print()


def distances(images: np.ndarray) -> None:
    first, second = np.split(images, 2)
    clean = noisy(second, 0)
    print(f'### SlicedWasserstein of {len(first)} images to {len(second)} others\n')
    print('| images | mean | 32px | 16px |\n|---|---:|---:|---:|')
    sets = {f'noise {sigma}': noisy(first, sigma) for sigma in NOISES}
    blurred = np.stack([cv2.GaussianBlur(image, (0, 0), 1) for image in first])
    for name, preds in {**sets, 'blurred, sigma 1': noisy(blurred, 0)}.items():
        found = values(SlicedWasserstein(32), samples(preds, clean))
        print(f'| {name} | ' + ' | '.join(f'{value:.1f}' for value in found) + ' |')
    print()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data', type=Path, help='where CIFAR-10 is, see noiseedit.datasets.CIFAR10')
    parser.add_argument('--images', type=int, default=1000, help='per set (1000)')
    parser.add_argument('--save', action='store_true', help=f'write into {DOCS.name}')
    args = parser.parse_args()
    torch.set_num_threads(1)
    images = np.array(load_cifar10(args.data, 'test')[0])
    mixed = images[np.random.default_rng(0).permutation(len(images))[: 2 * args.images]]
    with section('metric_response', args.save):
        print(versions('torch', 'numpy', 'scikit-image'))
        levels(mixed[: args.images // 2])
        distances(mixed)


if __name__ == '__main__':
    main()
