"""PSNR, SSIM and MS-SSIM of 512x512x3 images against other libraries: value and time.

The reference of SSIM is the field's definition: a dense 11x11 Gaussian window of sigma 1.5,
float64, valid region, mean over RGB. Peers may be missing; they are then left out.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from importlib.util import find_spec

import cv2
import numpy as np
import torch
from harness import Target, measure, one_thread, parse_args, ratio, report, table, versions

from noiseedit.evaluation.metrics import PSNR, SSIM, ms_ssim, psnr, ssim
from noiseedit.evaluation.scoring import score_images
from noiseedit.structures import EditSample

Call = Callable[[], float]
SIZE = 512
IMAGES = 16
PEERS = ('scikit-image', 'torchmetrics', 'kornia', 'pytorch-msssim', 'piq', 'opencv-python')


def images() -> tuple[np.ndarray, np.ndarray]:
    """Return a smooth 8-bit image and a copy with Gaussian noise of sigma 25."""
    rng = np.random.default_rng(0)
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8), (0, 0), 2)
    clean = cv2.normalize(smooth.astype(np.float32), None, 0, 255, cv2.NORM_MINMAX)
    noisy = np.clip(np.rint(clean + rng.normal(0, 25, clean.shape)), 0, 255)
    return clean.astype(np.uint8), noisy.astype(np.uint8)


def dense_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Return SSIM by five dense filters per channel."""
    kernel = cv2.getGaussianKernel(11, 1.5)
    window = kernel @ kernel.T

    def smooth(image: np.ndarray) -> np.ndarray:
        return cv2.filter2D(image, -1, window)[5:-5, 5:-5]

    values = []
    for c in range(3):
        x, y = a[..., c].astype(np.float64), b[..., c].astype(np.float64)
        mx, my = smooth(x), smooth(y)
        c1, c2 = 2.55**2, 7.65**2
        top = (2 * mx * my + c1) * (2 * (smooth(x * y) - mx * my) + c2)
        variances = smooth(x * x) - mx * mx + smooth(y * y) - my * my
        values.append((top / ((mx * mx + my * my + c1) * (variances + c2))).mean())
    return float(np.mean(values))


def has(package: str) -> bool:
    return find_spec(package) is not None


def psnr_calls(clean: np.ndarray, noisy: np.ndarray, f: torch.Tensor, g: torch.Tensor) -> dict:
    import skimage.metrics

    calls: dict[str, Call] = {
        'noiseedit': lambda: psnr(noisy, clean),
        'cv2.PSNR': lambda: cv2.PSNR(noisy, clean),
        'scikit-image': lambda: skimage.metrics.peak_signal_noise_ratio(clean, noisy),
    }
    if has('torchmetrics'):
        from torchmetrics.functional.image import peak_signal_noise_ratio

        calls['torchmetrics f32'] = lambda: float(peak_signal_noise_ratio(g, f, data_range=1.0))
    if has('kornia'):
        from kornia.metrics import psnr as kornia_psnr

        calls['kornia f32'] = lambda: float(kornia_psnr(g, f, 1.0))
    if has('piq'):
        import piq

        calls['piq f32'] = lambda: float(piq.psnr(g, f))
    return calls


def ssim_calls(clean: np.ndarray, noisy: np.ndarray, f: torch.Tensor, g: torch.Tensor) -> dict:
    import skimage.metrics

    settings = {'gaussian_weights': True, 'sigma': 1.5, 'use_sample_covariance': False}
    skimage_ssim = skimage.metrics.structural_similarity
    calls: dict[str, Call] = {
        'noiseedit f64': lambda: ssim(noisy, clean),
        'noiseedit f32': lambda: ssim(noisy, clean, precision='float32'),
        'dense definition f64': lambda: dense_ssim(clean, noisy),
        'scikit-image f64': lambda: skimage_ssim(clean, noisy, channel_axis=2, **settings),
    }
    if has('pytorch_msssim'):
        from pytorch_msssim import ssim as peer

        calls['pytorch_msssim f32'] = lambda: float(peer(g, f, data_range=1.0))
    if has('torchmetrics'):
        from torchmetrics.functional.image import structural_similarity_index_measure as tm_ssim

        calls['torchmetrics f32'] = lambda: float(tm_ssim(g, f, data_range=1.0))
    if has('kornia'):
        from kornia.metrics import ssim as k_ssim

        calls['kornia f32, valid'] = lambda: float(k_ssim(g, f, 11, padding='valid').mean())
    if has('piq'):
        import piq

        calls['piq f32, no downsampling'] = lambda: float(piq.ssim(g, f, downsample=False))
    return calls


