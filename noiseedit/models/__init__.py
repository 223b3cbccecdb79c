"""Models: what is trained and how; one folder per method."""

from noiseedit.models.preprocessor import EditPreprocessor

__all__ = ['EditPreprocessor']
