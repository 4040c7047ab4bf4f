"""tools/derive.py on small projects of its own: one line says where the home is, everything else follows."""

import contextlib
import importlib.util
import io
import shutil
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
HOME = "https://github.com/segtut/segtut"


def chapter(*sources):
    """Return a notebook as an editor leaves it: random ids, counts, outputs, its own metadata."""
    first, *code = sources
    cells = [nbformat.v4.new_markdown_cell(first)]
    for count, source in enumerate(code, 1):
        output = nbformat.v4.new_output("stream", name="stdout", text="something\n")
        cells.append(nbformat.v4.new_code_cell(source, execution_count=count, outputs=[output]))
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "mine", "display_name": "Mine"}})


@pytest.fixture
def project(tmp_path):
    """Make a project of two chapters with links to its home and to others'."""
    for folder in ("tools", "book", "notebooks"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "tools/derive.py", tmp_path / "tools")
    move(tmp_path, HOME)
    (tmp_path / "requirements.txt").write_text("cycler==0.12.1\nd2l==1.0.3\n")
    (tmp_path / "_config.yml").write_text(
        f"repository:\n  url: {HOME}\n  branch: main\nhtml:\n  baseurl: https://segtut.github.io/segtut/\n"
    )
    (tmp_path / "README.md").write_text(
        f"Clone {HOME}.git, read https://segtut.github.io/segtut/, see {HOME}/issues or {HOME}. Not\n"
        "https://github.com/speedinghzl/CCNet nor https://github.com/segtut/segtut-extra\n"
        "nor https://github.com/segtut/segtut.js nor https://notgithub.com/segtut/segtut.\n"
    )
    (tmp_path / "book/setup.md").write_text(f"git clone {HOME}\n")
    nbformat.write(chapter("# One\n\nText.", "assert True"), tmp_path / "notebooks/01_one.ipynb")
    nbformat.write(chapter(f"# Two\n\n[Issues]({HOME}/issues)", "x = 1", "y = 2"), tmp_path / "notebooks/02_two.ipynb")
    return tmp_path


def derive(project, *options):
    """Run the project's copy of the tool, as its command line would."""
    spec = importlib.util.spec_from_file_location("derive", project / "tools/derive.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = tool.main(options)
        except SystemExit as exit_:
            status = exit_.code
    if isinstance(status, str):  # Python prints it and exits with 1
        print(status, file=err)
    return SimpleNamespace(
        returncode=1 if isinstance(status, str) else status or 0, stdout=out.getvalue(), stderr=err.getvalue()
    )


def texts(project):
    """Return the text of every file, by name."""
    files = (path for path in sorted(project.rglob("*")) if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(project)): path.read_text() for path in files}


def move(project, home):
    """Write another home into pyproject.toml."""
    path = project / "pyproject.toml"
    path.write_text(f'[project]\nname = "segtut"\n[project.urls]\nRepository = "{home}"\n')


def test_check_names_what_differs_and_writes_nothing(project):
    before = texts(project)
    checked = derive(project, "--check")
    assert checked.returncode == 1
    assert "notebooks/01_one.ipynb" in checked.stdout and "README.md" not in checked.stdout
    assert "make derive" in checked.stderr
    assert texts(project) == before


def test_derived_files_pass_the_check_and_stay_as_they_are(project):
    assert derive(project).returncode == 0
    once = texts(project)
    assert derive(project, "--check").returncode == 0
    assert derive(project).stdout == ""
    assert texts(project) == once


