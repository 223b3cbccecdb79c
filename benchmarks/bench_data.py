"""Loading images: files against the decode-free cache, and CIFAR-10 item by item against batches.

CIFAR-10 with NR-GAN's noise A goes through our loader whole (sampler, DataLoader, collation; for
noise drawn anew the preprocessor too) and through the usual per-sample code in a DataLoader.

Every candidate gives batches of 16 random 128 x 128 uint8 crops, flipped or not, out of 512 x 512
natural-like PNG files: our data sets through a DataLoader with the whole pipeline, and a bare loop
over ``cv2.imread`` as the yardstick. One process, no workers, CPU time; with --workers also with
two workers, wall time.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import torch
from harness import Target, measure, one_thread, parse_args, ratio, report, table, versions
from torch.utils.data import DataLoader, Dataset

from noiseedit import imaging, noises
from noiseedit.datasets import CIFAR10, CleanFolder, WholeSet, edit_collate
from noiseedit.datasets.cifar import CLASSES
from noiseedit.engine.sampler import CounterSampler
from noiseedit.imaging import write_image
from noiseedit.models import EditPreprocessor
from noiseedit.noises import uint8

COUNT, EDGE, CROP, BATCH = 64, 512, 128, 16
PIPELINE = [{'type': 'RandomCrop', 'size': CROP}, {'type': 'RandomFlip'}]
CIFAR_BATCH = 64
SIGMA = 25 / 255


def natural(seed: int) -> np.ndarray:
    """Return an image with the spectrum of photographs, mean 120, standard deviation 50."""
    rng = np.random.Generator(np.random.SFC64(seed))
    spectrum = np.fft.rfft2(rng.standard_normal((EDGE, EDGE, 3)), axes=(0, 1))
    radius = np.hypot(np.fft.fftfreq(EDGE)[:, None], np.fft.rfftfreq(EDGE)[None])
    radius[0, 0] = 1 / EDGE
    image = np.fft.irfft2(spectrum / (radius**1.1)[..., None], axes=(0, 1))
    image = (image - image.mean()) / image.std() * 50 + 120
    return np.rint(image.clip(0, 255)).astype(np.uint8)


class Endless:
    """Positions 0, 1, 2, ... for ever."""

    def __iter__(self) -> Iterator[int]:
        return count()


def next_batch(dataset: CleanFolder, workers: int = 0) -> Callable[[], object]:
    """Return a call that gives the next batch of an endless loader."""
    loader = DataLoader(
        dataset, BATCH, sampler=Endless(), num_workers=workers, collate_fn=edit_collate
    )
    batches = iter(loader)
    return lambda: next(batches)


def bare_loop(files: list[Path]) -> Callable[[], object]:
    """Return a call that reads, crops, flips and stacks with OpenCV alone."""
    positions = count()

    def one() -> torch.Tensor:
        number = next(positions)
        image = cv2.imread(str(files[number % len(files)]))
        top, left = (number * 2654435761) % (EDGE - CROP + 1), (number * 40503) % (EDGE - CROP + 1)
        crop = image[top : top + CROP, left : left + CROP]
        crop = crop[:, ::-1] if number & 1 else crop
        return torch.from_numpy(np.ascontiguousarray(crop[:, :, ::-1].transpose(2, 0, 1)))

    return lambda: torch.stack([one() for _ in range(BATCH)])


def without_rust(call: Callable[[], object]) -> Callable[[], object]:
    """Return ``call`` with PNG decoding left to OpenCV."""
    decoder = imaging._rust_png_decoder

    def wrapped() -> object:
        imaging._rust_png_decoder = lambda: None
        try:
            return call()
        finally:
            imaging._rust_png_decoder = decoder

    return wrapped


def bench_files(folder: Path, args: object) -> list[Target]:
    for number in range(COUNT):
        write_image(folder / 'png' / f'{number:03d}.png', natural(number))
    plain = CleanFolder(folder / 'png', pipeline=PIPELINE)
    cached = CleanFolder(folder / 'png', pipeline=PIPELINE, cache=folder / 'cache')
    bare, opencv, rust = 'bare cv2.imread loop', 'PNG files (OpenCV)', 'PNG files (kornia_rs)'
    candidates = {
        bare: bare_loop(plain.folder.files),
        opencv: without_rust(next_batch(plain)),
        'cache': next_batch(cached),
    }
    if imaging._rust_png_decoder() is not None:
        candidates[rust] = next_batch(plain)
    times = measure(candidates, rounds=args.rounds, budget=args.budget)
    print(
        table(
            f'{CROP} crops of {EDGE} x {EDGE} PNG, batch {BATCH}', times, items=BATCH, unit='image'
        )
    )
    targets = [
        Target('bare cv2.imread loop / cache', ratio(times, bare, 'cache'), '>=', 15),
        Target('PNG files (OpenCV) / cache', ratio(times, opencv, 'cache'), '>=', 15),
    ]
    if rust in times:
        targets.append(Target('PNG OpenCV / PNG kornia_rs', ratio(times, opencv, rust), '>=', 2))
    if args.workers:
        bench_workers(plain, cached, args)
    return targets


def bench_workers(plain: CleanFolder, cached: CleanFolder, args: object) -> None:
    candidates = {
        'PNG files, 2 workers': next_batch(plain, 2),
        'cache, 2 workers': next_batch(cached, 2),
        'cache, no worker': next_batch(cached),
    }
    times = measure(candidates, rounds=args.rounds, budget=args.budget, clock='wall')
    print(table('the same with workers, wall time', times, items=BATCH, unit='image'))


def small_cifar(folder: Path, **settings: object) -> CIFAR10:
    """Return 2,000 random images as CIFAR-10."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(folder / 'cifar.zip', 'w') as archive:
        for number in range(2000):
            image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            data = cv2.imencode('.png', image)[1].tobytes()
            archive.writestr(f'{CLASSES[number % 10]}/{number:04d}.png', data)
    return CIFAR10(folder / 'cifar.zip', **settings)


