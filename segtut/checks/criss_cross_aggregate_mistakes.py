"""What people get wrong in the aggregation of criss-cross attention, from the most telling on."""

from segtut.checks.question import Mistake

AGGREGATE_MISTAKES = (
    Mistake("The row is read first: the first H weights belong to the column, the W behind them to the row.",
            {"order": "row first"}),
    Mistake("The row's weights are read from place 0 on: the first H belong to the column, those of the row begin "
            "at place H.", {"order": "row from 0"}),
    Mistake("The weights are transposed: what a pixel collects is weighted by its own weights, not by those that "
            "the others give to it.", {"transposed": "both"}),
    Mistake("The column's weights are transposed: the pixel (i, j) takes the value at (h, j) with its own weight, "
            "number h.",
            {"transposed": "column"}),
    Mistake("The row's weights are transposed: the pixel (i, j) takes the value at (i, w) with its own weight, "
            "number H + w.",
            {"transposed": "row"}),
    Mistake("The values are added to the result: there is no residual in this function.", {"added": "values"}),
    Mistake("A ReLU is taken of the result: it must be the sum itself.", {"added": "relu"}),
    Mistake("A softmax is applied to the weights again: they are weights already.", {"softmax": "again"}),
    Mistake("A softmax is applied to the weights again, to column and row apart: they are weights already.",
            {"softmax": "apart"}),
    Mistake("Only the column is collected: the row's W weights are missing.", {"parts": "column alone"}),
    Mistake("Only the row is collected: the column's H weights are missing.", {"parts": "row alone"}),
    Mistake("The values come back as they were: nothing is collected.", {"parts": "values"}),
    Mistake("The result is 0 everywhere: nothing is collected.", {"left_out": "all"}),
    Mistake("Only the last summand is left: is = written where += is meant?", {"left_out": "all but the last"}),
    Mistake("The last row is left out of the column: range(H) ends with H − 1 already.", {"left_out": "the last row"}),
    Mistake("The last column is left out of the row: range(W) ends with W − 1 already.",
            {"left_out": "the last column"}),
    Mistake("The last row and the last column are left out: range(H) ends with H − 1 already.", {"left_out": "both"}),
    Mistake("The sums of column and row are multiplied: they must be added.", {"parts": "product"}),
    Mistake("The row's sum is subtracted from the column's: they must be added.", {"parts": "difference"}),
    Mistake("Of the sums of column and row the larger is taken: they must be added.", {"parts": "larger"}),
    Mistake("The sums of column and row stand side by side on the channel axis: they must be added.",
            {"parts": "side by side"}),
    Mistake("The sum is divided by 2: the weights of column and row together are shares already.",
            {"divided": "by 2"}),
    Mistake("The sum is divided by H + W, or a mean is taken: it must be the weighted sum.", {"divided": "by H + W"}),
    Mistake("The sum is divided by H + W − 1: it must be the weighted sum.", {"divided": "by H + W - 1"}),
    Mistake("A mean over the column and a mean over the row are taken: it must be the weighted sum.",
            {"divided": "each by its length"}),
    Mistake("The weights are divided by their sum: take them as they are, also where they don't sum to 1.",
            {"weights": "normalised"}),
    Mistake("The weights are divided by their sum, in column and row apart: take them as they are.",
            {"weights": "normalised apart"}),
    Mistake("The weights are not used: it is the plain sum over the column and the row.", {"weights": "all alike"}),
    Mistake("Only the value with the largest weight is taken: it must be the weighted sum of all.",
            {"weights": "one of them"}),
    Mistake("The pixel's own value is counted twice: the column's entry for it is 0 and stays so.",
            {"itself": "both"}),
    Mistake("The pixel's own value is never counted: its weight stands among the row's.", {"itself": "never"}),
    Mistake("Each weight meets the pixel's own value: it must meet the value of the position that it belongs to.",
            {"values": "own"}),
    Mistake("Only the first channel is collected: every channel is collected for itself.",
            {"values": "first channel"}),
    *(Mistake(f"The values {where} are summed up before a weight meets them: j must stand for the same column and i "
              "for the same row in the weights, the values and the result.", {"values": values})
      for values, where in (("all columns", "of the column's row h"), ("all rows", "of the row's column w"),
                            ("all", "of whole rows and columns"))),
    Mistake("The mean over the channels is taken: every channel is collected for itself.",
            {"values": "mean of the channels"}),
    Mistake("The sum over the channels is taken: every channel is collected for itself.",
            {"values": "sum of the channels"}),
    Mistake("The column's weights are read upside down: weight h belongs to row h.",
            {"entries": "column upside down"}),
    Mistake("The row's weights are read in reverse: weight H + w belongs to column w.", {"entries": "row reversed"}),
    Mistake("The weights of column and row are read in reverse.", {"entries": "both"}),
    Mistake("The column's weights, (B, H, W, H), are brought to (B·W, H, H) by .view or .reshape alone: they need "
            ".permute(0, 2, 1, 3) before it.", {"entries": "column viewed"}),
    Mistake("The column's values are brought to (B·W, C, H) by .view or .reshape alone: they need .permute(0, 3, 1, "
            "2) before it.", {"merged": "values of the column"}),
    Mistake("The row's values are brought to (B·H, C, W) by .view or .reshape alone: they need .permute(0, 2, 1, 3) "
            "before it.", {"merged": "values of the row"}),
    Mistake("The values of columns and of rows are merged into the batch by .view or .reshape without a .permute "
            "before it.",
            {"merged": "values of both"}),
    Mistake("The column's result, (B·W, C, H), is brought to (B, C, H, W) by .view alone: it is .view(B, W, C, H), "
            "then .permute(0, 2, 3, 1).", {"merged": "result of the column"}),
    Mistake("The column's result, (B·W, H, C), is brought to (B, C, H, W) by .view alone: it is .view(B, W, H, C), "
            "then .permute(0, 3, 2, 1).", {"merged": "result of the column, channels last"}),
    Mistake("The row's result, (B·H, W, C), is brought to (B, C, H, W) by .view alone: it is .view(B, H, W, C), then "
            ".permute(0, 3, 1, 2).", {"merged": "result of the row, channels last"}),
    Mistake("The results of columns and of rows, with the channels last, are brought to (B, C, H, W) by .view alone, "
            "without a .permute behind it.", {"merged": "results of both, channels last"}),
    Mistake("Rows and columns of the column's result are exchanged: it must be (B, C, H, W) before it is added to "
            "the row's.",
            {"merged": "result of the column not permuted"}),
    Mistake("The row's result, (B·H, C, W), is brought to (B, C, H, W) by .view alone: it is .view(B, H, C, W), then "
            ".permute(0, 2, 1, 3).", {"merged": "result of the row"}),
    Mistake("The results of columns and of rows are brought to (B, C, H, W) by .view alone, without a .permute "
            "behind it.",
            {"merged": "results of both"}),
    Mistake("H and W are swapped: the result must be (B, C, H, W).", {"axes": "(B, C, W, H)"}),
    Mistake("The channels stand on the last axis: the result must be (B, C, H, W).", {"axes": "(B, H, W, C)"}),
    Mistake("The result's channels are brought to the front by .view or .reshape, which only cut the numbers anew: "
            "take .permute.", {"axes": "(B, H, W, C) viewed"}),
    Mistake("The result's H and W are exchanged by .view or .reshape, which only cut the numbers anew: take "
            ".permute or .transpose.", {"axes": "(B, C, W, H) viewed"}),
    Mistake("H and W are merged into one axis: the result must be (B, C, H, W).", {"axes": "(B, C, N)"}),
    Mistake("All images collect the values of the first one.", {"batch": "first values"}),
    Mistake("Images collect the values of another image of the batch.", {"batch": "next values"}),
    Mistake("All images use the weights of the first one.", {"batch": "first weights"}),
    Mistake("All images use the mean of the batch's weights.", {"batch": "mean of the weights"}),
)  # fmt: skip
