"""Framework-free torch networks, one architecture per file."""

from noiseedit.networks.dncnn import DnCNN
from noiseedit.networks.ffdnet import FFDNet
from noiseedit.networks.nafnet import NAFNet
from noiseedit.networks.patchgan import PatchGAN
from noiseedit.networks.resnet import ResNetGenerator
from noiseedit.networks.ridnet import RIDNet
from noiseedit.networks.unet import UNetGenerator

__all__ = [
    'DnCNN',
    'FFDNet',
    'NAFNet',
    'PatchGAN',
    'RIDNet',
    'ResNetGenerator',
    'UNetGenerator',
]
