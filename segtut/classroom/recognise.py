"""Which assignment a file is a hand-in of."""

from pathlib import Path

from nbformat import NotebookNode

from segtut.classroom.cells import names_defined, plain
from segtut.classroom.folder import ClassFolder
from segtut.classroom.reading import Unreadable, grade_id, read_hand_in
from segtut.classroom.template import Template, read_template

ENOUGH = 0.2
"""Share of an assignment that has to be found in a notebook."""
BIG = 20_000_000


def belongs_to(path: Path, name: str, there: ClassFolder) -> tuple[bool, bool, str]:
    """Look at a file.

    Returns
    -------
    fits : bool
        It is a hand-in of the assignment.
    worked_on : bool
        Something in it differs from what was handed out.
    remark : str
        Why it does not fit, or what is unusual about it.
    """
    try:
        content = path.read_bytes()
        notebook, notes = read_hand_in(content)
    except Unreadable as error:
        return False, False, str(error)
    except OSError as error:
        return False, False, f"The file cannot be read ({error.strerror})."
    if len(content) > BIG:
        notes.append(f"The file has {len(content) // 1_000_000} MB; its outputs are dropped.")
    names = sorted(path.parent.name for path in there.root.glob("release/*/*.ipynb"))
    share = {other: resemblance(notebook, read_template(there, other)) for other in names}
    best = max(share, key=lambda other: (share[other], other == name))
    if best == name and share[name] >= ENOUGH:
        blank = {plain(cell.source) for cell in read_template(there, name).blank.cells}
        return True, any(plain(cell.source) not in blank for cell in notebook.cells), " ".join(notes)
    if share[best] >= ENOUGH:
        return False, False, f"It is a notebook of the assignment {best}."
    return False, False, f"Nothing of the assignment {name} is in it."


def resemblance(notebook: NotebookNode, template: Template) -> float:
    """The largest of the shares of an assignment's marked cells, texts and wanted names that are in a notebook."""
    ids, texts = set(template.by_grade_id), {plain(cell.source) for cell in template.blank.cells}
    wanted = set().union(*template.wanted.values())
    names = wanted & {
        name for cell in notebook.cells if cell.cell_type == "code" for name in names_defined(cell.source)
    }
    if 2 * len(names) < len(wanted):  # a few, such as `costs`, may be those of another assignment's answers
        names = set()
    share = lambda found, of: len(of & set(found)) / len(of) if of else 0.0  # noqa: E731
    return max(
        share(map(grade_id, notebook.cells), ids),
        share((plain(cell.source) for cell in notebook.cells), texts),
        share(names, wanted),
    )
