"""What people get wrong in the module of criss-cross attention, from the most telling on."""

from segtut.checks.criss_cross_affinity_mistakes import AFFINITY_MISTAKES
from segtut.checks.criss_cross_aggregate_mistakes import AGGREGATE_MISTAKES
from segtut.checks.question import Mistake

CRISS_CROSS_MISTAKES = (
    Mistake("The residual is missing: x must be added to gamma times what was collected.", {"gate": "gamma * out"}),
    Mistake("gamma is missing: what was collected must be multiplied by it before x is added.", {"gate": "out + x"}),
    Mistake("gamma and the residual are missing.", {"gate": "out"}),
    Mistake("x comes back as it was: gamma times what was collected must be added.", {"gate": "x"}),
    Mistake("gamma multiplies x too: it gates only what was collected, as in gamma * out + x.",
            {"gate": "gamma * (out + x)"}),
    Mistake("gamma multiplies x instead of what was collected.", {"gate": "out + gamma * x"}),
    Mistake("x is multiplied by 1 − gamma: it must be added as it is.", {"gate": "gamma * out + (1 - gamma) * x"}),
    Mistake("x is multiplied by gamma and what was collected by 1 − gamma: it must be gamma * out + x.",
            {"gate": "gamma * x + (1 - gamma) * out"}),
    Mistake("The values are added instead of x: the residual is the input itself.", {"gate": "gamma * out + v"}),
    Mistake("x is multiplied by what was collected: it must be added.", {"gate": "gamma * out * x"}),
    Mistake("x is added twice: does aggregation add it already?", {"gate": "gamma * out + 2 * x"}),
    Mistake("What was collected is subtracted from x: it must be added.", {"gate": "x - gamma * out"}),
    Mistake("gamma is added: it must multiply what was collected.", {"gate": "gamma + out + x"}),
    Mistake("A sigmoid of gamma is the gate: it must be gamma itself.", {"gamma": "sigmoid"}),
    Mistake("tanh of gamma is the gate: it must be gamma itself.", {"gamma": "tanh"}),
    Mistake("The absolute value of gamma is the gate: it must be gamma itself, which may be negative.",
            {"gamma": "abs"}),
    Mistake("A ReLU of gamma is the gate: it must be gamma itself, which may be negative.", {"gamma": "relu"}),
    Mistake("The gate is 1 + gamma: it must be gamma itself, so that a new module changes nothing.",
            {"gamma": "1 + gamma"}),
    Mistake("gamma is multiplied twice.", {"gamma": "square"}),
    Mistake("The softmax is missing: the affinity is no weight yet.", {"softmax": "none"}),
    Mistake("The softmax runs over column and row apart: it must run over column and row together.",
            {"softmax": "apart"}),
    Mistake("The softmax runs over column and row apart, and each has half: it must run over column and row "
            "together.", {"softmax": "apart, halved"}),
    Mistake("The softmax runs over column and row apart, and what is NaN in it is made 0: it must run over column "
            "and row together.", {"softmax": "apart, NaN as 0"}),
    Mistake("The softmax runs over the row alone: it must run over column and row together.",
            {"softmax": "row alone"}),
    Mistake("The softmax runs over the column alone: it must run over column and row together.",
            {"softmax": "column alone"}),
    Mistake("Every pixel looks at all pixels, as in dense attention: it is to look at its column and its row.",
            {"softmax": "over all pixels"}),
    Mistake("The softmax is applied twice.", {"softmax": "twice"}),
    Mistake("The softmax runs over axis 1, the pixels of a column, and not over what a pixel looks at: that is the "
            "last axis.", {"softmax": "over axis 1"}),
    Mistake("The softmax runs over axis 2, the pixels of a row, and not over what a pixel looks at: that is the "
            "last axis.", {"softmax": "over axis 2"}),
    Mistake("A sigmoid makes the weights: it must be a softmax over the last axis.", {"softmax": "sigmoid"}),
    Mistake("The softmax gets the negative affinity: the larger the affinity, the larger the weight.",
            {"softmax": "negative"}),
    Mistake("value_conv is not used: what is collected are the values, not x itself.", {"layers": "value from x"}),
    Mistake("The queries come from key_conv, and query_conv is not used.", {"layers": "key as query"}),
    Mistake("The keys come from query_conv, and key_conv is not used.", {"layers": "query as key"}),
    Mistake("A ReLU stands behind the convolutions: queries, keys and values are taken as they are.",
            {"relu": "behind the convolutions"}),
    Mistake("A ReLU stands at the end: the result is gamma * out + x as it is.", {"relu": "at the end"}),
    Mistake("Two passes are made: the module makes one, and a network calls it twice.", {"passes": 2}),
    Mistake("Three passes are made: the module makes one.", {"passes": 3}),
    Mistake("It is divided by √C, with the C of x: criss-cross attention is not scaled.",
            {"affinities": {"scale": "sqrt 8 C"}}),
    *(Mistake(mistake.sentence, {"affinities": mistake.options}) for mistake in AFFINITY_MISTAKES
      if mistake.options.get("itself") in ("both", "-inf in both", 0.0, "-inf at entry j", "-inf where i = j")
      or {"exchanged", "scale", "channels", "order", "batch", "merged"} & mistake.options.keys()
      or str(mistake.options.get("axes")).startswith(("queries", "column "))),
    *(Mistake(mistake.sentence, {"weights": mistake.options}) for mistake in AGGREGATE_MISTAKES
      if {"order", "transposed", "batch", "merged", "entries", "divided"} & mistake.options.keys()
      or mistake.options.get("parts") in ("column alone", "row alone", "product")
      or mistake.options.get("axes") in ("(B, C, W, H)", "(B, H, W, C) viewed")),
)  # fmt: skip
