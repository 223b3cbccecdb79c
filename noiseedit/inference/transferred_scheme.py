"""Denoisers that learn from generated noise like that of a reference in the batch."""

from __future__ import annotations

import torch

from noiseedit.errors import ConfigError
from noiseedit.imaging import PathLike
from noiseedit.inference.loading import Ema
from noiseedit.inference.noise_transfer import embed, transfer
from noiseedit.inference.transferred_noise import shared_networks
from noiseedit.models.preprocessor import EditPreprocessor, without_border
from noiseedit.models.schemes import Inputs, Supervised
from noiseedit.registry import SCHEMES


@SCHEMES.register_module()
class TransferredReference(Supervised):
    """Generated noise instead of real noise: ``clip(x + G(x, E(reference)))`` against ``x``.

    For data sets that bring references, such as ``RealTriplets``: inputs ``source`` (clean) and
    ``reference`` (another image, noisy). A real noisy version of ``source`` is not used. Networks
    are as in :class:`~noiseedit.inference.transferred_noise.TransferredNoise`.

    Args:
        checkpoint: Of a trained or converted NoiseTransfer, or its work folder. None: networks with
            random weights, for tests.
        config: Of a model with other networks.
        ema: See :func:`~noiseedit.inference.loading.load_model`.
        border: Pixels cut off every side after the noise.
    """

    def __init__(
        self,
        checkpoint: PathLike | None,
        config: PathLike | None = None,
        ema: Ema = 'auto',
        border: int = 4,
    ) -> None:
        self.checkpoint = None if checkpoint is None else str(checkpoint)
        self.config = None if config is None else str(config)
        self.ema, self.border = ema, border

    @torch.no_grad()
    def prepare(self, inputs: Inputs, preprocessor: EditPreprocessor) -> Inputs:
        """Return generated noisy images as ``source`` and the clean ones as ``target``.

        Raises:
            ConfigError: If the batch has no ``source`` or no ``reference``.
        """
        missing = [name for name in ('source', 'reference') if name not in inputs]
        if missing:
            raise ConfigError(
                f'scheme TransferredReference: the batch lacks {", ".join(missing)}; expected a '
                'data set with clean images as source and noisy ones as reference, such as '
                'RealTriplets. Without references: noise TransferredNoise'
            )
        clean, reference = (preprocessor.restore(inputs[n]) for n in ('source', 'reference'))
        networks = shared_networks(self.checkpoint, self.config, self.ema, str(clean.device))
        condition = embed(networks, reference)
        noisy = transfer(networks, clean, condition, preprocessor.generator).clamp(0, 1)
        pair = {'source': preprocessor.normalise(noisy), 'target': inputs['source']}
        return {name: without_border(image, self.border) for name, image in pair.items()}
