"""Names of the shapes that the operators take and give. h and w are H and W unless keys and values are pooled."""

from jaxtyping import Float
from torch import Tensor

Features = Float[Tensor, "B C H W"]
QueryKey = Float[Tensor, "B C_qk H W"]
CrissCross = Float[Tensor, "B H W H+W"]
Keys = Float[Tensor, "B C_qk h w"]
KeyFeatures = Float[Tensor, "B C h w"]
Rows = Float[Tensor, "B N C"]  # N = H·W positions, numbered i·W + j
Dense = Float[Tensor, "B N M"]  # N queries, M = h·w keys
Shared = Float[Tensor, "B N"]  # one map for all queries
Channels = Float[Tensor, "B C C"]
Context = Float[Tensor, "B C 1 1"]
