"""One training of an experiment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from segtut.training.comparison import short
from segtut.training.recipe import Recipe


@dataclass(frozen=True)
class Job:
    """One training: network, backbone, recipe with its seed.

    Attributes
    ----------
    network, backbone : str
        See `build_network`.
    recipe : Recipe
        With the seed; its name tells it from other recipes of the experiment.
    options : mapping
        Options of `build_network`.
    """

    network: str
    recipe: Recipe
    backbone: str = "resnet18"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the run's folder and card; two jobs of one name are one training."""
        options = [f"{key}{short(value)}" for key, value in sorted(self.options.items())]
        return "-".join([self.network, self.backbone, *options, self.recipe.name, f"s{self.recipe.seed}"])
