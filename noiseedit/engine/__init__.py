"""Training and testing: runner, loop, sampler, checkpoints, several processes, hooks."""

from noiseedit.engine.amp import AmpOptimWrapper
from noiseedit.engine.distributed import ChildrenDDP
from noiseedit.engine.hooks import (
    CheckpointHook,
    GeneratedGridHook,
    IterSeedHook,
    ModuleEMAHook,
    NaNGuardHook,
    ProgressHook,
    SampleGridHook,
)
from noiseedit.engine.loaders import init_worker
from noiseedit.engine.loops import IterTrainLoop
from noiseedit.engine.optim import MultiOptimConstructor
from noiseedit.engine.runner import NoiseRunner, build_runner
from noiseedit.engine.sampler import CounterSampler
from noiseedit.engine.visualizer import Visualizer

__all__ = [
    'AmpOptimWrapper',
    'CheckpointHook',
    'ChildrenDDP',
    'CounterSampler',
    'GeneratedGridHook',
    'IterSeedHook',
    'IterTrainLoop',
    'ModuleEMAHook',
    'MultiOptimConstructor',
    'NaNGuardHook',
    'NoiseRunner',
    'ProgressHook',
    'SampleGridHook',
    'Visualizer',
    'build_runner',
    'init_worker',
]
