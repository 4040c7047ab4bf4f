"""What colours look like to colour-blind readers, and how far apart two of them are."""

from itertools import combinations

import numpy as np

KINDS = {
    "normal vision": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""Matrices for linear RGB: Machado, Oliveira, Fernandes (2009), "A physiologically-based model for simulation of color
vision deficiency", IEEE Transactions on Visualization and Computer Graphics 15(6), at full severity."""

TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # sRGB, D65


def linear(rgb):
    """Linear RGB of sRGB in 0 to 255, any shape (..., 3): IEC 61966-2-1."""
    share = np.asarray(rgb, dtype=float) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def luminance(rgb):
    """Relative luminance, 0 for black to 1 for white, as WCAG 2 has it."""
    return linear(rgb) @ TO_XYZ[1]


def contrast(one, other):
    """Contrast ratio of WCAG 2, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(rgb, kind="normal vision"):
    """CIELAB of sRGB colours as a kind of vision sees them."""
    seen = np.clip(linear(rgb) @ np.asarray(KINDS[kind]).T, 0, 1)
    share = seen @ TO_XYZ.T / TO_XYZ.sum(1)
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share * 841 / 108 + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def ciede2000(one, other):
    """Colour difference of two CIELAB colours; about 1 is the least that is noticed side by side.

    The formula of CIE 142-2001 in the steps of Sharma, Wu, Dalal (2005), "The CIEDE2000 color-difference formula:
    implementation notes, supplementary test data, and mathematical observations", Color Research & Application 30(1).
    """
    (L1, a1, b1), (L2, a2, b2) = one, other
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7))
    C1, C2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    L, C, turn = (L1 + L2) / 2, (C1 + C2) / 2, 0.0
    h = h1 + h2  # where one of the two is grey, it has no hue
    if C1 * C2 > 0:
        turn = (h2 - h1 + 180) % 360 - 180 if abs(h2 - h1) != 180 else h2 - h1
        h = (h1 + h2) / 2 + (0 if abs(h2 - h1) <= 180 else 180 if h1 + h2 < 360 else -180)
    T = (1 - 0.17 * np.cos(np.radians(h - 30)) + 0.24 * np.cos(np.radians(2 * h))
         + 0.32 * np.cos(np.radians(3 * h + 6)) - 0.2 * np.cos(np.radians(4 * h - 63)))  # fmt: skip
    lightness = (L2 - L1) / (1 + 0.015 * (L - 50) ** 2 / np.sqrt(20 + (L - 50) ** 2))
    chroma = (C2 - C1) / (1 + 0.045 * C)
    hue = 2 * np.sqrt(C1 * C2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * C * T)
    rotation = -np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2)))) * 2 * np.sqrt(C**7 / (C**7 + 25**7))
    return float(np.sqrt(lightness**2 + chroma**2 + hue**2 + rotation * chroma * hue))


def distances(colours, kind="normal vision"):
    """CIEDE2000 of every pair of named sRGB colours: (name, name) -> difference, the nearest first."""
    seen = {name: lab(rgb, kind) for name, rgb in colours.items()}
    found = {(a, b): ciede2000(seen[a], seen[b]) for a, b in combinations(colours, 2)}
    return dict(sorted(found.items(), key=lambda pair: pair[1]))
