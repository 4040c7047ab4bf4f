"""Assignment 4: the transform that the check of a global context block hands in."""

from torch import Tensor


class Context:
    """A transform (B, C, 1, 1) -> (B, C, 1, 1) that tells what else it is called with.

    Parameters
    ----------
    shape : tuple of int
        (B, C, H, W) of the features.
    layers : tuple of Tensor
        Matrices with a ReLU between them; empty: twice the context, plus 1.
    """

    def __init__(self, shape: tuple[int, ...], layers: tuple[Tensor, ...] = ()):
        self.shape, self.layers = shape, layers
        self.shown = "(two layers with a ReLU between them)" if layers else "(z ↦ 2z + 1)"

    def __call__(self, context: Tensor) -> Tensor:
        B, C, *_ = self.shape
        if not isinstance(context, Tensor):
            raise TypeError(f"transform takes a tensor, the context; it got {type(context).__name__}")
        got, want = tuple(context.shape), (B, C, 1, 1)
        if got != want:
            raise ValueError(
                f"transform takes all contexts, (B, C, 1, 1) = {want}; it got {got}{_why(got, self.shape)}"
            )
        if not self.layers:
            return 2 * context + 1
        for i, layer in enumerate(self.layers):
            layer = layer.to(device=context.device, dtype=context.dtype)
            context = (layer @ (context.relu() if i else context).flatten(2)).unflatten(2, (1, 1))
        return context


def _why(got: tuple[int, ...], shape: tuple[int, ...]) -> str:
    B, C, H, W = shape
    if got in (shape, (B, C, H * W)):
        return ": pool before you transform, not at every position"
    if got == (B, C):
        return ": give it the axes of one pixel with [:, :, None, None]"
    if got in ((B, 1, 1, C), (B, 1, C), (B, 1, C, 1)):
        return ": the channels belong on the second axis"
    if got in ((1, C, 1, 1), (C, 1, 1), (C,), (1, C)):
        return ": call it once, with all images"
    return ""