def test_chapters_get_badge_bootstrap_and_lose_what_the_editor_left(project):
    derive(project)
    one = nbformat.read(project / "notebooks/01_one.ipynb", as_version=4)
    two = nbformat.read(project / "notebooks/02_two.ipynb", as_version=4)
    title, badge, text = one.cells[0].source.split("\n\n")
    assert (title, text) == ("# One", "Text.")
    assert badge == (
        "[![Open in Colab](../book/static/colab-badge.png)]"
        "(https://colab.research.google.com/github/segtut/segtut/blob/main/notebooks/01_one.ipynb)"
    )
    assert [cell.source for cell in two.cells[2:]] == ["x = 1", "y = 2"]
    assert "bootstrap" in one.cells[1].metadata.tags
    assert one.cells[1].source == two.cells[1].source
    assert f'"segtut @ git+{HOME}"' in one.cells[1].source and "--no-deps d2l==1.0.3" in one.cells[1].source
    for notebook in (one, two):
        assert notebook.metadata.kernelspec.name == "python3"
        assert [cell.id for cell in notebook.cells] == [str(number) for number in range(len(notebook.cells))]
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_changed_badge_and_bootstrap_are_written_anew_where_they_stand(project):
    derive(project)
    derived = texts(project)
    path = project / "notebooks/02_two.ipynb"
    notebook = nbformat.read(path, as_version=4)
    title, _, rest = notebook.cells[0].source.split("\n\n")
    notebook.cells[0].source = f"{title}\n[![Open in Colab](there.png)](elsewhere)\n{rest}"
    notebook.cells[1].source = "import segtut"
    nbformat.write(notebook, path)
    assert derive(project, "--check").returncode == 1
    derive(project)
    assert texts(project) == derived


def test_the_request_for_a_gpu_stays(project):
    path = project / "notebooks/01_one.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.update(accelerator="GPU", colab={"gpuType": "T4"}, signature="x")
    nbformat.write(notebook, path)
    derive(project)
    assert sorted(nbformat.read(path, as_version=4).metadata) == ["accelerator", "colab", "kernelspec", "language_info"]


def test_a_fork_changes_one_line_and_can_move_on(project):
    derive(project)
    for owner, name in (("someone", "segtut"), ("university", "attention-course"), ("else", "where.v2")):
        home = f"https://github.com/{owner}/{name}"
        move(project, home)
        stale = derive(project, "--check").stdout
        assert all(name in stale for name in ("_config.yml", "README.md", "book/setup.md", "02_two.ipynb"))
        derive(project)
        assert derive(project, "--check").returncode == 0
        after = texts(project)
        assert f"  url: {home}\n" in after["_config.yml"]
        assert f"baseurl: https://{owner}.github.io/{name}/\n" in after["_config.yml"]
        assert after["README.md"].startswith(
            f"Clone {home}.git, read https://{owner}.github.io/{name}/, see {home}/issues or {home}. Not\n"
        )
        assert after["book/setup.md"] == f"git clone {home}\n"
        two = nbformat.reads(after["notebooks/02_two.ipynb"], as_version=4)
        assert f"google.com/github/{owner}/{name}/blob/main/notebooks/02_two.ipynb" in two.cells[0].source
        assert f"[Issues]({home}/issues)" in two.cells[0].source
        assert f"git+{home}" in two.cells[1].source
        for others in (
            "https://github.com/speedinghzl/CCNet",
            "https://github.com/segtut/segtut-extra",
            "https://github.com/segtut/segtut.js",
            "https://notgithub.com/segtut/segtut.",
        ):
            assert others in after["README.md"]


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda p: move(p, "https://example.org/segtut"), "pyproject.toml: [project.urls] Repository"),
        (lambda p: move(p, "https://github.com/segtut"), "https://github.com/OWNER/NAME"),
        (lambda p: (p / "requirements.txt").write_text("numpy==2\n"), "requirements.txt: no line 'd2l=="),
        (lambda p: (p / "notebooks/02_two.ipynb").write_text("{"), "02_two.ipynb: not a notebook"),
        (lambda p: nbformat.write(chapter("No title"), p / "notebooks/02_two.ipynb"), "02_two.ipynb: the first cell"),
        (lambda p: nbformat.write(nbformat.v4.new_notebook(), p / "notebooks/02_two.ipynb"), "02_two.ipynb: the first"),
    ],
    ids=["other host", "no name", "no d2l", "not JSON", "no title", "no cells"],
)
def test_what_cannot_be_derived_is_one_sentence_and_nothing_is_written(project, break_it, words):
    break_it(project)
    before = texts(project)
    derived = derive(project)
    assert derived.returncode == 1
    assert words in derived.stderr and derived.stderr.count("\n") == 1
    assert texts(project) == before


def test_two_bootstrap_cells_are_refused(project):
    path = project / "notebooks/01_one.ipynb"
    derive(project)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("x", metadata={"tags": ["bootstrap"]}))
    nbformat.write(notebook, path)
    assert "2 cells have the tag 'bootstrap'" in derive(project).stderr
