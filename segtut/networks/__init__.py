"""Networks: a dilated backbone and a head."""

from segtut.networks.backbone import Backbone, PretrainedWeightsError
from segtut.networks.heads import CCHead, FCNHead
from segtut.networks.network import SegmentationNetwork, build_network

__all__ = ["Backbone", "CCHead", "FCNHead", "PretrainedWeightsError", "SegmentationNetwork", "build_network"]
