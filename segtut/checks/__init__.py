"""Checks of the assignments' answers: each raises an AssertionError with a hint, or says that the answer is right.

A check of your own is a `Question`, handed with the answer to `judge`.
"""

from segtut.checks.augmentation import check_augment
from segtut.checks.channel import check_channel_attention
from segtut.checks.confusion import check_confusion_matrix
from segtut.checks.context_costs import check_context_costs
from segtut.checks.criss_cross_affinity import check_criss_cross_affinity
from segtut.checks.criss_cross_aggregate import check_criss_cross_aggregate
from segtut.checks.criss_cross_counts import check_criss_cross_counts
from segtut.checks.criss_cross_module import check_criss_cross
from segtut.checks.data import check_dataset
from segtut.checks.dual_costs import check_dual_costs
from segtut.checks.dual_head import check_dual_head
from segtut.checks.global_context import check_global_context
from segtut.checks.judging import judge
from segtut.checks.own_scores import check_own_scores
from segtut.checks.position import check_position_attention
from segtut.checks.probe import check_context_network
from segtut.checks.query_dependence import check_query_dependence
from segtut.checks.question import Mistake, Question
from segtut.checks.reach import check_reach
from segtut.checks.scoring import check_iou_per_class

__all__ = [
    "Mistake",
    "Question",
    "check_augment",
    "check_channel_attention",
    "check_confusion_matrix",
    "check_context_costs",
    "check_context_network",
    "check_criss_cross",
    "check_criss_cross_affinity",
    "check_criss_cross_aggregate",
    "check_criss_cross_counts",
    "check_dataset",
    "check_dual_costs",
    "check_dual_head",
    "check_global_context",
    "check_iou_per_class",
    "check_own_scores",
    "check_position_attention",
    "check_query_dependence",
    "check_reach",
    "judge",
]
