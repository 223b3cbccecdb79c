"""NoiseTransfer: the noise of one reference image on any clean image (Lee, Kim: ACCV 2022)."""

from noiseedit.models.noise_transfer.contrae import ContraE
from noiseedit.models.noise_transfer.model import NoiseTransfer
from noiseedit.models.noise_transfer.vunet import VUNet

__all__ = ['ContraE', 'NoiseTransfer', 'VUNet']
