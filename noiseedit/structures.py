"""The one container that travels from the data set to the score."""

from __future__ import annotations

from mmengine.structures import BaseDataElement


class EditSample(BaseDataElement):
    """One image on its way from file to score.

    Metainfo: ``key`` (relative path without extension, stable), ``visit`` (how often it was
    drawn before), ``paths`` (input name -> file), ``ori_shape`` (height, width), ``noise`` (text
    of the noise really applied), ``window`` (top, left, height, width of the picture where it was
    padded to a canvas: the images below are the picture alone).

    Data, each (C, H, W) float32 RGB in [0, 1]: ``input`` (what the model saw), ``gt`` (the clean
    target, where there is one), ``pred`` (what the model made; filled by every predict path).
    Where a model draws several images for one input, ``draws`` holds them: (K, C, H, W).
    """
