"""What happens around the iterations: seeds, averages, checkpoints, guards, pictures."""

from noiseedit.engine.hooks.checkpoint import CheckpointHook
from noiseedit.engine.hooks.ema import ModuleEMAHook
from noiseedit.engine.hooks.generated_grid import GeneratedGridHook
from noiseedit.engine.hooks.nan_guard import NaNGuardHook
from noiseedit.engine.hooks.progress import ProgressHook
from noiseedit.engine.hooks.sample_grid import SampleGridHook
from noiseedit.engine.hooks.seed import IterSeedHook

__all__ = [
    'CheckpointHook',
    'GeneratedGridHook',
    'IterSeedHook',
    'ModuleEMAHook',
    'NaNGuardHook',
    'ProgressHook',
    'SampleGridHook',
]
