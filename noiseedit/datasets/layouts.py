"""How published sets of noisy and clean images lie in their folders. One entry, one set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Side:
    """Where the noisy or the clean images are.

    Args:
        folder: Below the root of the set.
        pattern: See :class:`~noiseedit.datasets.folders.Folder`: what the names of a pair share.
        mat: A MATLAB file at the root that holds the same images; taken if it is there.
    """

    folder: str = ''
    pattern: str | None = None
    mat: str | None = None


@dataclass(frozen=True)
class Layout:
    """A published set.

    Args:
        tree: What is expected where, for messages.
        noisy: ``None``: the set has clean images only.
        clean: ``None``: the clean images are secret.
        count: Images (pairs); ``None``: any number.
        facts: Regular expression, sought in keys; its named groups become metainfo of samples.
        pairs_by_order: Where names of a pair differ, the n-th belong together.
    """

    tree: str
    noisy: Side | None = None
    clean: Side | None = None
    count: int | None = None
    facts: str = ''
    pairs_by_order: bool = False


SIDD_FACTS = (
    r'(?P<instance>\d{4})_(?P<scene>\d{3})_(?P<camera>[A-Z0-9]{2})_(?P<iso>\d{5})_'
    r'(?P<shutter>\d{5})_(?P<temperature>\d{4})_(?P<brightness>[LNH])'
)
"""Scene instance, scene, camera, ISO, 1 / exposure time, colour temperature, light."""

LAYOUTS = {
    'sidd_medium': Layout(
        'Data/0001_001_S6_00100_00060_3200_L/{0001_NOISY_SRGB_010.PNG, 0001_GT_SRGB_010.PNG, ...}',
        noisy=Side(pattern=r'(?:.*/)?([^/]+)/(?:\d+_)?NOISY_SRGB_(\d+)'),
        clean=Side(pattern=r'(?:.*/)?([^/]+)/(?:\d+_)?GT_SRGB_(\d+)'),
        count=320,
        facts=SIDD_FACTS,
    ),
    'sidd_crops': Layout(
        'source/KEY/ROW_COLUMN.png (noisy) and target/KEY/ROW_COLUMN.png (clean), as '
        'tools/cache.py crops sidd_medium writes them',
        noisy=Side('source'),
        clean=Side('target'),
        facts=SIDD_FACTS,
    ),
    'sidd_validation': Layout(
        'ValidationNoisyBlocksSrgb.mat and ValidationGtBlocksSrgb.mat, or the folders input/*.png '
        '(noisy) and groundtruth/*.png',
        noisy=Side('input', mat='ValidationNoisyBlocksSrgb.mat'),
        clean=Side('groundtruth', mat='ValidationGtBlocksSrgb.mat'),
        count=1280,
        pairs_by_order=True,
    ),
    'sidd_benchmark': Layout(
        'BenchmarkNoisyBlocksSrgb.mat, or the folder input/*.png',
        noisy=Side('input', mat='BenchmarkNoisyBlocksSrgb.mat'),
        count=1280,
    ),
    'sidd_plus': Layout(
        'siddplus_valid_noisy_srgb.mat and siddplus_valid_gt_srgb.mat, or the folders noisy/*.png '
        'and gt/*.png',
        noisy=Side('noisy', mat='siddplus_valid_noisy_srgb.mat'),
        clean=Side('gt', mat='siddplus_valid_gt_srgb.mat'),
        count=1024,
        pairs_by_order=True,
    ),
    'cc15': Layout(
        'd800_iso1600_1_real.png (noisy) and d800_iso1600_1_mean.png (clean), ...',
        noisy=Side(pattern='(.+)_real'),
        clean=Side(pattern='(.+)_mean'),
        count=15,
        facts=r'^(?P<camera>[^_]+)_iso(?P<iso>\d+)_(?P<scene>\d+)',
    ),
    'cc60': Layout(
        'the folders CC_60NoisyImage/*.png and CC_60MeanImage/*.png',
        noisy=Side('CC_60NoisyImage'),
        clean=Side('CC_60MeanImage'),
        count=60,
        pairs_by_order=True,
    ),
    'polyu': Layout(
        'Canon5D2_5_160_3200_chair_5_real.JPG (noisy) and Canon5D2_5_160_3200_chair_5_mean.JPG '
        '(clean), ...: the folder CroppedImages',
        noisy=Side(pattern='(.+)_real'),
        clean=Side(pattern='(.+)_mean'),
        count=100,
        facts=(
            r'^(?P<camera>[^_]+)_(?P<aperture>[^_]+)_(?P<shutter>[^_]+)_(?P<iso>\d+)_'
            r'(?P<scene>.+)_\d+$'
        ),
    ),
    'bsds500': Layout('data/images/{train,val,test}/*.jpg', clean=Side('data/images'), count=500),
    'div2k_train': Layout(
        'DIV2K_train_HR/0001.png ... 0800.png', clean=Side('DIV2K_train_HR'), count=800
    ),
    'div2k_valid': Layout(
        'DIV2K_valid_HR/0801.png ... 0900.png', clean=Side('DIV2K_valid_HR'), count=100
    ),
}
"""Sets by name. CC15 and CC60 are crops of the set of Nam et al. (CVPR 2016)."""
