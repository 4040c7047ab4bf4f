"""Read a notebook as it was handed in, whatever became of it on the way."""

import json
from collections.abc import Mapping

import nbformat
from nbformat import NotebookNode

ENCODINGS = ("utf-8-sig", "utf-16", "latin-1")


class Unreadable(ValueError):
    """A file is no notebook; the message is a sentence for the teacher."""


def read_hand_in(content: bytes) -> tuple[NotebookNode, list[str]]:
    """Return the notebook in a file's bytes, as format 4.5 without outputs, and notes on what was mended.

    Parameters
    ----------
    content : bytes
        The file.

    Returns
    -------
    notebook : NotebookNode
        Every cell has a type, a text and metadata; outputs, attachments and execution counts are dropped.
    notes : list of str
        Sentences.

    Raises
    ------
    Unreadable
        It is empty, no JSON, or JSON but no notebook.
    """
    if not content.strip(b"\x00 \t\r\n"):
        raise Unreadable("The file is empty.")
    data, encoding = _parse(content)
    notes = [] if encoding == "utf-8-sig" else [f"The file was not in UTF-8; it was read as {encoding}."]
    if not isinstance(data, dict) or not ("cells" in data or "worksheets" in data):
        raise Unreadable("The file is JSON, but not a notebook.")
    if data.get("nbformat") != 4:
        data = _upgrade(data)
        notes.append("The notebook was in an old format and was converted.")
    cells = [_cell(cell) for cell in data["cells"] if isinstance(cell, dict)] if isinstance(data["cells"], list) else []
    # not nbformat's new_notebook, which would check, complain of and change doubled ids
    return NotebookNode(cells=cells, metadata=NotebookNode(), nbformat=4, nbformat_minor=5), notes


def _parse(content: bytes) -> tuple[object, str]:
    for encoding in ENCODINGS:
        try:
            return json.loads(content.decode(encoding)), encoding
        except (UnicodeError, json.JSONDecodeError, RecursionError):
            continue
    raise Unreadable("The file is not JSON, so not a notebook (perhaps a web page, a script or a broken download).")


def _upgrade(data: dict) -> dict:
    try:
        return nbformat.convert(nbformat.from_dict(data), 4)
    except Exception as error:  # whatever a made-up old notebook brings the converter to
        raise Unreadable(f"The notebook's format is not known ({type(error).__name__}).") from error


def _cell(cell: Mapping) -> NotebookNode:
    source = cell.get("source", "")
    source = "".join(map(str, source)) if isinstance(source, list) else str(source)
    make = {"code": nbformat.v4.new_code_cell, "raw": nbformat.v4.new_raw_cell}.get(
        cell.get("cell_type"), nbformat.v4.new_markdown_cell
    )
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    named = isinstance(marks, Mapping) and "grade_id" in marks
    kept = {"nbgrader": {"grade_id": str(marks["grade_id"])}} if named else {}
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    if isinstance(tags, list):
        kept["tags"] = [str(tag) for tag in tags]
    # lone surrogates (an emoji cut in two) are JSON, but can be neither written nor sent to a kernel
    source = source.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    made = make(source, metadata=kept)
    made["id"] = str(cell.get("id", ""))
    return made


def grade_id(cell: NotebookNode) -> str | None:
    """nbgrader's name of a cell, or None."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")
