"""From images and a noise to the level to train with: ``advise`` and ``write_config``."""

from noiseedit.advice.options import Options
from noiseedit.advice.recommend import advise
from noiseedit.advice.write_config import load_baseline, write_config

__all__ = ['Options', 'advise', 'load_baseline', 'write_config']
