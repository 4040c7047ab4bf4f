"""Training: recipes, one loop, one score, checkpoints that survive, run cards."""

from segtut.training.card import read_cards
from segtut.training.checkpoint import CheckpointError, load_network, save_network
from segtut.training.evaluation import evaluate, predict
from segtut.training.loop import RUN_FILES, Run, TrainingDiverged, train
from segtut.training.loss import cross_entropy
from segtut.training.metrics import confusion_matrix, iou_per_class, mean_iou, pixel_accuracy
from segtut.training.recipe import RECIPES, Recipe, auto

__all__ = [
    "RECIPES", "RUN_FILES", "CheckpointError", "Recipe", "Run", "TrainingDiverged", "auto", "confusion_matrix",
    "cross_entropy", "evaluate", "iou_per_class", "load_network", "mean_iou", "pixel_accuracy", "predict",
    "read_cards", "save_network", "train",
]  # fmt: skip
