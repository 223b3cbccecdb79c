"""Sketch-Transformer, completed: an ``AdversarialModel`` with the generator ``SketchTransformer``.

The discriminator is ``PatchGAN`` with SPADE's options; see configs/sketch_transformer.
"""

from noiseedit.models.sketch_transformer.networks import SketchTransformer

__all__ = ['SketchTransformer']
