"""Published implementations as modules of ours: same parameters, same numbers.

`build` makes one of our modules from a published module's name, constructor arguments and parameters.
"""

from segtut.published.build import MODULES, build, gradients

__all__ = ["MODULES", "build", "gradients"]
