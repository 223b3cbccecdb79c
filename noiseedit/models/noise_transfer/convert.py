"""Released NoiseTransfer weights to ours; the names are the same.

The files are plain state dicts: ``VUNet`` (generator), ``encoder_q`` (noise encoder and
discriminator), ``encoder_k`` (its moving average, which describes references), and ``ridnet_g``
(a denoiser, of its own). An encoder of another file name is taken for ``encoder_k``.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from noiseedit.errors import CheckpointError
from noiseedit.models.convert import Converted, Network
from noiseedit.models.ridnet import convert as ridnet

FILES = {'VUNet': 'generator', 'encoder_q': 'discriminator', 'encoder_k': 'encoder'}
"""Beginning of a file's name -> name of the network in our model."""

FIRST = {
    'VUNet': ('VUNet', 'conv_first.conv2d.weight_orig'),
    'encoder_q': ('ContraE', 'pre_noise.conv2d.weight_orig'),
    'encoder_k': ('ContraE', 'pre_noise.conv2d.weight_orig'),
}


def convert(state_dict: Mapping[str, Tensor]) -> Converted:
    """Return the weights under our names, and the networks that they belong to.

    Args:
        state_dict: The weights of one file, or those of several with ``VUNet.``, ``encoder_q.`` or
            ``encoder_k.`` before each name.

    Raises:
        CheckpointError: If the names or shapes are not those of NoiseTransfer's networks.
    """
    if any(key in state_dict for key in ridnet.HEADS):
        return ridnet.convert(state_dict)
    networks = {FILES[kind]: _network(kind, w) for kind, w in _by_file(state_dict).items()}
    generator = networks.pop('generator', Network({}, {}))
    return Converted(generator.state_dict, generator.config, networks)


def _by_file(state_dict: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Group the weights by the file that they come from."""
    plain = {key.removeprefix('module.') for key in state_dict}
    only = next((kind for kind in ('VUNet', 'encoder_k') if FIRST[kind][1] in plain), '')
    files: dict[str, dict[str, Tensor]] = {}
    for key, tensor in state_dict.items():
        kind, _, name = key.partition('.')
        if kind not in FILES:
            kind, name = only, key
        files.setdefault(kind, {})[name.removeprefix('module.')] = tensor
    if not files or '' in files:
        signs = ' or '.join(dict.fromkeys(first for _, first in FIRST.values()))
        raise CheckpointError(
            f'NoiseTransfer: expected {signs} among the keys of a file, '
            f'got {", ".join(list(state_dict)[:4]) or "none"}'
        )
    return files


def _network(kind: str, weights: dict[str, Tensor]) -> Network:
    name, first = FIRST[kind]
    if first not in weights or weights[first].ndim != 4:
        raise CheckpointError(
            f'NoiseTransfer: {kind}: expected {first}, the weight of a convolution, '
            f'got the keys {", ".join(list(weights)[:4])}'
        )
    return Network(weights, {'type': name, 'width': weights[first].shape[0]})
