"""Scores of single images; one metric per file. See docs/evaluation.md."""

from noiseedit.evaluation.metrics.base import ImageMetric, PairMetric, as_sample, score_all
from noiseedit.evaluation.metrics.lpips import LPIPS
from noiseedit.evaluation.metrics.ms_ssim import MSSSIM, ms_ssim
from noiseedit.evaluation.metrics.psnr import PSNR, mse, psnr
from noiseedit.evaluation.metrics.ssim import SSIM, ssim

__all__ = [
    'LPIPS',
    'MSSSIM',
    'PSNR',
    'SSIM',
    'ImageMetric',
    'PairMetric',
    'as_sample',
    'ms_ssim',
    'mse',
    'psnr',
    'score_all',
    'ssim',
]
