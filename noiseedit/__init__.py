"""noiseedit: image translation, restoration and generation under noise.

Importing the package loads nothing heavy; sub-packages are imported where they are used.
"""

from noiseedit.version import __version__

__all__ = ['__version__']
