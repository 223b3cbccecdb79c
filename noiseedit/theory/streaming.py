"""Images in, one result per image out, in order: read one by one, checked, in several processes.

Work on one image is a few milliseconds of decoding and linear algebra. One process does a test set
of 68 images in under a second, which is what starting others costs; so others are started only
when asked for. They are spawned, not forked: OpenMP threads of the parent cannot hang them.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np

from noiseedit.errors import ConfigError, DataError
from noiseedit.theory import checks

Result = TypeVar('Result')
Image: TypeAlias = np.ndarray | str | os.PathLike[str]
Images: TypeAlias = Iterable[Image] | str | os.PathLike[str]
Work: TypeAlias = Callable[[np.ndarray, str], Result]
Progress: TypeAlias = Callable[[Iterable[Any]], Iterable[Any]]

BACKLOG = 4  # images per process that may wait or be under way
MEAN_RANGE = (-0.05, 1.05)
VALUE_RANGE = (-4.0, 5.0)  # far more than noise adds; sums of squares stay exact, see patches.py
ONE_THREAD = dict.fromkeys(('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'), '1')


def map_images(
    work: Work[Result], images: Images, workers: int = 1, progress: Progress | None = None
) -> Iterator[Result]:
    """Yield ``work(image, name)`` for every image, in their order, whatever ``workers`` is.

    Args:
        work: Gets an image (H, W, 1 or 3), uint8 or float64, and its name for messages; with
            several workers it must pickle.
        images: A folder, or an iterable of arrays, see :func:`load_image`, and paths. Never more
            than a few images are held.
        workers: Processes that read and work; 1: this one. More pay off from hundreds of images
            on. Scripts then need ``if __name__ == '__main__':``, as for all of multiprocessing.
        progress: Wraps the stream of results, as ``tqdm`` does; ``None``: none.

    Raises:
        ConfigError: If ``workers`` is not a whole number >= 1, or a worker process died.
        DataError: If there are no images, or one cannot be used; the first such is named.
    """
    workers = checks.whole('workers', workers)
    numbered = enumerate(_each_image(images))
    results = _map_here(work, numbered) if workers == 1 else _map_spawned(work, numbered, workers)
    found = -1
    for found, result in enumerate(progress(results) if progress else results):  # noqa: B007
        yield result
    if found < 0:
        raise DataError('images: expected at least one image, got none')


def load_image(image: Image, name: str = 'image') -> np.ndarray:
    """Return an image as (H, W, 1 or 3), uint8 or float64.

    Args:
        image: A path, or (H, W), (H, W, 1), (H, W, 3): uint8, or floats in [0, 1], which noise may
            exceed.
        name: What messages call an array; a path is its own name.

    Raises:
        DataError: If the file cannot be read, or shape, type or values are none of these.
    """
    if not isinstance(image, np.ndarray):
        from noiseedit.imaging import read_image

        name, image = str(image), read_image(_path(image, name), channels=None)
    array = image[:, :, None] if image.ndim == 2 else image
    if array.ndim != 3 or array.shape[2] not in (1, 3) or not array.size:
        raise DataError(f'{name}: expected (H, W), (H, W, 1) or (H, W, 3), got {image.shape}')
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise DataError(f'{name}: expected uint8, or floats in [0, 1], got {array.dtype}')
    return _checked(array.astype(np.float64), name)


def _path(image: Any, name: str) -> Path:
    if isinstance(image, str | os.PathLike):
        return Path(image)
    raise DataError(f'{name}: expected an array or a path, got {type(image).__name__}')


def _checked(image: np.ndarray, name: str) -> np.ndarray:
    """Refuse NaN, and floats that cannot be meant as [0, 1]."""
    mean, low, high = image.mean(), image.min(), image.max()
    if not np.isfinite(mean):
        raise DataError(f'{name}: expected finite values in [0, 1], got NaN or infinity')
    inside = MEAN_RANGE[0] <= mean <= MEAN_RANGE[1]
    if inside and low >= VALUE_RANGE[0] and high <= VALUE_RANGE[1]:
        return image
    raise DataError(
        f'{name}: expected floats in [0, 1] (noise may exceed it), got values from {low:.4g} to '
        f'{high:.4g} with mean {mean:.4g}; images in [-1, 1] become (x + 1) / 2, in [0, 255] '
        'x / 255 or uint8'
    )


def _each_image(images: Images) -> Iterator[Image]:
    if isinstance(images, str | os.PathLike):
        from noiseedit.imaging import list_images

        return iter(list_images(images))
    if isinstance(images, np.ndarray) and not _is_stack(images):
        raise DataError(f'images: one array of shape {images.shape}; put it into a list')
    if not isinstance(images, Iterable) or isinstance(images, Mapping):
        raise DataError(
            'images: expected a folder or an iterable of arrays and paths, '
            f'got {type(images).__name__}'
        )
    return iter(images)


def _is_stack(images: np.ndarray) -> bool:
    return images.ndim > 3 or (images.ndim == 3 and images.shape[2] not in (1, 3))


# One process, or several.


def _run(work: Work[Result], number: int, image: Image) -> Result:
    name = f'images[{number}]' if not isinstance(image, str | os.PathLike) else str(image)
    return work(load_image(image, name), name)


def _map_here(work: Work[Result], numbered: Iterable[tuple[int, Image]]) -> Iterator[Result]:
    for number, image in numbered:
        yield _run(work, number, image)


def _map_spawned(
    work: Work[Result], numbered: Iterable[tuple[int, Image]], workers: int
) -> Iterator[Result]:
    pool = ProcessPoolExecutor(workers, get_context('spawn'), initializer=_begin)
    waiting: deque[Future[Result]] = deque()
    try:
        _start_all(pool, workers)
        for number, image in numbered:
            if len(waiting) >= BACKLOG * workers:
                yield waiting.popleft().result()
            waiting.append(pool.submit(_run, work, number, image))
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise ConfigError(
            f'workers={workers}: a worker process died. Either memory ran out, or the script lacks '
            "the line if __name__ == '__main__': around what it runs; workers=1 needs neither"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_all(pool: ProcessPoolExecutor, workers: int) -> None:
    """Start every process while the environment says one BLAS thread each."""
    with _environment(ONE_THREAD):
        for _ in range(workers):
            pool.submit(os.getpid)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _begin() -> None:
    """Begin a worker: Ctrl-C is for the parent, which then ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import cv2

    cv2.setNumThreads(1)
