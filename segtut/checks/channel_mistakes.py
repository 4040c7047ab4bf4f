"""Assignment 3: what people get wrong in channel attention, as options of `segtut.checks.channel.channel`."""

from segtut.checks.matrices import viewed
from segtut.checks.question import Mistake

PAPER = (
    "The largest weight goes to the most similar channel, as in the paper: softmax(E − max) is softmax(E). The code "
    "takes the largest energy minus the energy."
)

CHANNEL_MISTAKES = (
    Mistake(PAPER, {"sign": "paper"}),
    Mistake("The minus sign stands outside of the softmax of E: it must turn the energies, before the softmax.",
            {"sign": "paper", "outside": -1}),
    Mistake("The result has the wrong sign: the minus belongs to the energies alone.", {"outside": -1}),
    Mistake("1 − softmax(E) does turn the order, but these weights do not sum to 1: turn the energies, before the "
            "softmax.", {"normalise": "one minus"}),
    Mistake("(1 − softmax(E)) / (C − 1) does turn the order, but is no softmax: turn the energies, before the "
            "softmax.", {"normalise": "one minus, divided"}),
    Mistake("1 / softmax(E) does turn the order, but these weights do not sum to 1: turn the energies, before the "
            "softmax.", {"normalise": "one over"}),
    Mistake("The energies lose their signs: opposite channels are the least similar, and get the most weight.",
            {"normalise": "without its sign"}),
    Mistake("The softmax runs over the wrong axis: for each channel c, the weights of all channels d must sum to 1.",
            {"normalise": "rows"}),
    Mistake("The attention is applied transposed: channel c must collect with its own weights A[c, d]. With X as (B, "
            "C, N) the product is A @ X.", {"transposed": True}),
    Mistake("The largest energy is taken along the wrong axis, so that it does not drop out: each row c has its own, "
            "E.amax(dim=-1, keepdim=True).", {"normalise": "largest of the column"}),
    Mistake("One softmax runs over all C·C energies of an image: each channel needs its own.", {"normalise": "all"}),
    Mistake("One softmax runs over all C·C negative energies of an image: each channel needs its own.",
            {"normalise": "all, no largest"}),
    Mistake("The softmax runs over the images of the batch: name the axis, dim=-1.", {"normalise": "batch"}),
    Mistake("The softmax is missing: the weights of a channel must be positive and sum to 1.", {"normalise": "none"}),
    Mistake("The softmax and the largest energy are missing: the weights of a channel must be positive and sum to 1.",
            {"normalise": "none, no largest"}),
    Mistake("It divides by C in place of a softmax.", {"normalise": "mean"}),
    Mistake("It takes a sigmoid in place of the softmax: the weights of a channel must sum to 1.",
            {"normalise": "sigmoid"}),
    Mistake("It takes a sigmoid of −E in place of the softmax: the weights of a channel must sum to 1.",
            {"normalise": "sigmoid, no largest"}),
    Mistake("The differences from the largest energy are divided by their sum in place of a softmax.",
            {"normalise": "share"}),
    Mistake("The largest is taken of the weights, after the softmax of E: it is taken of the energies, before the "
            "softmax.", {"normalise": "largest weight"}),
    Mistake("It takes exp(−E) without dividing by its sum: the weights of a channel must sum to 1.",
            {"normalise": "exp, no largest"}),
    Mistake("It takes exp without dividing by its sum: the weights of a channel must sum to 1.",
            {"normalise": "exp"}),
    Mistake("It takes a log-softmax: the weights are the softmax itself.", {"normalise": "log"}),
    Mistake("The softmax is taken twice.", {"normalise": "twice"}),
    Mistake("It takes one channel alone, that of the largest weight: asked for is the mean of all channels, "
            "weighted by a softmax.",
            {"normalise": "hard"}),
    Mistake("All channels get the same weight: the energies have no influence.", {"normalise": "even"}),
    Mistake("It compares positions: E must be (C, C), the products of channels, each a row of N numbers.",
            {"compared": "positions"}),
    Mistake("It compares positions, and with the paper's sign: E must be (C, C), the products of channels, and its "
            "largest weight goes to the least similar one.", {"compared": "positions", "sign": "paper"}),
    Mistake("It compares the channels' means: E[c, d] is the sum over all positions of x[c] times x[d].",
            {"compared": "means"}),
    Mistake("It compares channels by their squared distance, and the nearest gets the most weight: asked for is the "
            "softmax of the largest product minus the product.", {"compared": "distances"}),
    Mistake("It compares channels by their squared distance: asked for is their product, the sum over all positions "
            "of x[c] times x[d].", {"compared": "distances", "sign": "paper"}),
    Mistake("The mean of each channel is subtracted first: E[c, d] is the sum of x[c] times x[d] as they are.",
            {"compared": "deviations from the mean"}),
    Mistake("The channels are brought to length 1 before they are compared: asked for is the product, not the "
            "cosine.", {"unit": "channels"}),
    Mistake("The channels are brought to length 1, and those are mixed: neither energies nor result take a norm.",
            {"unit": "everywhere"}),
    Mistake("Each position's vector is brought to length 1 before channels are compared: asked for are the products "
            "of x itself.", {"unit": "positions"}),
    Mistake("The energies are divided by √N: channel attention is not scaled.", {"scale": "√N"}),
    Mistake("The energies are divided by N, as a mean over positions does: they are a sum.", {"scale": "N"}),
    Mistake("The energies are divided by √C: channel attention is not scaled.", {"scale": "√C"}),
    Mistake("The energies are divided by C: channel attention is not scaled.", {"scale": "C"}),
    Mistake("A channel does not look at itself: all C channels count.", {"itself": "left out"}),
    Mistake("A channel's weight for itself is set to 0 after the softmax: all C channels count.",
            {"normalise": "itself 0"}),
    Mistake("A channel counts itself twice: each of the C channels counts once.", {"normalise": "itself twice"}),
    Mistake("A −∞ on the diagonal of E becomes +∞ where the energies are turned, and the softmax of that is NaN; all "
            "C channels count.", {"itself": "+∞"}),
    Mistake("A residual is added: asked for is the mixture alone, without x itself.", {"residual": True}),
    Mistake("x is multiplied by the mixture: asked for is the mixture alone.", {"result": "gate"}),
    Mistake("Each channel is multiplied by a sigmoid of its mean, as in squeeze-and-excitation: asked for is a mixture "
            "of all channels.", {"result": "excited"}),
    Mistake("Each channel is multiplied by a softmax of the channels' means: asked for is a mixture of all channels.",
            {"result": "pooled"}),
    Mistake("It returns x itself: a residual whose mixture is multiplied by a γ of 0?", {"result": "x"}),
    Mistake("It returns 0 everywhere: is something multiplied by a γ of 0, or an empty tensor never filled?",
            {"result": "nothing"}),
    Mistake("It returns the attention map: asked for is the mixture, (B, C, H, W).", {"result": "attention"}),
    Mistake("It returns the energies: asked for is the mixture, (B, C, H, W).", {"result": "energy"}),
    Mistake("The result is a matrix still: fold (B, C, N) back to (B, C, H, W).", {"result": "(B, C, N)"}),
    Mistake("The result is a matrix still: transpose (B, N, C) and fold it back to (B, C, H, W).",
            {"result": "(B, N, C)"}),
    Mistake("A .squeeze() takes all axes of length 1 away: the result must be (B, C, H, W).", {"result": "squeezed"}),
    Mistake("The result is folded to (B, C, W, H): H comes first.", {"result": "(B, C, W, H)"}),
    Mistake("H and W of the result are exchanged.", {"result": "H and W exchanged"}),
    Mistake("The batch axis is gone: only the first image's result is returned.", {"result": "without the batch"}),
    Mistake(viewed("The matrix of which E is made gets its N rows", "C"), {"key_rows": "view in both"}),
    Mistake(viewed("The second factor of E gets its N rows", "C"), {"key_rows": "view"}),
    Mistake(viewed("x is made a matrix of N rows, and the result folded back,", "C"),
            {"x_rows": "view", "out_rows": "view"}),
    Mistake(viewed("x is made a matrix of N rows", "C"), {"x_rows": "view"}),
    Mistake("The result is folded by .view or .reshape alone, which mixes channels with positions: (B, N, C) must be "
            "transposed to (B, C, N) first.", {"out_rows": "view"}),
    Mistake("The positions of the second factor of E are numbered column by column and the others row by row: all "
            "need one order.", {"key_rows": "columns"}),
    Mistake("The positions of the result are numbered column by column and those of x row by row: all need one "
            "order.", {"out_rows": "columns"}),
    Mistake("The maps are averaged over the batch: each image has its own.", {"normalise": "mean map"}),
    Mistake("All images use the energies of the first one.", {"batch": "first energies"}),
    Mistake("Images use the energies of another image of the batch.", {"batch": "next energies"}),
    Mistake("The energies are summed over the images of the batch: each image has its own.", {"batch": "summed"}),
    Mistake("The channels of all images are compared and mixed: each image of the batch stands for itself.",
            {"batch": "together"}),
    Mistake("All images mix the channels of the first one.", {"batch": "first values"}),
    Mistake("Only the first image of the batch is computed, the others are 0: does `return` stand inside the loop, "
            "or is the index always 0?", {"batch": "only the first"}),
)  # fmt: skip
