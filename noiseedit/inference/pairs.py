"""Noisy and clean images from a trained generative model, as training data of a denoiser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset, get_worker_info

from noiseedit.errors import ConfigError
from noiseedit.inference.loading import Ema, load_model
from noiseedit.inference.sampling import generate, with_noise
from noiseedit.models.nr_gan import NoDegradation
from noiseedit.noises import SampleStreams
from noiseedit.registry import DATASETS
from noiseedit.seeding import derive_seed
from noiseedit.structures import EditSample


@DATASETS.register_module()
class GeneratedPairs(Dataset):
    """Pairs ``source`` (generated noisy) and ``target`` (the same image, clean), without end.

    Generated noise to generated clean (GN2GC; Kaneko and Harada 2020): a model that learnt clean
    images and noise from noisy images alone makes the pairs that a denoiser is trained on. Every
    position p has a pair of its own, so no pair is seen twice; it depends on p and ``seed`` alone,
    not on the batch. Batches are made at once, on the device of the model: in the main process
    (``num_workers=0``), with ``pin_memory=False`` on a GPU.

    Args:
        config: Config of the generative model: a file, or the name of a shipped one.
        checkpoint: Its checkpoint, or its work folder (the newest complete one is taken).
        length: How many pairs make one visit.
        seed: Base seed of the stream ``data``; the runner sets it unless the config does.
        ema: See :func:`~noiseedit.inference.loading.load_model`.
        device: Where the generative model works; ``None``: a GPU if there is one.

    Raises:
        ConfigError: If the model generates no pairs, or ``length`` is not positive.
        CheckpointError: If the checkpoint cannot be used.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoint: str | Path,
        length: int = 50_000,
        *,
        seed: int = 0,
        ema: Ema = 'auto',
        device: str | None = None,
    ) -> None:
        if length < 1:
            raise ConfigError(f'GeneratedPairs.length: expected at least 1, got {length}')
        self.model = load_model(config, checkpoint, ema=ema, device=device, needs=('degradation',))
        if isinstance(with_noise(self.model).degradation, NoDegradation):
            raise ConfigError(
                f'GeneratedPairs: {config} learns no noise (model.degradation is NoDegradation), '
                'so its noisy images are its clean ones; take sinrgan1, sdnrgan2 ...'
            )
        self.length, self.seed = length, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, position: int) -> dict[str, Any]:
        """Return one pair: ``inputs`` (C, H, W) and its sample."""
        batch = self.__getitems__([position])
        inputs = {name: images[0] for name, images in batch['inputs'].items()}
        return {'inputs': inputs, 'data_samples': batch['data_samples'][0]}

    def __getitems__(self, positions: Sequence[int]) -> dict[str, Any]:
        """Return a whole batch; loaders of torch call this.

        Raises:
            ConfigError: If a worker process calls it.
        """
        if get_worker_info() is not None:
            raise ConfigError(
                'GeneratedPairs: the model works in the main process; set '
                'train_dataloader.num_workers=0'
            )
        samples = [self._sample(int(position)) for position in positions]
        seeds = [derive_seed(self.seed, 'data', sample.key, sample.visit) for sample in samples]
        made = generate(self.model, len(samples), SampleStreams(seeds))
        for sample in samples:
            sample.set_metainfo({'ori_shape': tuple(made.clean.shape[-2:])})
        return {'inputs': {'source': made.noisy, 'target': made.clean}, 'data_samples': samples}

    def _sample(self, position: int) -> EditSample:
        visit, index = divmod(position, self.length)
        info = {'key': f'generated/{index:07d}', 'visit': visit, 'paths': {}, 'noise': 'generated'}
        return EditSample(metainfo=info)

    @property
    def metainfo(self) -> dict[str, Any]:
        """Name and size of the set, for checkpoints and reports."""
        return {'dataset': type(self).__name__, 'length': self.length}
