"""How a class did: each question's share of full marks and most frequent hint."""

from collections import Counter
from pathlib import Path
from statistics import mean

from segtut.classroom.template import Template
from segtut.files import write_atomically


def question_statistics(rows: list[dict], template: Template, hints: dict[str, dict[str, list[str]]]) -> list[dict]:
    """Compute a row a question.

    Parameters
    ----------
    rows : list of dict
        Of `segtut.classroom.grade`, of those who were graded.
    template : Template
        Of the assignment.
    hints : dict
        What the failed tests said: student, question, sentences.

    Returns
    -------
    list of dict
        ``question``, ``out of``, ``graded`` (how many), ``mean``, ``full marks`` and ``no points`` (shares of those
        graded), ``most frequent hint`` and ``how often``. Shares of nobody are None.
    """
    statistics = []
    for question in template.questions:
        points = [row[question] for row in rows if row[question] is not None]
        most = template.points(question)
        said = Counter(hint for of in hints.values() for hint in of.get(question, []))
        often = said.most_common(1)[0] if said else ("", 0)
        share = lambda good: round(sum(map(good, points)) / len(points), 3) if points else None  # noqa: B023, E731
        statistics.append(
            {
                "question": question,
                "out of": most,
                "graded": len(points),
                "mean": round(mean(points), 2) if points else None,
                "full marks": share(lambda value: value >= most),  # noqa: B023
                "no points": share(lambda value: value == 0),
                "most frequent hint": often[0],
                "how often": often[1],
            }
        )
    return statistics


def plot_questions(statistics: list[dict], rows: list[dict], path: Path) -> None:
    """Draw the share of full marks of each question beside the distribution of totals."""
    from matplotlib.figure import Figure

    # one below the other and narrow, so that it can be read on a phone
    height = max(2.2, 0.34 * len(statistics) + 1.3)
    figure = Figure(figsize=(5.6, height + 2.2), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(height, 2.2))
    names = [row["question"] for row in statistics]
    full = [row["full marks"] or 0 for row in statistics]
    none = [row["no points"] or 0 for row in statistics]
    above.barh(names, full, color="#0072b2", label="full marks")
    above.barh(names, [1 - a - b for a, b in zip(full, none)], left=full, color="#a6cee3", label="some points")
    for number, row in enumerate(statistics):
        some = "" if row["graded"] == len(rows) else f" of {row['graded']} graded"
        text = "not graded yet" if row["full marks"] is None else f"{row['full marks']:.0%}{some}"
        above.text(0.01, number, text, va="center", color="white" if (row["full marks"] or 0) > 0.12 else "black")
        if row["full marks"] is None:
            above.patches[number + len(statistics)].set_visible(False)
    above.invert_yaxis()
    above.set(xlim=(0, 1), title="Full marks, share of the graded hand-ins")
    above.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    most = rows[0]["out of"] if rows else 1
    totals = [row["total"] for row in rows]
    below.hist(totals, bins=[most * step / 10 for step in range(11)], color="#0072b2", edgecolor="white")
    below.set(xlim=(0, most), xlabel=f"points, of {most:g}", ylabel="hand-ins", title=f"Totals of {len(rows)} hand-ins")
    below.yaxis.get_major_locator().set_params(integer=True)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    write_atomically(path, lambda file: figure.savefig(file, dpi=130))
