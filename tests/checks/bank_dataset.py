"""Answers to the data set class ``StreetScenes(root, size)``."""

# ruff: noqa: PTH110, PTH118, PTH207, PTH208
import os
from functools import partial
from glob import glob
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from tests.checks.bank import Bank

bank = Bank("check_dataset")


class Repaired(Dataset):
    """The class of the notebook with its three bugs repaired."""

    def __init__(self, root, size):
        self.root, self.size = root, size
        self.names = self.find()

    def find(self):
        have = {path.name for path in (self.root / "labels").glob("*.png")}
        return [path.name for path in sorted((self.root / "images").glob("*.png")) if path.name in have]

    def __len__(self):
        return len(self.names)

    def paths(self, i):
        return self.root / "images" / self.names[i], self.root / "labels" / self.names[i]

    def __getitem__(self, i):
        image, mask = self.paths(i)
        return self.resize_image(self.read_image(image)), self.resize_mask(self.recode(self.read_mask(mask)))

    def read_image(self, path):
        return np.asarray(Image.open(path).convert("RGB"))

    def read_mask(self, path):
        return np.array(Image.open(path))

    def recode(self, mask):
        mask[mask == 11] = 255
        return mask

    def resize_image(self, image):
        return cv2.resize(image, self.size[::-1])

    def resize_mask(self, mask):
        return cv2.resize(mask, self.size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


bank.right(Repaired)
bank.right(partial(Repaired))


@bank.right
class Pillow:
    """PIL for everything, os for the files, no Dataset."""

    def __init__(self, folder, size):
        self.folder, (self.h, self.w) = str(folder), size
        both = set(os.listdir(os.path.join(self.folder, "images"))) & set(
            os.listdir(os.path.join(self.folder, "labels"))
        )
        self.files = sorted(name for name in both if name.lower().endswith(".png"))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image = Image.open(os.path.join(self.folder, "images", self.files[index]))
        mask = Image.open(os.path.join(self.folder, "labels", self.files[index]))
        image = np.array(image.resize((self.w, self.h), Image.BICUBIC))
        mask = np.array(mask.resize((self.w, self.h), Image.NEAREST))
        return image, np.where(mask == 11, 255, mask).astype(np.uint8)


@bank.right
class Cached(list):
    """A list of all pairs, read once with OpenCV."""

    def __init__(self, root, size):
        table = np.arange(256, dtype=np.uint8)
        table[11] = 255
        for path in sorted(glob(f"{root}/images/*.png")):
            label = path.replace("images", "labels")
            if os.path.exists(label):
                image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
                mask = table[cv2.imread(label, cv2.IMREAD_GRAYSCALE)]
                self.append((
                    cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA),
                    cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_NEAREST),
                ))  # fmt: skip


@bank.right
class Torch(Dataset):
    """PyTorch's interpolation, pairs in a dictionary, a list instead of a tuple."""

    def __init__(self, root, size):
        labels = {path.stem: path for path in Path(root, "labels").iterdir() if path.suffix == ".png"}
        images = {path.stem: path for path in Path(root, "images").iterdir() if path.suffix == ".png"}
        self.pairs = [(images[stem], labels[stem]) for stem in sorted(images.keys() & labels.keys())]
        self.size = size

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        image, mask = (torch.from_numpy(np.array(Image.open(path))) for path in self.pairs[i])
        image = torch.nn.functional.interpolate(image.permute(2, 0, 1)[None].float(), self.size, mode="bilinear")
        mask = torch.nn.functional.interpolate(mask[None, None].float(), self.size, mode="nearest")[0, 0]
        mask = mask.masked_fill(mask == 11, 255)
        return [image[0].permute(1, 2, 0).round().byte().numpy(), mask.byte().numpy()]


