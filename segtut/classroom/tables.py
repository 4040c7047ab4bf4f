"""Tables as teachers have them: CSV in whatever dialect their spreadsheet writes, and Excel."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from segtut.classroom.folder import ClassroomError
from segtut.files import write_atomically

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With these a spreadsheet's formulas begin; text that does gets an apostrophe, which is taken off when it is read."""


def read_table(path: str | Path) -> list[list[str]]:
    """Read the rows of a CSV or Excel file; empty ones are left out.

    Commas, semicolons and tabs separate; UTF-8, UTF-16, and the code pages in which Excel saves are read.

    Raises
    ------
    ClassroomError
        There is no such file, or it is no table.
    """
    path = Path(path)
    if not path.is_file():
        raise ClassroomError(f"there is no table {path}")
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        rows = _read_excel(path)
    else:
        text = decode(path.read_bytes())
        first = text.lstrip().partition("\n")[0]
        separator = max(",;\t", key=first.count)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    plain = lambda cell: cell[1:] if cell.startswith(tuple("'" + sign for sign in FORMULA)) else cell  # noqa: E731
    stripped = [[plain(cell.strip()) for cell in row] for row in rows]
    return [row for row in stripped if any(row)]


def read_records(path: str | Path) -> list[dict[str, str]]:
    """Read a table with a heading as one dictionary a row."""
    rows = read_table(path)
    return [dict(zip(rows[0], row + [""] * len(rows[0]))) for row in rows[1:]]


def write_csv(path: str | Path, records: Sequence[Mapping], columns: Sequence[str] | None = None) -> Path:
    """Write rows as CSV that Excel opens: UTF-8 with its mark, and no text that it would take for a formula."""
    columns = list(columns or dict.fromkeys(key for record in records for key in record))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([[no_formula(record.get(column, "")) for column in columns] for record in records])
    return write_atomically(path, lambda file: file.write_bytes(text.getvalue().encode("utf-8-sig", "replace")))


def write_excel(path: str | Path, records: Sequence[Mapping], columns: Sequence[str]) -> Path:
    """Write rows as an Excel sheet with a fixed heading."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    sheet.append(list(columns))
    for record in records:
        row = [no_formula(record.get(column, "")) for column in columns]
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell for cell in row])
    for number, column in enumerate(columns, 1):
        sheet.cell(1, number).font = Font(bold=True)
        longest = max(len(str(record.get(column, ""))) for record in [*records, {column: column}])
        sheet.column_dimensions[get_column_letter(number)].width = min(60, longest + 2)
    sheet.freeze_panes = "B2"
    return write_atomically(path, book.save)


def no_formula(cell: object) -> object:
    """Keep a spreadsheet from computing what somebody wrote."""
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith(FORMULA) and not re.fullmatch(r"[+-]?\d+([.,]\d+)?", cell):
        return "'" + cell
    return cell


def decode(content: bytes) -> str:
    """Decode text as spreadsheets save it."""
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeError:
            continue
    return content.decode("latin-1")


def _read_excel(path: Path) -> list[list[str]]:
    from openpyxl import load_workbook

    try:
        sheet = load_workbook(path, read_only=True, data_only=True).worksheets[0]
        rows = list(sheet.iter_rows(values_only=True))
    except Exception as error:  # zipfile, XML and openpyxl each have their own
        raise ClassroomError(f"{path} is no Excel file that can be read ({type(error).__name__})") from error
    whole = lambda cell: int(cell) if isinstance(cell, float) and cell.is_integer() else cell  # noqa: E731
    return [["" if cell is None else str(whole(cell)) for cell in row] for row in rows]
