"""Framework-free torch networks, one architecture per file."""

from noiseedit.networks.dncnn import DnCNN
from noiseedit.networks.patchgan import PatchGAN
from noiseedit.networks.resnet import ResNetGenerator
from noiseedit.networks.unet import UNetGenerator

__all__ = ['DnCNN', 'PatchGAN', 'ResNetGenerator', 'UNetGenerator']
