"""Networks for other programs: ONNX and `torch.export`, each checked against the network before it is kept."""

import copy
import io
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim

from segtut.attention import CrissCrossAttention
from segtut.data import CLASSES
from segtut.data.loader import MEAN, STD
from segtut.files import write_atomically
from segtut.inference.pictures import palette
from segtut.networks import SegmentationNetwork

SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}
TOLERANCE = 1e-3
"""Largest difference from the network, as a share of its largest score; rounding alone is below 1e-5."""
TRACED, CHECKED = (2, 6, 8), ((1, 5, 11), (3, 9, 4))
"""Batch, and height and width over the output stride: of the images for tracing, and of those for checking."""


class ExportError(RuntimeError):
    """A network cannot be exported, or what came out differs from it; the message says why."""


class PooledByProduct(nn.Module):
    """`torch.nn.AdaptiveAvgPool2d` as two matrix products, since ONNX has it for sizes known beforehand only.

    Row i of an axis of length L is the mean from floor(i L / n) to below ceil((i + 1) L / n).
    """

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, n, n)."""
        return self._means(x.shape[2], x) @ x @ self._means(x.shape[3], x).mT

    def _means(self, length: int, x: Tensor) -> Tensor:
        i, j = torch.arange(self.size, device=x.device)[:, None], torch.arange(length, device=x.device)
        inside = (j >= i * length // self.size) & (j * self.size < (i + 1) * length)
        return inside.to(x.dtype) / inside.sum(1, keepdim=True)


def export_network(network: SegmentationNetwork, out: str | Path, format: str = "onnx") -> float:
    """Write a network as a file that other programs run, after checking it on images of other sizes and numbers.

    It takes normalised RGB images (B, 3, H, W), float32, of any number B, H and W multiples of the output stride and
    at least twice that, and gives scores before softmax (B, K, H, W). The file says so itself, with the names and
    colours of the classes, the mean and standard deviation of the normalisation, and ``network.input_size``, at whose
    height images should come: in ONNX as ``metadata_props``, for `torch.export.load` as the extra file
    ``segtut.json``.

    Parameters
    ----------
    network : SegmentationNetwork
        Stays as it is.
    out : path
        Ends in ``.onnx`` or ``.pt2``; its folder is made if missing.
    format : {"onnx", "torch"}
        ONNX, or what `torch.export.save` writes.

    Returns
    -------
    float
        Largest difference between the scores of file and network, over the largest score.

    Raises
    ------
    ValueError
        Unknown format, or `out` does not fit it.
    ExportError
        A library is missing, this network cannot be exported, or the result differs from it: no file is left.
    WriteError
        The file cannot be written.
    """
    out = Path(out)
    if format not in SUFFIXES:
        raise ValueError(f"format={format!r} is none of {', '.join(SUFFIXES)}")
    if out.suffix != SUFFIXES[format] or out.is_dir() or (out.parent.exists() and not out.parent.is_dir()):
        raise ValueError(f"out={str(out)!r}: this must be a file in a folder, its name ending in {SUFFIXES[format]}")
    network = copy.deepcopy(network).cpu().eval()
    name = f"{network.spec['name']} on {network.spec['backbone']}"
    try:
        content, run = (_to_onnx if format == "onnx" else _to_torch)(network)
    except ExportError:
        raise
    except Exception as error:  # exporters raise a different kind for everything that they do not know
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ExportError(f"{name} cannot be exported as {format}: {reason[0]}") from error
    difference = max(_difference(network, run, _images(network, *shape)) for shape in CHECKED)
    if not difference <= TOLERANCE:
        raise ExportError(f"{name} as {format} differs from the network by {difference:.1e} of its largest score")
    write_atomically(out, lambda file: file.write_bytes(content))
    return difference


def describe(network: SegmentationNetwork) -> dict[str, str]:
    """What a user of an exported network must know, as JSON by subject."""
    K = network.spec["num_classes"]
    said = {
        "input": "RGB / 255, less mean, over std: float32 (B, 3, H, W), H and W multiples of the output stride",
        "output": "scores before softmax, float32 (B, K, H, W)",
        "mean": MEAN,
        "std": STD,
        "input_size": network.input_size,
        "classes": CLASSES if len(CLASSES) == K else [str(k) for k in range(K)],
        "palette": palette(K),
        "spec": network.spec,
    }
    return {key: json.dumps(value) for key, value in said.items()}


def _images(network: SegmentationNetwork, B: int, h: int, w: int) -> Tensor:
    stride = network.spec["output_stride"]
    return torch.randn(B, 3, h * stride, w * stride, generator=torch.Generator().manual_seed(0))


def _program(network: SegmentationNetwork) -> torch.export.ExportedProgram:
    stride = network.spec["output_stride"]
    sizes = {0: Dim("batch", min=1), 2: stride * Dim("rows", min=2), 3: stride * Dim("columns", min=2)}
    with torch.no_grad():
        program = torch.export.export(network, (_images(network, *TRACED),), dynamic_shapes=(sizes,))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names files of this computer
    return program


def _to_onnx(network: SegmentationNetwork) -> tuple[bytes, Callable[[Tensor], Tensor]]:
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401, what torch.onnx works with
    except ImportError as error:
        raise ExportError(f'ONNX needs {error.name}: pip install "segtut[export]"') from error
    portable = copy.deepcopy(network)
    for module in list(portable.modules()):
        if isinstance(module, CrissCrossAttention):
            module.implementation = "einsum"  # the others write -inf in place, for which the exporter has no form
        for name, child in module.named_children():
            if isinstance(child, nn.AdaptiveAvgPool2d) and child.output_size != 1:
                setattr(module, name, PooledByProduct(child.output_size))
    made = torch.onnx.export(
        _program(portable), (), dynamo=True, verbose=False, external_data=False,
        input_names=["images"], output_names=["scores"],
    )  # fmt: skip
    model = made.model_proto
    for value in (*model.graph.input, *model.graph.output):
        for axis, name in ((0, "batch"), (2, "height"), (3, "width")):
            value.type.tensor_type.shape.dim[axis].dim_param = name
    onnx.helper.set_model_props(model, describe(network))
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return content, lambda images: torch.from_numpy(session.run(None, {"images": images.numpy()})[0])


def _to_torch(network: SegmentationNetwork) -> tuple[bytes, Callable[[Tensor], Tensor]]:
    file = io.BytesIO()
    torch.export.save(_program(network), file, extra_files={"segtut.json": json.dumps(describe(network))})
    file.seek(0)
    return file.getvalue(), torch.export.load(file).module()


@torch.no_grad()
def _difference(network: SegmentationNetwork, run: Callable[[Tensor], Tensor], images: Tensor) -> float:
    wanted = network(images)
    found = run(images)
    if found.shape != wanted.shape:
        raise ExportError(
            f"images {tuple(images.shape)} give scores {tuple(found.shape)}: must be {tuple(wanted.shape)}"
        )
    return ((found - wanted).abs().max() / wanted.abs().max()).item()
