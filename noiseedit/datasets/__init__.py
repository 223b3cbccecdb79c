"""Data sets, pipeline steps, collation, and a store of decoded images."""

from noiseedit.datasets.base import ImageDataset
from noiseedit.datasets.cifar import CIFAR10
from noiseedit.datasets.collate import edit_collate
from noiseedit.datasets.dnd import DND
from noiseedit.datasets.face_sketch import CUFS, CUFSF, FaceSketches
from noiseedit.datasets.folders import CleanFolder, NoisyFolder, PairedFolder, UnpairedFolders
from noiseedit.datasets.limit import FirstImages
from noiseedit.datasets.mixed import MixedSets
from noiseedit.datasets.standard import StandardSet
from noiseedit.datasets.store import ImageStore, open_images
from noiseedit.datasets.toy import ToyPhotos, ToyShapes
from noiseedit.datasets.transforms import AddNoise, Transform
from noiseedit.datasets.triplets import RealTriplets, SyntheticTriplets
from noiseedit.datasets.whole_set import WholeSet

__all__ = [
    'CIFAR10',
    'CUFS',
    'CUFSF',
    'DND',
    'AddNoise',
    'CleanFolder',
    'FaceSketches',
    'FirstImages',
    'ImageDataset',
    'ImageStore',
    'MixedSets',
    'NoisyFolder',
    'PairedFolder',
    'RealTriplets',
    'StandardSet',
    'SyntheticTriplets',
    'ToyPhotos',
    'ToyShapes',
    'Transform',
    'UnpairedFolders',
    'WholeSet',
    'edit_collate',
    'open_images',
]