def ms_ssim_calls(clean: np.ndarray, noisy: np.ndarray, f: torch.Tensor, g: torch.Tensor) -> dict:
    calls: dict[str, Call] = {
        'noiseedit f64': lambda: ms_ssim(noisy, clean),
        'noiseedit f32': lambda: ms_ssim(noisy, clean, precision='float32'),
    }
    if has('pytorch_msssim'):
        from pytorch_msssim import ms_ssim as peer

        calls['pytorch_msssim f32'] = lambda: float(peer(g, f, data_range=1.0))
    if has('torchmetrics'):
        from torchmetrics.functional.image import (
            multiscale_structural_similarity_index_measure as tm_ms_ssim,
        )

        calls['torchmetrics f32'] = lambda: float(tm_ms_ssim(g, f, data_range=1.0))
    if has('piq'):
        import piq

        calls['piq f32'] = lambda: float(piq.multi_scale_ssim(g, f))
    return calls


def differences(title: str, calls: dict[str, Call], reference: str) -> dict[str, float]:
    """Print and return value minus reference."""
    values = {name: float(call()) for name, call in calls.items()}
    print(f'### {title}: values\n\n| candidate | value | minus {reference} |\n|---|---:|---:|')
    for name, value in values.items():
        print(f'| {name} | {value:.10f} | {value - values[reference]:+.1e} |')
    print()
    return {name: value - values[reference] for name, value in values.items()}


def thread_gain(clean: np.ndarray, noisy: np.ndarray, rounds: int) -> float:
    """Return how much faster two threads score several images than one, by wall time."""
    tensors = [torch.from_numpy(image).permute(2, 0, 1).float() / 255 for image in (noisy, clean)]
    batch = []
    for number in range(IMAGES):
        batch.append(EditSample(metainfo={'key': str(number)}))
        batch[-1].set_data(dict(zip(('pred', 'gt'), tensors, strict=True)))
    metrics = [PSNR(), SSIM()]
    times = measure(
        {
            'one thread': lambda: score_images(metrics, batch, 1),
            'two threads': lambda: score_images(metrics, batch, 2),
        },
        rounds=rounds,
        clock='wall_min',
    )
    print(table('PSNR + SSIM of 16 images, wall', times, items=IMAGES, unit='image'))
    return ratio(times, 'one thread', 'two threads')


def main() -> None:
    args = parse_args(__doc__)
    warnings.filterwarnings('ignore')
    one_thread()
    torch.set_grad_enabled(False)
    print(versions('torch', 'numpy', *PEERS))
    clean, noisy = images()
    f, g = (torch.from_numpy(i).permute(2, 0, 1)[None].float() / 255 for i in (clean, noisy))
    groups = {
        'PSNR': (psnr_calls(clean, noisy, f, g), 'scikit-image'),
        'SSIM': (ssim_calls(clean, noisy, f, g), 'dense definition f64'),
        'MS-SSIM': (ms_ssim_calls(clean, noisy, f, g), 'noiseedit f64'),
    }
    times, gaps = {}, {}
    for title, (calls, reference) in groups.items():
        gaps[title] = differences(title, calls, reference)
        times[title] = measure(calls, rounds=args.rounds, budget=args.budget)
        print(table(f'{title}, 512x512x3, one thread', times[title], items=3 * SIZE**2))
    report(targets(times, gaps, thread_gain(clean, noisy, args.rounds)))


def targets(times: dict, gaps: dict, threads: float) -> list[Target]:
    """Return what the metrics are held against."""
    psnr_t, ssim_t = times['PSNR'], times['SSIM']
    dense = ratio(ssim_t, 'dense definition f64', 'noiseedit f64')
    found = [
        Target('PSNR [ms]', psnr_t['noiseedit'].seconds * 1e3, '<=', 0.03),
        Target('PSNR: noiseedit / cv2.PSNR', ratio(psnr_t, 'noiseedit', 'cv2.PSNR'), '<=', 1.3),
        Target('PSNR: difference', abs(gaps['PSNR']['noiseedit']), '<=', 1e-12),
        Target('SSIM f64 [ms]', ssim_t['noiseedit f64'].seconds * 1e3, '<=', 15),
        Target('SSIM f32 [ms]', ssim_t['noiseedit f32'].seconds * 1e3, '<=', 6.5),
        Target('SSIM f64: difference', abs(gaps['SSIM']['noiseedit f64']), '<=', 1e-12),
        Target('SSIM f32: difference', abs(gaps['SSIM']['noiseedit f32']), '<=', 1e-6),
        Target('SSIM: dense / f64', dense, '>=', 4),
    ]
    if 'torchmetrics f32' in ssim_t:
        gain = ratio(ssim_t, 'torchmetrics f32', 'noiseedit f64')
        found.append(Target('SSIM: torchmetrics f32 / f64', gain, '>=', 6))
    if (os.cpu_count() or 1) >= 2:
        found.append(Target('two threads / one, images per second', threads, '>=', 1.8))
    return found


if __name__ == '__main__':
    main()
