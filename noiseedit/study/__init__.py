"""The noise-injection study: several models, clean-trained and noise-injected, under many noises.

:mod:`~noiseedit.study.plan` reads what is studied, :mod:`~noiseedit.study.parts` turns it into
trainings and sweeps, :mod:`~noiseedit.study.markers` knows which of them are finished and
:mod:`~noiseedit.study.summary` what they found; :mod:`noiseedit.report.study` writes it down.
"""

from noiseedit.study.parts import Part, folders_of, parts_of, print_parts, run_parts
from noiseedit.study.plan import StudiedModel, Study, load_study, make_study
from noiseedit.study.summary import summarise

__all__ = [
    'Part',
    'StudiedModel',
    'Study',
    'folders_of',
    'load_study',
    'make_study',
    'parts_of',
    'print_parts',
    'run_parts',
    'summarise',
]
