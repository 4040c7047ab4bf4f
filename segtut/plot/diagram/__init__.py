"""Diagrams of the attention modules and the networks, drawn by code: every arrow with the shape of its tensor."""

from segtut.plot.diagram.canvas import Diagram, Wire
from segtut.plot.diagram.channel import channel
from segtut.plot.diagram.danet import danet
from segtut.plot.diagram.global_context import global_context
from segtut.plot.diagram.looking import criss_cross, non_local, position
from segtut.plot.diagram.networks import ccnet, gcnet
from segtut.plot.diagram.small import small_ccnet, small_danet, small_gcnet

__all__ = ["DIAGRAMS", "Diagram", "Wire", "diagram"]

DIAGRAMS = {
    "non-local": non_local,
    "criss-cross": criss_cross,
    "position": position,
    "channel": channel,
    "global-context": global_context,
    "ccnet": ccnet,
    "danet": danet,
    "gcnet": gcnet,
    "small-ccnet": small_ccnet,
    "small-danet": small_danet,
    "small-gcnet": small_gcnet,
}
"""What can be drawn, by name: functions without arguments."""


def diagram(name: str) -> Diagram:
    """Draw an attention module or a network; in a notebook the result shows itself.

    Parameters
    ----------
    name : str
        "non-local", "criss-cross", "position", "channel" or "global-context", a module; "ccnet", "danet" or "gcnet", a
        network; with "small-" before it, the network at a glance. Case does not matter, and underscores are hyphens.

    Returns
    -------
    Diagram
        ``str(diagram(name))`` is an SVG file, ``diagram(name).description`` says in words what it shows.

    Raises
    ------
    ValueError
        There is no diagram of that name.
    """
    key = str(name).lower().replace("_", "-")
    if key not in DIAGRAMS:
        raise ValueError(f"diagram {name!r} is none of {', '.join(DIAGRAMS)}")
    return DIAGRAMS[key]()
