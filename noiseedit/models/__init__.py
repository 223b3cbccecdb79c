"""Models: what is trained and how; one folder per method."""

from noiseedit.models.adversarial import AdversarialModel
from noiseedit.models.base import EditModel, Phase
from noiseedit.models.preprocessor import EditPreprocessor
from noiseedit.models.restoration import RestorationModel

__all__ = ['AdversarialModel', 'EditModel', 'EditPreprocessor', 'Phase', 'RestorationModel']