@bank.right
class ByIndex(Repaired):
    """Nearest by its own index arrays; void recoded after the resizing."""

    def resize_mask(self, mask):
        (H, W), (h, w) = mask.shape, self.size
        return mask[(np.arange(h) * H // h)[:, None], np.arange(w) * W // w]


@bank.right
class ByLinspace(Repaired):
    def resize_mask(self, mask):
        rows, columns = (np.linspace(0, n - 1, m).round().astype(int) for n, m in zip(mask.shape, self.size))
        return mask[np.ix_(rows, columns)]


@bank.right
class Lanczos(Repaired):
    def resize_image(self, image):
        return np.asarray(Image.fromarray(image).resize(self.size[::-1], Image.LANCZOS))


@bank.right
def factory(root, size):
    """A function that builds a data set is as good as a class."""
    print("reading", root)
    return Repaired(root, size)


# --- the three bugs of the notebook


class Sorted(Repaired):
    """Pairs of two sorted listings."""

    def __init__(self, root, size):
        self.size = size
        self.pairs = list(zip(*(sorted((root / part).glob("*.png")) for part in ("images", "labels"))))

    def __len__(self):
        return len(self.pairs)

    def paths(self, i):
        return self.pairs[i]


bank.wrong("pair files by name")(Sorted)


@bank.wrong("pair files by name")
class Listed(Sorted):
    """Pairs of two listings in whatever order."""

    def __init__(self, root, size):
        self.size = size
        self.pairs = list(zip(*((root / part).glob("*.png") for part in ("images", "labels"))))


@bank.wrong("Class 0 is taken for void, and void stays 11")
class SkyIsVoid(Repaired):
    def recode(self, mask):
        mask[mask == 0] = 255
        return mask


@bank.wrong("The label map is mixed")
class MaskBilinear(Repaired):
    def resize_mask(self, mask):
        return cv2.resize(mask, self.size[::-1])


@bank.wrong("pair files by name")
class Broken(Sorted, SkyIsVoid, MaskBilinear):
    """The notebook's class as it is found."""


@bank.wrong("Class 0 is taken for void, and void stays 11")
class OneRepaired(SkyIsVoid, MaskBilinear):
    """The pairs are repaired, the other two are there."""


# --- void


@bank.wrong("Class 0 is taken for void, too")
class SkyAndElevenAreVoid(Repaired):
    def recode(self, mask):
        return np.where((mask == 0) | (mask == 11), 255, mask).astype(np.uint8)


@bank.wrong("Void stays 11")
class VoidForgotten(Repaired):
    def recode(self, mask):
        return mask


@bank.wrong("Void becomes class 0")
class VoidIsSky(Repaired):
    def recode(self, mask):
        return mask * (mask != 11).astype(np.uint8)


@bank.wrong("Void becomes the last class")
class VoidClipped(Repaired):
    def recode(self, mask):
        return np.clip(mask, 0, 10)


@bank.wrong("Class 10 is taken for void")
class ElevenClasses(Repaired):
    def recode(self, mask):
        mask[mask >= 10] = 255
        return mask


@bank.wrong("Class 10 is taken for void")
class CountedFromOne(Repaired):
    def recode(self, mask):
        mask[mask == 10] = 255
        return mask


@bank.wrong("Every label is smaller by 1")
class ReduceZeroLabel(Repaired):
    """As for ADE20K, whose label 0 is void."""

    def recode(self, mask):
        return mask - np.uint8(1)


@bank.wrong("Every label is smaller by 1")
class ReduceZeroLabelAndVoid(Repaired):
    def recode(self, mask):
        return np.where(mask == 11, 255, mask - np.uint8(1)).astype(np.uint8)


@bank.wrong("Every label is larger by 1")
class OneMore(Repaired):
    def recode(self, mask):
        return np.where(mask == 11, 255, mask + 1).astype(np.uint8)


@bank.wrong("it must be uint8: converting it comes later")
class VoidIsMinusOne(Repaired):
    def recode(self, mask):
        return np.where(mask == 11, -1, mask.astype(np.int16))


# --- resizing


@bank.wrong("The label map is mixed")
class MaskArea(Repaired):
    def resize_mask(self, mask):
        return cv2.resize(mask, self.size[::-1], interpolation=cv2.INTER_AREA)


@bank.wrong("The label map is mixed")
class MaskBicubicOfPillow(Repaired):
    def resize_mask(self, mask):
        return np.array(Image.fromarray(mask).resize(self.size[::-1]))


@bank.wrong("The image came back with the shape")
class ImageNotResized(Repaired):
    def resize_image(self, image):
        return image


@bank.wrong("The mask came back with the shape")
class MaskNotResized(Repaired):
    def resize_mask(self, mask):
        return mask


@bank.wrong("height and width are exchanged, and cv2.resize and PIL want the width first")
class SizesExchanged(Repaired):
    def resize_image(self, image):
        return cv2.resize(image, self.size)

    def resize_mask(self, mask):
        return cv2.resize(mask, self.size, interpolation=cv2.INTER_NEAREST)


@bank.wrong("each pixel must keep its label")
class MaskTransposed(Repaired):
    def resize_mask(self, mask):
        return cv2.resize(mask.T, self.size[::-1], interpolation=cv2.INTER_NEAREST)


@bank.wrong("The label map is mirrored")
class MaskMirrored(Repaired):
    def resize_mask(self, mask):
        return super().resize_mask(mask)[:, ::-1]


@bank.wrong("The image is upside down")
class ImageUpsideDown(Repaired):
    def read_image(self, path):
        return super().read_image(path)[::-1]


# --- reading


@bank.wrong("Red and blue are exchanged")
class Bgr(Repaired):
    def read_image(self, path):
        return cv2.imread(str(path))


@bank.wrong("a label map is read as it is")
class MaskAsColours(Repaired):
    def read_mask(self, path):
        return cv2.imread(str(path))


@bank.wrong("a label map is read as it is")
class MaskConverted(Repaired):
    def read_mask(self, path):
        return np.array(Image.open(path).convert("RGB"))


@bank.wrong("The image came back in float64")
class ImageScaled(Repaired):
    def resize_image(self, image):
        return super().resize_image(image) / 255


@bank.wrong("The mask came back in int64")
class MaskLong(Repaired):
    def resize_mask(self, mask):
        return super().resize_mask(mask).astype(np.int64)


@bank.wrong("The image came back as a tensor")
class Tensors(Repaired):
    def __getitem__(self, i):
        return tuple(torch.from_numpy(np.array(array)) for array in super().__getitem__(i))


@bank.wrong("the channels stay on the last axis")
class ChannelsFirst(Repaired):
    def resize_image(self, image):
        return super().resize_image(image).transpose(2, 0, 1)


@bank.wrong("The image is grey: read it in RGB")
class Grey(Repaired):
    def read_image(self, path):
        return np.array(Image.open(path).convert("L").convert("RGB"))


# --- the items


@bank.wrong("the number of names that have both")
class OneTooFew(Repaired):
    def __len__(self):
        return len(self.names) - 1


@bank.wrong("len() is 2; it must be 1")
class OneTooMany(Repaired):
    def __len__(self):
        return len(self.names) + 1


@bank.wrong("Only names that have both an image and a label map count")
class ImagesWithoutLabels(Repaired):
    """Takes every image, also those without a label map."""

    def find(self):
        return sorted(path.name for path in (self.root / "images").glob("*.png"))


@bank.wrong("Only names that have both an image and a label map count")
class LabelsWithoutImages(Repaired):
    def find(self):
        return sorted(path.name for path in (self.root / "labels").glob("*.png"))


@bank.wrong("Only files that end in .png count")
class EveryFile(Repaired):
    """Takes every file that is in both folders, whatever it is."""

    def find(self):
        return sorted(set(os.listdir(self.root / "images")) & set(os.listdir(self.root / "labels")))


@bank.wrong("the order is that of `sorted`")
class NotSorted(Repaired):
    def find(self):
        return sorted(super().find(), key=lambda name: name[::-1])


@bank.wrong("the order is that of `sorted`")
class InASet(Repaired):
    """A set has no order."""

    def find(self):
        both = {path.name for path in (self.root / "labels").glob("*.png")}
        return list(both & {path.name for path in (self.root / "images").glob("*.png")})


@bank.wrong("the order is that of `sorted`")
class Backwards(Repaired):
    def find(self):
        return super().find()[::-1]


@bank.wrong("pair files by name")
class LabelOfTheNext(Repaired):
    def paths(self, i):
        return super().paths(i)[0], super().paths((i + 1) % len(self))[1]


@bank.wrong("or `for image, mask in dataset` never ends")
class AroundTheEnd(Repaired):
    def paths(self, i):
        return super().paths(i % len(self))


@bank.wrong("__getitem__ must depend on its index alone")
class Augments(Repaired):
    """Flips every third item that it reads."""

    reads = 0

    def __getitem__(self, i):
        self.reads += 1
        image, mask = super().__getitem__(i)
        return (image, mask) if self.reads < 2 else (image[:, ::-1], mask[:, ::-1])


@bank.wrong("must raise IndexError")
class IgnoresTheIndex(Repaired):
    """Reads on from file to file, whatever is asked for."""

    def __getitem__(self, i):
        self.at = getattr(self, "at", -1) + 1
        return super().__getitem__(self.at % len(self))


@bank.wrong("it must return two arrays")
class ThreeThings(Repaired):
    def __getitem__(self, i):
        return (*super().__getitem__(i), self.names[i])


@bank.wrong("it must return two arrays")
class Dictionary(Repaired):
    def __getitem__(self, i):
        return dict(zip(("image", "mask"), super().__getitem__(i)))


@bank.wrong("does it end with `return image, mask`?")
class Nothing(Repaired):
    def __getitem__(self, i):
        super().__getitem__(i)


@bank.wrong("StreetScenes lacks __len__ or __getitem__")
class NoLength:
    def __init__(self, root, size):
        pass

    def __getitem__(self, i):
        return None


@bank.wrong("raised TypeError")
class NoSize:
    def __init__(self, root):
        self.root = root


@bank.wrong("still raises NotImplementedError")
class Unwritten(Repaired):
    def __getitem__(self, i):
        raise NotImplementedError("your answer")


bank.wrong("hand over the class, without parentheses")(Unwritten.__new__(Unwritten))


@bank.right
class ByIndexing(Repaired):
    """Nearest pixel without a library."""

    def resize_mask(self, mask):
        (H, W), (h, w) = mask.shape, self.size
        return mask[np.arange(h) * H // h][:, np.arange(w) * W // w]


@bank.wrong("the order is that of `sorted`")
class InOrderOfNumbers(Repaired):
    def find(self):
        return sorted(super().find(), key=lambda name: (len(name), name))


@bank.wrong("Only names that have both an image and a label map count")
class LabelOfAnyKind(Repaired):
    """Takes notes of the same name for a label map."""

    def find(self):
        have = {path.stem for path in (self.root / "labels").iterdir()}
        return [path.name for path in sorted((self.root / "images").glob("*.png")) if path.stem in have]


@bank.wrong("Only names that have both an image and a label map count")
class LabelThatBeginsSo(Repaired):
    def find(self):
        have = [path.name for path in (self.root / "labels").glob("*.png")]
        images = sorted(path.stem for path in (self.root / "images").glob("*.png"))
        return [f"{stem}.png" for stem in images if any(name.startswith(stem) for name in have)]


@bank.wrong("the number of names that have both")
class EndingAnywhere(Repaired):
    def find(self):
        have = os.listdir(self.root / "labels")
        return sorted(name for name in os.listdir(self.root / "images") if ".png" in name and name in have)


@bank.wrong("changes, adds or deletes files")
class RepairsTheFolder(Repaired):
    def find(self):
        for path in (self.root / "labels").glob("*.png"):
            if not (self.root / "images" / path.name).exists():
                path.unlink()
        return super().find()


@bank.wrong("changes, adds or deletes files")
class RecodesTheFiles(Repaired):
    def __getitem__(self, i):
        pair = super().__getitem__(i)
        path = self.paths(i)[1]
        Image.fromarray(self.recode(self.read_mask(path))).save(path)
        return pair


@bank.wrong("Image and mask are exchanged")
class LabelsFirst(Repaired):
    def __getitem__(self, i):
        return super().__getitem__(i)[::-1]
