"""Scores of single images and of sets; one metric per file. See docs/evaluation.md."""

from noiseedit.evaluation.metrics.akld import AKLD, akld
from noiseedit.evaluation.metrics.base import ImageMetric, PairMetric, as_sample, score_all
from noiseedit.evaluation.metrics.fid import FID
from noiseedit.evaluation.metrics.fsim import FSIM, fsim
from noiseedit.evaluation.metrics.kid import KID
from noiseedit.evaluation.metrics.kld import KLD, kld
from noiseedit.evaluation.metrics.ks import KS, ks
from noiseedit.evaluation.metrics.lpips import LPIPS
from noiseedit.evaluation.metrics.ms_ssim import MSSSIM, ms_ssim
from noiseedit.evaluation.metrics.nlda import NLDA
from noiseedit.evaluation.metrics.noise_level import NoiseLevel
from noiseedit.evaluation.metrics.precision_recall import (
    DensityCoverage,
    PrecisionRecall,
    density_coverage,
    precision_recall,
)
from noiseedit.evaluation.metrics.psnr import PSNR, mse, psnr
from noiseedit.evaluation.metrics.set_metric import SetMetric, SetValue
from noiseedit.evaluation.metrics.sliced_wasserstein import SlicedWasserstein
from noiseedit.evaluation.metrics.ssim import SSIM, ssim

__all__ = [
    'AKLD',
    'FID',
    'FSIM',
    'KID',
    'KLD',
    'KS',
    'LPIPS',
    'MSSSIM',
    'NLDA',
    'PSNR',
    'SSIM',
    'DensityCoverage',
    'ImageMetric',
    'NoiseLevel',
    'PairMetric',
    'PrecisionRecall',
    'SetMetric',
    'SetValue',
    'SlicedWasserstein',
    'akld',
    'as_sample',
    'density_coverage',
    'fsim',
    'kld',
    'ks',
    'ms_ssim',
    'mse',
    'precision_recall',
    'psnr',
    'score_all',
    'ssim',
]
