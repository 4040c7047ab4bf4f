"""Tables whose cells come from the code."""

from collections.abc import Sequence


def table(header: Sequence[object], *rows: Sequence[object]) -> None:
    """Display a table in a notebook, as Markdown: cells may hold formulas, links and emphasis.

    Parameters
    ----------
    header : sequence
        One title a column.
    *rows : sequence
        As many cells as the header has titles; written as ``str`` writes them.

    Raises
    ------
    ValueError
        A row has another number of cells than the header.
    """
    from IPython.display import Markdown, display

    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"a row of {len(row)} cells under {len(header)} titles: {list(row)}")
    lines = [header, ["---"] * len(header), *rows]
    display(Markdown("\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)))
