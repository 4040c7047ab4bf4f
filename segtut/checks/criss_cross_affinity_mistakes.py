"""What people get wrong in the affinity of criss-cross attention, from the most telling on."""

import torch

from segtut.checks import words
from segtut.checks.question import Mistake

AFFINITY_MISTAKES = (
    Mistake("The pixel itself is counted twice: its entry in the column must be −∞.", {"itself": "both"}),
    Mistake("The pixel itself is never counted: −∞ belongs into its column entry only, its row entry stays.",
            {"itself": "-inf in both"}),
    Mistake("−∞ stands at the pixel's row entry: it belongs into the column entry, and the row entry stays.",
            {"itself": "-inf in the row"}),
    Mistake("The pixel's column entry is 0: a softmax makes exp(0) = 1 of that; it must be −∞.", {"itself": 0.0}),
    Mistake("The pixel's column entry is NaN: 0 · −∞ is NaN; fill −∞ in.", {"itself": torch.nan}),
    Mistake("The column is NaN but for the pixel itself: 0 · −∞ is NaN, so a mask of zeros and ones cannot be "
            "multiplied by −∞; fill −∞ in.", {"itself": "nan around it"}),
    Mistake("The pixel's column entry is +∞: the sign is wrong.", {"itself": torch.inf}),
    Mistake("−∞ stands everywhere in the column but at the pixel itself: the mask is inverted.",
            {"itself": "-inf everywhere else"}),
    Mistake("The whole column is −∞: only the pixel's own entry, number i for a pixel in row i, is.",
            {"itself": "whole column"}),
    Mistake("−∞ stands at entry j of the pixel (i, j): its own entry in the column is number i.",
            {"itself": "-inf at entry j"}),
    Mistake("−∞ stands only at pixels (i, j) with i = j: every pixel needs it, at its entry i.",
            {"itself": "-inf where i = j"}),
    Mistake("−∞ stands in the first image only: every image of the batch needs it.",
            {"itself": "-inf in the first image"}),
    Mistake("1 is subtracted at the pixel's column entry: it must be −∞.", {"itself": "1 less"}),
    *(Mistake(f"The pixel's column entry is the finite number {words.number(number)}: it must be −∞ itself, whatever "
              "the size of the others.", {"itself": number})
      for number in (-1.0, -100.0, *(-(10.0**n) for n in (3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18, 20, 30, 37, 38)),
                     -9e15, -65504.0, torch.finfo(torch.float32).min)),
    *(Mistake(f"−∞ stands at another entry of the column than the pixel's own, number i: {which}.", {"itself": where})
      for where, which in (("below", "at i + 1, and nowhere for the last row"), ("next", "at i + 1"),
                           ("above", "at i − 1, and nowhere for the first row"), ("previous", "at i − 1"),
                           ("opposite", "counted from below"))),
    *(Mistake(f"−∞ stands at all entries {where} of the column, as in a causal mask: it belongs to entry i alone.",
              {"itself": where}) for where in ("from i", "up to i", "behind i", "before i")),
    Mistake("The row comes first: the last axis must hold the H entries of the column, then the W entries of the "
            "row.", {"order": "row first"}),
    Mistake("q and k are exchanged: the pixel that looks brings the query, the others their keys.",
            {"exchanged": True}),
    Mistake("The queries are compared with queries: k is not used.", {"of": "q"}),
    Mistake("The keys are compared with keys: q is not used.", {"of": "k"}),
    Mistake("It is divided by √C: criss-cross attention is not scaled.", {"scale": "sqrt"}),
    Mistake("It is divided by C, or the mean is taken over the channels: it must be the sum of the products, not "
            "scaled.", {"scale": "C"}),
    Mistake("It is multiplied by √C: criss-cross attention is not scaled.", {"scale": "times sqrt"}),
    Mistake("It is divided by √(H + W): criss-cross attention is not scaled.", {"scale": "sqrt H + W"}),
    Mistake("It is divided by H + W: criss-cross attention is not scaled.", {"scale": "H + W"}),
    Mistake("It is divided by √(H · W): criss-cross attention is not scaled.", {"scale": "sqrt N"}),
    Mistake("Queries and keys are divided by their lengths (the cosine): the affinity is the plain product.",
            {"channels": "cosine"}),
    Mistake("Only the first channel is used: the affinity is the sum over all channels.", {"channels": "first"}),
    Mistake("It is minus the squared distance of query and key: the affinity is their product.",
            {"channels": "distance"}),
    Mistake("The sign is wrong: the affinity is the product itself, not its negative.", {"bent": "minus"}),
    *(Mistake(f"{what} is taken of each product: the affinity is the product itself.", {"bent": bent})
      for bent, what in (("abs", "The absolute value"), ("relu", "The ReLU"), ("square", "The square"),
                         ("exp", "exp, which belongs to the softmax,"), ("sigmoid", "The sigmoid"), ("tanh", "tanh"))),
    Mistake("In the column, queries and keys are transposed: entry h of pixel (i, j) is q at (i, j) times k at (h, j).",
            {"axes": "queries and keys of the column"}),
    Mistake("In the row, queries and keys are transposed: entry w of pixel (i, j) is q at (i, j) times k at (i, w).",
            {"axes": "queries and keys of the row"}),
    Mistake("H and W are swapped: the result must be (B, H, W, H + W).", {"axes": "(B, W, H, …)"}),
    Mistake("The H + W entries stand on the second axis: they must stand on the last one.",
            {"axes": "(B, H + W, H, W)"}),
    Mistake("H and W are merged into one axis: the result must be (B, H, W, H + W).", {"axes": "(B, N, H + W)"}),
    Mistake("The result's axes are exchanged by .view or .reshape, which only cut the numbers anew: take .permute or "
            ".transpose.", {"axes": "(B, W, H, …) viewed"}),
    Mistake("The column's product stays (B, W, H, H): it must be brought to (B, H, W, H), as by .permute(0, 2, 1, "
            "3), before the row is put behind it.", {"axes": "column not permuted"}),
    Mistake("The column's product, (B·W, H, H), is brought to (B, H, W, H) by .view alone: it is .view(B, W, H, H), "
            "then .permute(0, 2, 1, 3).", {"axes": "column viewed"}),
    Mistake("The column's product, (B·W, H, H), is brought to (B, H, W, H) by .view alone before −∞ is filled in: "
            "it is .view(B, W, H, H), then .permute(0, 2, 1, 3).", {"axes": "column viewed, then masked"}),
    Mistake("For the columns, .view or .reshape to (B·W, C, H) comes without .permute(0, 3, 1, 2) before it, so that "
            "columns hold numbers of other pixels.", {"merged": "(B·W, C, H)"}),
    Mistake("For the rows, .view or .reshape to (B·H, C, W) comes without .permute(0, 2, 1, 3) before it, so that "
            "rows hold numbers of other pixels.", {"merged": "(B·H, C, W)"}),
    Mistake("Columns and rows are merged into the batch by .view or .reshape without a .permute before it, so that "
            "they hold numbers of other pixels.", {"merged": "both"}),
    *(Mistake(f"The queries {what} by .view or .reshape alone, which only cut the numbers anew: take .permute before "
              "it.", {"merged": merged})
      for merged, what in (("(B·W, H, C)", "of the columns are brought to (B·W, H, C)"),
                           ("(B·H, W, C)", "of the rows are brought to (B·H, W, C)"),
                           ("both, channels last", "are brought to (B·W, H, C) and (B·H, W, C)"))),
    *(Mistake(f"{what} of other {lines} are summed up: j must stand for the same column and i for the same row in "
              "q, k and the result.", {"merged": merged})
      for merged, what, lines in (("all columns", "In the column, the keys", "columns"),
                                  ("all rows", "In the row, the keys", "rows"),
                                  ("all", "The keys", "columns and rows"))),
    Mistake("The channels are brought to the end by .view or .reshape: take .permute(0, 2, 3, 1).",
            {"merged": "(B, H, W, C)"}),
    Mistake("The column's entries are upside down: entry h belongs to row h.", {"parts": "column upside down"}),
    Mistake("The row's entries are reversed: entry w belongs to column w.", {"parts": "row reversed"}),
    Mistake("The pixel's own column entry is left out: keep its place and put −∞ there, so that there are H + W "
            "entries.", {"parts": "own column entry left out"}),
    Mistake("Every pixel is compared with all pixels, (B, H·W, H·W), as in dense attention: it is to be compared with "
            "its column and its row.", {"parts": "dense"}),
    Mistake("Only the column is there: put the W entries of the row behind it.", {"parts": "column alone"}),
    Mistake("Only the row is there: put the H entries of the column before it.", {"parts": "row alone"}),
    Mistake("All images look at the keys of the first one.", {"batch": "first"}),
    Mistake("All images look with the queries of the first one.", {"queries": "first"}),
    Mistake("Images look at the keys of another image of the batch.", {"batch": "next"}),
    Mistake("All images look at the mean of the batch's keys.", {"batch": "mean"}),
    Mistake("A softmax is in it already: the affinity is what stands before it.", {"softmax": "together"}),
    Mistake("A softmax is in it already, one for the column and one for the row: the affinity is what stands before "
            "it.", {"softmax": "apart"}),
    *(Mistake(f"A softmax over axis {axis} is in it already: the affinity is what stands before it.",
              {"softmax": f"axis {axis}"}) for axis in (0, 1, 2)),
    Mistake("A log-softmax is in it already: the affinity is what stands before it.", {"softmax": "log"}),
)  # fmt: skip
