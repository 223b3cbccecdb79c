"""Package noiseedit; reads its version and requirements from files, imports nothing of it."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
EXTRAS = ('metrics', 'matlab', 'tests', 'track', 'demo', 'export')


class ShipRecipes(build_py):
    """Copy ``configs/`` and ``tools/`` into the wheel, as ``noiseedit/_shipped``."""

    def run(self):
        """Build, then copy."""
        super().run()
        if self.editable_mode:
            return
        for folder in ('configs', 'tools'):
            target = Path(self.build_lib) / 'noiseedit' / '_shipped' / folder
            shutil.copytree(
                ROOT / folder,
                target,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns('__pycache__'),
            )


def version():
    text = (ROOT / 'noiseedit' / 'version.py').read_text()
    return re.search(r"__version__ = '([^']+)'", text).group(1)


def requirements(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


setup(
    name='noiseedit',
    version=version(),
    description='Image translation, restoration and generation under noise, in MMEngine style',
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    python_requires='>=3.10',
    packages=find_packages(include=['noiseedit', 'noiseedit.*']),
    package_data={'noiseedit': ['py.typed']},
    install_requires=requirements('runtime'),
    extras_require={name: requirements(name) for name in EXTRAS},
    entry_points={'console_scripts': ['noiseedit = noiseedit.__main__:main']},
    cmdclass={'build_py': ShipRecipes},
    classifiers=[
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Image Processing',
        'Typing :: Typed',
    ],
)
