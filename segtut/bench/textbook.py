"""Training as tutorials write it: what `segtut bench train` holds our training against.

The network is the same function of the same weights; the pictures come from the same files.
"""

import copy
import random

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from segtut.data import IGNORE_INDEX, VOID_LABEL, CamVid
from segtut.data.loader import MEAN, STD
from segtut.networks import SegmentationNetwork


class TextbookCCNet(nn.Module):
    """CCNet with the bmm form of criss-cross attention, which enlarges its features before it classifies them.

    Parameters
    ----------
    network : SegmentationNetwork
        A CCNet without auxiliary head, which stays as it is; the weights are copied, under the same names.
    """

    def __init__(self, network: SegmentationNetwork):
        super().__init__()
        self.backbone, self.head = copy.deepcopy((network.backbone, network.head))
        self.head.cca.implementation = "bmm"  # builds its matrix of -inf in each call

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> scores (B, K, H, W)."""
        _, features = self.backbone(x)
        y = self.head.convb(self.head.attend(self.head.conva(features)))
        y = self.head.bottleneck(torch.cat([features, y], dim=1))
        dropout, classifier = self.head.classifier
        y = F.interpolate(dropout(y), size=x.shape[2:], mode="bilinear", align_corners=True)  # 512 channels
        return classifier(y)


class TextbookData(Dataset):
    """Reads, decodes, crops and resizes with PIL whenever a sample is asked for.

    Its augmentation is that of `segtut.data.train_transform` with the same zoom, but for the aspect ratio, which
    stays: a crop of 1/zoom of the image's sides, resized, and a flip.

    Parameters
    ----------
    files : CamVid
        Whose files are read.
    size : (int, int)
        Height and width of the result.
    zoom : (float, float)
        Least and greatest enlargement.
    """

    def __init__(self, files: CamVid, size: tuple[int, int], zoom: tuple[float, float]):
        self.pairs, self.size, self.zoom, self.dice = files.pairs, size, zoom, random.Random(0)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        """Image float32 (3, H, W), normalised; label map int64 (H, W), void = 255."""
        image = Image.open(self.pairs[i].image).convert("RGB")
        mask = Image.open(self.pairs[i].mask)
        zoom = self.dice.uniform(*self.zoom)
        width, height = image.width / zoom, image.height / zoom
        left, top = self.dice.uniform(0, image.width - width), self.dice.uniform(0, image.height - height)
        box = (left, top, left + width, top + height)
        image = image.resize(self.size[::-1], Image.Resampling.BILINEAR, box)
        mask = mask.resize(self.size[::-1], Image.Resampling.NEAREST, box)
        if self.dice.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        x = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        x = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
        target = torch.from_numpy(np.array(mask)).long()
        target[target == VOID_LABEL] = IGNORE_INDEX
        return x, target


def textbook_loader(files: CamVid, size: tuple[int, int], zoom: tuple[float, float], batch: int) -> DataLoader:
    """Shuffled batches of `TextbookData`, loaded by the training process itself."""
    return DataLoader(TextbookData(files, size, zoom), batch, shuffle=True, drop_last=True)
