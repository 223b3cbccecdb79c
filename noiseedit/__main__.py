"""Run a shipped tool from anywhere: ``python -m noiseedit train CONFIG`` is ``tools/train.py``."""

import runpy
import sys

from noiseedit.config import shipped_root


def main() -> None:
    """Run ``tools/<name>.py`` with the remaining arguments."""
    tools = shipped_root('tools')
    names = sorted(path.stem for path in tools.glob('*.py'))
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        raise SystemExit(f'usage: noiseedit {{{",".join(names)}}} [arguments]')
    tool = tools / f'{sys.argv[1]}.py'
    sys.argv = [str(tool), *sys.argv[2:]]
    runpy.run_path(str(tool), run_name='__main__')


if __name__ == '__main__':
    main()
