"""Networks: a dilated backbone and a head."""

from segtut.networks.backbone import Backbone, PretrainedWeightsError
from segtut.networks.heads import CCHead, DAHead, FCNHead, GCHead, NonLocalHead
from segtut.networks.network import HEADS, SegmentationNetwork, build_network
from segtut.networks.other_heads import ASPPHead, EMAHead, PSPHead

__all__ = [
    "HEADS",
    "ASPPHead",
    "Backbone",
    "CCHead",
    "DAHead",
    "EMAHead",
    "FCNHead",
    "GCHead",
    "NonLocalHead",
    "PSPHead",
    "PretrainedWeightsError",
    "SegmentationNetwork",
    "build_network",
]
