"""Runs of NR-GAN recipes with tiny networks on a few images."""

from nr_gan_small import small

from noiseedit.config import load_config
from noiseedit.engine import build_runner

LENGTH = 8


def recipe(folder, variant='sinrgan1', letter='A', iters=6, **more):
    """Return a shipped recipe, made small: tiny networks, a few toy images, short intervals."""
    config = load_config(f'nr_gan/{variant}_small_toy_{letter}.py', more.pop('overrides', None))
    config.model.generator = small(config.model.generator)
    config.model.discriminator = small(config.model.discriminator)
    if 'network' in config.model.degradation:
        config.model.degradation.network = small(config.model.degradation.network)
    config.train_dataloader.batch_size = 4
    config.train_dataloader.dataset.dataset.length = LENGTH
    config.val_dataloader.dataset.length = LENGTH
    config.train_cfg.update(max_iters=iters, val_interval=4)
    config.default_hooks.checkpoint.interval = 2
    config.default_hooks.pop('progress')
    config.log_level = 'WARNING'
    for hook in config.custom_hooks:
        if hook.type == 'GeneratedGridHook':
            hook.update(interval=3, count=3)
    config.work_dir = str(folder)
    config.update(more)
    return config


def train(config):
    recipe_runs = getattr(train, 'count', 0)
    train.count = recipe_runs + 1
    config.experiment_name = f'nr_gan_run{recipe_runs}'
    runner = build_runner(config)
    runner.train()
    return runner
