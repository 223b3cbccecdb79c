"""Models: what is trained and how; one folder per method.

The folders are imported here, which registers what they hold; they need no entry in any list.
"""

from importlib import import_module
from pkgutil import iter_modules

from noiseedit.models.adversarial import AdversarialModel
from noiseedit.models.base import EditModel, Phase
from noiseedit.models.preprocessor import EditPreprocessor
from noiseedit.models.restoration import RestorationModel
from noiseedit.models.schemes import Noise2Noise, Noise2Void, Supervised

__all__ = [
    'AdversarialModel',
    'EditModel',
    'EditPreprocessor',
    'Noise2Noise',
    'Noise2Void',
    'Phase',
    'RestorationModel',
    'Supervised',
]

for _module in iter_modules(__path__, prefix=f'{__name__}.'):
    if _module.ispkg:
        import_module(_module.name)
