"""The candidates of bench_noise.py: every noise as we and as each installed package make it."""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import torch

from noiseedit.noises import SampleStreams, build, uint8

SIGMA, SIDE, PEAK = 25, 512, 30
SCALE = SIGMA / 255
Calls = dict[str, Callable[[], Any]]
F32 = np.float32
legacy = np.random.RandomState(0)
fresh = np.random.Generator(np.random.SFC64(0))
seeds = itertools.count(1)


def optional(name: str) -> ModuleType | None:
    """Return a module, or ``None`` where the package is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


tv = optional('torchvision.transforms.v2')
kornia = optional('kornia.augmentation')
alb = optional('albumentations')
skimage = optional('skimage.util')
simplejpeg = optional('simplejpeg')


def photo_like(*shape: int) -> np.ndarray:
    """Return a smooth 8-bit image that uses all grey levels."""
    base = cv2.GaussianBlur(fresh.random(shape, dtype=F32), (0, 0), 5)
    stretched = (base - base.min()) / np.ptp(base) * 255
    return np.clip(stretched + fresh.standard_normal(shape) * 4, 0, 255).astype(np.uint8)


IMAGE = photo_like(SIDE, SIDE, 3)
CHW = torch.from_numpy(IMAGE).permute(2, 0, 1).contiguous()


def ours(**spec: Any) -> Callable[[], np.ndarray]:
    noise = build(spec)
    return lambda: noise.apply_uint8(IMAGE, next(seeds))


def albumentations(name: str, *args: Any, **kwargs: Any) -> Calls:
    if alb is None:
        return {}
    transform = getattr(alb, name)(*args, p=1, **kwargs)
    return {f'albumentations {name}': lambda: transform(image=IMAGE)['image']}


def sk(mode: str, **kwargs: Any) -> Calls:
    if skimage is None:
        return {}

    def call() -> np.ndarray:
        return skimage.img_as_ubyte(skimage.random_noise(IMAGE, mode, rng=fresh, **kwargs))

    return {f'scikit-image {mode}': call}


def kornia_8_bit(name: str, **kwargs: Any) -> Calls:
    if kornia is None:
        return {}
    transform = getattr(kornia, name)(p=1.0, **kwargs)

    def call() -> torch.Tensor:
        noisy = transform(CHW[None].float().div_(255))
        return noisy.mul_(255).round_().clamp_(0, 255).to(torch.uint8)

    return {f'kornia {name}': call}


def to_8_bit(x: np.ndarray) -> np.ndarray:
    """Clip and round a float64 image in [0, 1], as legacy code does."""
    return np.uint8((np.clip(x, 0, 1) * 255).round())


def gaussian() -> Calls:
    buffer = np.empty((SIDE, 3 * SIDE), F32)
    calls = {
        'ours': ours(type='GaussianNoise', sigma=SIGMA, unit=255),
        'ours, function': lambda: uint8.additive(IMAGE, SIGMA, next(seeds)),
        **albumentations('GaussNoise', (SCALE, SCALE), per_channel=True),
        **kornia_8_bit('RandomGaussianNoise', mean=0.0, std=SCALE),
        **sk('gaussian', var=SCALE**2),
        'legacy NumPy': lambda: to_8_bit(IMAGE / 255.0 + legacy.normal(0, SCALE, IMAGE.shape)),
        'cv2.randn float32, draws alone': lambda: cv2.randn(buffer, 0, SIGMA),
    }
    if tv is not None:
        transform = tv.GaussianNoise(0, SCALE)
        calls['torchvision v2 GaussianNoise'] = lambda: transform(CHW)
    return calls


def poisson() -> Calls:
    def numpy_form() -> np.ndarray:
        counts = fresh.poisson(IMAGE * (PEAK / 255))
        return np.clip(np.rint(counts * (255 / PEAK)), 0, 255).astype(np.uint8)

    def torch_form() -> torch.Tensor:
        counts = torch.poisson(CHW.float().mul_(PEAK / 255))
        return counts.mul_(255 / PEAK).round_().clamp_(0, 255).to(torch.uint8)

    return {
        'ours': ours(type='PoissonNoise', peak=PEAK),
        'ours, exact draws': lambda: uint8.poisson(IMAGE, PEAK, next(seeds), exact=True),
        'NumPy Generator': numpy_form,
        'torch.poisson': torch_form,
        **albumentations('ShotNoise', (0.1, 0.1)),
        **sk('poisson'),
        'legacy NumPy': lambda: to_8_bit(legacy.poisson(PEAK * (IMAGE / 255.0)) / PEAK),
    }


def salt_pepper() -> Calls:
    def legacy_form() -> np.ndarray:
        noisy, u = IMAGE.copy(), legacy.random_sample((SIDE, SIDE))
        noisy[u < 0.025], noisy[u > 0.975] = 0, 255
        return noisy

    return {
        'ours': ours(type='SaltPepperNoise', amount=0.05),
        **albumentations('SaltAndPepper', amount=(0.05, 0.05), salt_vs_pepper=(0.5, 0.5)),
        **kornia_8_bit(
            'RandomSaltAndPepperNoise', amount=(0.05, 0.0500001), salt_vs_pepper=(0.5, 0.5000001)
        ),
        **sk('s&p', amount=0.05),
        'legacy NumPy': legacy_form,
    }


def speckle() -> Calls:
    def legacy_form() -> np.ndarray:
        x = IMAGE / 255.0
        return to_8_bit(x * (1 + legacy.normal(0, SCALE, IMAGE.shape)))

    half = math.sqrt(3) * SCALE
    return {
        'ours': ours(type='MultiplicativeNoise', sigma=SIGMA, unit=255),
        **albumentations(
            'MultiplicativeNoise', (1 - half, 1 + half), per_channel=True, elementwise=True
        ),
        **sk('speckle', var=SCALE**2),
        'legacy NumPy': legacy_form,
    }


def local() -> Calls:
    def legacy_form() -> np.ndarray:
        mask = np.zeros((SIDE, SIDE, 1), np.uint8)
        mask[128:384, 128:384] = 1
        return to_8_bit(IMAGE / 255.0 + legacy.randn(*IMAGE.shape) * SCALE * mask)

    patch = {'type': 'PatchGaussianNoise', 'sigma': SIGMA, 'unit': 255}
    return {
        'ours, 256x256': ours(**patch, size=256),
        'ours, 64x64': ours(**patch, size=64),
        'ours, whole image': ours(**patch, size=SIDE),
        'legacy NumPy, 256x256': legacy_form,
    }


def brown() -> Calls:
    norm = (1 + 16 + 36 + 16 + 1) / 256

    def blurred(white: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(white, (5, 5), 0, borderType=cv2.BORDER_CONSTANT)

    def numpy_form() -> np.ndarray:
        white = fresh.standard_normal(IMAGE.shape, dtype=F32)
        white *= F32(SIGMA / norm)
        return cv2.add(IMAGE, blurred(white), dtype=cv2.CV_8U)

    return {
        'ours': ours(type='BrownNoise', sigma=SIGMA, unit=255),
        'NumPy Generator and OpenCV': numpy_form,
        'legacy NumPy': lambda: to_8_bit(
            IMAGE / 255.0 + blurred(legacy.randn(*IMAGE.shape) * SIGMA) / norm / 255.0
        ),
    }


def cv2_jpeg(image: np.ndarray) -> np.ndarray:
    data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def jpeg() -> Calls:
    calls = {
        'ours': ours(type='JPEGNoise', quality=50),
        'OpenCV alone': lambda: cv2_jpeg(IMAGE),
        **albumentations('ImageCompression', 'jpeg', (50, 50)),
    }
    if simplejpeg is not None:
        calls['simplejpeg'] = lambda: simplejpeg.decode_jpeg(
            simplejpeg.encode_jpeg(IMAGE, 50, 'RGB', '420')
        )
    if tv is not None:
        transform = tv.JPEG(50)
        calls['torchvision v2 JPEG'] = lambda: transform(CHW)
    return calls


def differentiable_jpeg() -> Calls:
    x = CHW[None].float() / 255
    g, leaf = torch.Generator(), x.clone().requires_grad_()
    noises = {f'ours, {how}': build({'type': 'DifferentiableJPEG', 'quality': 50, 'rounding': how})
              for how in ('hard', 'soft')}  # fmt: skip
    calls = {name: lambda noise=noise: noise(x, generator=g) for name, noise in noises.items()}
    calls['ours, hard, with backward'] = lambda: torch.autograd.grad(
        noises['ours, hard'](leaf, generator=g).sum(), leaf
    )
    if kornia is not None:
        codec = importlib.import_module('kornia.enhance').jpeg_codec_differentiable
        q = torch.tensor([50.0])
        calls['kornia'] = lambda: codec(x, q)
        calls['kornia, with backward'] = lambda: torch.autograd.grad(codec(leaf, q).sum(), leaf)
    return calls


def jpeg_batch() -> Calls:
    images = [np.ascontiguousarray(IMAGE[i : i + 256, i : i + 256]) for i in range(16)]
    x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div(255).contiguous()
    noise, g = build({'type': 'JPEGNoise', 'quality': 50}), torch.Generator()

    def plain_loop() -> torch.Tensor:
        nhwc = x.permute(0, 2, 3, 1).mul(255).round_().clamp_(0, 255).to(torch.uint8).numpy()
        decoded = np.stack([cv2_jpeg(image) for image in nhwc])
        return torch.from_numpy(decoded).permute(0, 3, 1, 2).float().div_(255).contiguous()

    return {
        'ours': lambda: noise(x, generator=g),
        'OpenCV loop': plain_loop,
        'OpenCV alone, 8-bit images': lambda: [cv2_jpeg(image) for image in images],
    }


def batch(*shape: int) -> Calls:
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    nhwc = (x * 255).byte().permute(0, 2, 3, 1).contiguous().numpy()
    g, buffer = torch.Generator(), torch.empty(shape)
    noise = build({'type': 'GaussianNoise', 'sigma': SIGMA, 'unit': 255, 'clip': True})
    own = list(range(len(x)))

    def legacy_form() -> torch.Tensor:
        images = [
            np.clip(image / 255.0 + np.random.RandomState(i).randn(*image.shape) * SCALE, 0, 1)
            for i, image in enumerate(nhwc)
        ]
        return torch.from_numpy(np.stack(images).astype(F32)).permute(0, 3, 1, 2)

    calls = {
        'ours, one stream': lambda: noise(x, generator=g),
        'ours, one stream per sample': lambda: noise(x, generator=SampleStreams(own)),
        'torch normal_ alone': lambda: buffer.normal_(generator=g),
        'torch.randn_like, add, clamp': lambda: (x + SCALE * torch.randn_like(x)).clamp(0, 1),
        'legacy NumPy, RandomState(i)': legacy_form,
    }
    if tv is not None:
        transform = tv.GaussianNoise(0, SCALE)
        calls['torchvision v2 GaussianNoise'] = lambda: transform(x)
    if kornia is not None:
        augment = kornia.RandomGaussianNoise(0.0, SCALE, p=1.0)
        calls['kornia RandomGaussianNoise'] = lambda: augment(x)
    return calls


def grey_noises(sigma: float) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return image -> noisy image for every package."""
    noise, scale = build({'type': 'GaussianNoise', 'sigma': sigma, 'unit': 255}), sigma / 255
    found = {'ours': lambda image: noise.apply_uint8(image, next(seeds))}
    if tv is not None:
        add = tv.GaussianNoise(0, scale)
        found['torchvision v2'] = lambda image: add(torch.from_numpy(image)).numpy()
    if alb is not None:
        transform = alb.GaussNoise((scale, scale), per_channel=True, p=1)
        found['albumentations'] = lambda image: transform(image=image)['image']
    if skimage is not None:
        found['scikit-image'] = lambda image: skimage.img_as_ubyte(
            skimage.random_noise(image, 'gaussian', var=scale**2, rng=fresh)
        )
    return found


GROUPS: dict[str, Callable[[], Calls]] = {
    'Gaussian': gaussian,
    'Poisson': poisson,
    'salt and pepper': salt_pepper,
    'speckle': speckle,
    'local Gaussian': local,
    'brown': brown,
    'JPEG': jpeg,
    'differentiable JPEG': differentiable_jpeg,
}
