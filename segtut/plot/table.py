"""Tables whose cells come from the code."""

from collections.abc import Sequence

from segtut.plot.show import in_notebook


def table(header: Sequence[object], *rows: Sequence[object]) -> None:
    """Display a table in a notebook, as Markdown: cells may hold formulas, links and emphasis.

    Elsewhere, or without IPython, the Markdown is printed.

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
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"a row of {len(row)} cells under {len(header)} titles: {list(row)}")
    lines = [header, ["---"] * len(header), *rows]
    text = "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
    if not in_notebook():
        print(text)
        return
    from IPython.display import Markdown, display

    display(Markdown(text))
