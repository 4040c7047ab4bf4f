"""A dilated ResNet from timm: features at an eighth of the image's size instead of a thirty-second."""

import difflib

import timm
from torch import Tensor, nn


class PretrainedWeightsError(RuntimeError):
    """ImageNet weights were asked for and could not be fetched."""


class Backbone(nn.Module):
    """A timm ResNet whose last stages trade stride for dilation.

    Parameters
    ----------
    name : str
        Any timm ResNet, for instance ``resnet18``, ``resnet50``, ``resnet50c``.
    pretrained : bool
        Load ImageNet weights, which timm fetches once and keeps.
    allow_random : bool
        When they cannot be fetched, say so and go on with random weights instead of raising.
    output_stride : {8, 16, 32}
        Image size over feature size.

    Attributes
    ----------
    channels : tuple of int
        Channels of the two feature maps that `forward` returns.

    Raises
    ------
    ValueError
        timm has no such network, or no feature maps of it at that stride.
    PretrainedWeightsError
        The weights cannot be fetched and `allow_random` is False.
    """

    def __init__(
        self, name: str = "resnet18", pretrained: bool = False, allow_random: bool = False, output_stride: int = 8
    ):
        super().__init__()
        if not isinstance(name, str) or not timm.is_model(name):
            near = difflib.get_close_matches(str(name), timm.list_models("*res*"), n=3)
            raise ValueError(
                f"backbone={name!r} is no timm network; near it: {', '.join(near) or 'resnet18, resnet50'}"
            )
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride={output_stride!r}: choose 8, 16 or 32")
        options = {"features_only": True, "output_stride": output_stride, "out_indices": (3, 4)}
        try:
            self.stages = timm.create_model(name, pretrained=pretrained, **options)
        except Exception as error:  # every hub and file system has its own kinds
            if not pretrained:
                raise ValueError(f"backbone={name!r}: timm makes no feature maps of it: {error}") from error
            what = f"the ImageNet weights of {name} could not be fetched ({type(error).__name__})"
            if not allow_random:
                raise PretrainedWeightsError(
                    f"{what}: connect to the network, or start from random weights (pretrained=False, or --or-random)"
                ) from error
            print(f"Note: {what}; starting from random weights, as allowed.")
            self.stages = timm.create_model(name, pretrained=False, **options)
        self.channels = tuple(self.stages.feature_info.channels())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) -> features of the third and the fourth stage, (B, C3, H/8, W/8) and (B, C4, H/8, W/8)."""
        third, fourth = self.stages(x)
        return third, fourth
