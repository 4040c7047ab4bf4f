import os
import sys

import nbformat

from segtut import cli
from segtut.classroom.release import with_variant
from segtut.classroom.variants import read_variants
from tests.classroom.common import NAME, answered, own, run_here, write


def segtut(monkeypatch, *words):
    """Run the command in this process; return its exit code or message."""
    monkeypatch.setattr(sys, "argv", ["segtut", "class", *map(str, words)])
    try:
        cli.main()
    except SystemExit as stop:
        return stop.code
    return 0


def test_the_four_commands(room, blank, monkeypatch, capsys):
    """From a folder with the sources where readers have them, and the class beside it."""
    monkeypatch.chdir(room)
    path = os.environ["PATH"]
    (room / "source").rename(room / "assignments")
    (room / "notebooks").mkdir()
    (room / "assignments").rename(room / "notebooks" / "assignments")
    monkeypatch.setattr("segtut.classroom.protections.protections", lambda: ["It holds."])
    monkeypatch.setattr("segtut.classroom.sandbox.execute", run_here)
    assert segtut(monkeypatch, "release", NAME, "--students", "students.csv") == 0
    said = capsys.readouterr().out
    assert (
        f"class/release/{NAME}/{NAME}.ipynb" in said
        and f"Next, when they are back: segtut class collect {NAME}" in said
    )
    values = read_variants(room / "class" / "variants" / f"{NAME}.csv")["Li Na"]
    write(room / "in" / "Li Na.ipynb", with_variant(answered(blank, own=own(values)), values))
    (room / "in" / "x.ipynb").write_text("")
    assert segtut(monkeypatch, "collect", NAME, "in") == 0
    said = capsys.readouterr().out
    assert "x.ipynb: The file is empty." in said and "Taken: 1 of 2 files" in said and "segtut class grade" in said
    assert segtut(monkeypatch, "grade", NAME, "--jobs", "1") == 0
    said = capsys.readouterr().out
    assert (
        "It holds." in said
        and "Li Na              8 of 11" in said
        and "-essays.csv" in said
        and f"segtut class report {NAME}" in said
    )
    assert segtut(monkeypatch, "report", NAME) == 0
    said = capsys.readouterr().out
    assert "Feedback for 1 students" in said and "Pairs worth a look: 0" in said
    assert (room / "class" / "feedback" / "Li Na" / f"{NAME}.html").is_file()
    assert os.environ["PATH"] == path


def test_errors_are_one_sentence(room, monkeypatch):
    monkeypatch.chdir(room)
    for words, says in (
        (("release", "x", "--source", "source"), f"segtut: assignment 'x' is none of those in source: {NAME}"),
        (("collect", NAME, "nowhere"), "segtut: there is no folder and no zip nowhere"),
        (("grade", NAME), "segtut: nothing of '1_small' was collected"),
        (("report", NAME), "segtut: '1_small' was not graded yet"),
        (("grade", NAME, "--folder", "none"), "segtut: there is no class in none"),
    ):
        message = segtut(monkeypatch, *words)
        assert str(message).startswith(says) and "\n" not in message


def test_the_other_folder_is_named_in_what_comes_next(room, monkeypatch, capsys, tmp_path):
    assert segtut(monkeypatch, "release", NAME, "--source", room / "source", "--folder", tmp_path / "b") == 0
    assert f"--folder {tmp_path / 'b'}" in capsys.readouterr().out
    assert nbformat.read(tmp_path / "b" / "release" / NAME / f"{NAME}.ipynb", 4).cells
