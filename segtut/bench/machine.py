"""Where it is measured, and what a result says of that."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from segtut.attention import _check
from segtut.training.card import commit, device_name, software


def device_named(name: str) -> torch.device:
    """The device of that name; "auto": a GPU if there is one. ValueError if it is unknown or not there."""
    _check.choice("device", name, ("auto", "cpu", "cuda"))
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device='cuda': PyTorch finds no GPU here; use 'cpu' or 'auto'")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


@contextmanager
def threads(number: int | None) -> Iterator[None]:
    """With so many of PyTorch's threads on the CPU; None: with as many as are set."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def facts(device: torch.device) -> dict[str, Any]:
    """What a result says of machine, software and commit."""
    return {
        "device": device_name(device),
        "device_type": device.type,
        "threads": torch.get_num_threads(),
        "software": software(),
        "commit": commit(),
    }


def header(result: dict[str, Any], *settings: str) -> str:
    """Where and how it was measured, in a line."""
    versions = result["software"]
    return ", ".join([result["device"], *settings, f"torch {versions['torch']}, segtut {versions['segtut']}"])