def legacy_item(dataset: CIFAR10, index: int) -> torch.Tensor:
    """Return one image as the usual per-sample code makes it: float64, a fresh MT19937 stream."""
    stream = np.random.RandomState(index)
    noisy = dataset.images[index] / 255.0 + SIGMA * stream.randn(32, 32, 3)
    return torch.from_numpy(noisy.clip(0, 1).astype(np.float32).transpose(2, 0, 1).copy())


def bench_cifar(folder: Path, args: object) -> list[Target]:
    dataset = small_cifar(folder)
    noise = noises.build({'type': 'GaussianNoise', 'sigma': 25, 'unit': 255})
    generator = torch.Generator().manual_seed(0)
    indices = np.random.default_rng(0).permutation(2000)[:CIFAR_BATCH]
    times = measure(
        {
            'per-sample RandomState': lambda: torch.stack(
                [legacy_item(dataset, index) for index in indices]
            ),
            'items and collate, no noise': lambda: edit_collate([dataset[i] for i in indices]),
            'gather and batched noise': lambda: noise(
                dataset.gather(indices).float().div_(255), generator=generator
            ),
        },
        rounds=args.rounds,
        budget=args.budget,
    )
    print(table(f'CIFAR-10, batch {CIFAR_BATCH}', times, items=CIFAR_BATCH, unit='image'))
    rate = CIFAR_BATCH / times['gather and batched noise'].seconds
    gain = ratio(times, 'per-sample RandomState', 'gather and batched noise')
    return [
        Target('CIFAR images per second and core, gathered, with noise', rate, '>=', 80_000),
        Target('per-sample RandomState / gathered', gain, '>=', 10),
    ]


class LegacyItems(Dataset):
    """The usual per-sample code as a data set: noise fixed per image, dequantised at every access.

    Args:
        images: (N, 32, 32, 3) uint8.
    """

    def __init__(self, images: np.ndarray) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> torch.Tensor:
        image = legacy_item(self, position % len(self))
        return 2 * (image * (255 / 256) - 0.5) + torch.rand(image.shape) / 128


def next_of(dataset: Dataset, collate: Callable[..., object] | None = edit_collate) -> Callable:
    """Return a call that gives the next shuffled batch of 64 for ever, as in training."""
    sampler = CounterSampler(dataset, infinite=True)
    batches = iter(DataLoader(dataset, CIFAR_BATCH, sampler=sampler, collate_fn=collate))
    return lambda: next(batches)


def prepared(batch: Callable, **settings: object) -> Callable[[], object]:
    """Return ``batch`` followed by the preprocessor in training."""
    preprocessor = EditPreprocessor(value_range='[-1,1]', **settings)
    preprocessor.seed_iteration(0)
    return lambda: preprocessor(batch(), training=True)


def tabulated(batch: Callable) -> Callable[[], object]:
    """Return 8-bit ``batch`` with rounded noise of one sigma, drawn from a table all at once."""
    seeds = count()

    def noisy() -> np.ndarray:
        images = batch()['inputs']['real'].numpy().reshape(-1, 32, 1)
        return uint8.additive(images, 25.0, next(seeds)).reshape(CIFAR_BATCH, 3, 32, 32)

    return noisy


def bench_whole_set(folder: Path, args: object) -> list[Target]:
    noisy = {'type': 'AddNoise', 'noise': 'nrgan/A', 'key': 'real', 'fixed': True}
    inner = small_cifar(folder, input_name='real')
    fixed = small_cifar(folder, input_name='real', pipeline=[{'type': 'ToFloat'}, noisy])
    whole, clean = WholeSet(fixed), WholeSet(inner)
    redrawn = {'train': 'nrgan/A', 'target': 'real'}
    legacy, gather = 'per-sample RandomState', 'fixed noise'
    table_noise = 'noise anew, 8-bit table'
    generator, buffer = torch.Generator(), torch.empty(CIFAR_BATCH, 3, 32, 32)
    candidates = {
        legacy: next_of(LegacyItems(inner.images), None),
        'items and collate, fixed noise': next_of(fixed),
        gather: next_of(whole),
        'fixed noise, with samples': next_of(WholeSet(fixed, samples=True)),
        'fixed noise, dequantised': prepared(next_of(whole), dequantise=True),
        'noise anew, preprocessor': prepared(next_of(clean), noise=redrawn),
        table_noise: tabulated(next_of(clean)),
        'torch normal_ alone': lambda: buffer.normal_(generator=generator),
    }
    times = measure(candidates, rounds=args.rounds, budget=args.budget)
    title = f'CIFAR-10 with noise through a loader, batch {CIFAR_BATCH}, no worker'
    print(table(title, times, items=CIFAR_BATCH, unit='image'))
    rates = {name: CIFAR_BATCH / timing.seconds for name, timing in times.items()}
    unit = 'CIFAR images per second and core'
    return [
        Target(f'{unit}, {gather}', rates[gather], '>=', 80_000),
        Target(f'{unit}, {table_noise}', rates[table_noise], '>=', 80_000),
        Target(f'{legacy} / {gather}', ratio(times, legacy, gather), '>=', 10),
    ]


def main() -> None:
    args = parse_args(__doc__, '--workers')
    one_thread()
    print(versions('numpy', 'torch', 'opencv-python', 'pillow', 'kornia_rs'))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        cifar = [*bench_cifar(place, args), *bench_whole_set(place, args)]
        report([*bench_files(place, args), *cifar])


if __name__ == '__main__':
    main()
