"""Sizes of images, all different."""

B, H, W = 2, 21, 34
