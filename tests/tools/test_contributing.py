"""What contributors are told and asked: the page, the forms, the changelog, the hooks, the devcontainer."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from segtut import cli

ROOT = Path(__file__).parents[2]
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([\w-]+)\s*:(?!=)", MAKEFILE, re.MULTILINE))


def version():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_the_page_names_targets_and_files_that_exist():
    page = (ROOT / "CONTRIBUTING.md").read_text()
    blocks = re.findall(r"^```bash$(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`]+)`", re.sub(r"^```bash$.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL))
    asked = {
        target for code in (*blocks, *inline) for target in re.findall(r"(?:^|&& )make ([\w-]+)", code, re.MULTILINE)
    }
    assert {"check", "hooks", "derive", "lab", "release", "links", "requirements", "experiments"} <= asked <= TARGETS
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", page) if not link.startswith(("http", "…"))]
    assert len(links) > 4 and all((ROOT / link).exists() for link in links)
    assert not re.search(r"MEASURED|DESIGN|TODO", page)


def test_the_changelog_has_this_version_on_top():
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert re.fullmatch(rf"{re.escape(version())} - (\d{{4}}-\d\d-\d\d|unreleased)", headings[0])


def test_there_is_a_form_for_each_kind_of_issue():
    assert [path.stem for path in FORMS] == ["maths", "notebook", "question"]
    config = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/config.yml").read_text())
    assert config["blank_issues_enabled"] is True
    pages = [link["url"].partition("/book/")[2] for link in config["contact_links"]]
    assert all((ROOT / "book" / page.replace(".html", ".md")).is_file() for page in pages)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_form_asks_for_the_chapter_and_is_one_that_github_takes(path):
    form = yaml.safe_load(path.read_text())
    assert (
        form["name"] and form["description"] and set(form["labels"]) <= {"bug", "question"}
    )  # labels every project has
    fields = {field["id"]: field for field in form["body"]}
    assert len(fields) == len(form["body"])
    for field in form["body"]:
        assert field["type"] in {"dropdown", "input", "textarea"} and field["attributes"]["label"]
        assert re.fullmatch(r"[\w-]+", field["id"])
        options = field["attributes"].get("options", [])
        assert (field["type"] == "dropdown") == bool(options) and len(options) == len(set(options))
    assert sum(field.get("validations", {}).get("required", False) for field in form["body"]) >= 2
    chapters = [name for name in fields["chapter"]["attributes"]["options"] if re.match(r"\d\d_", name)]
    assert chapters == [chapter.stem for chapter in sorted((ROOT / "notebooks").glob("*.ipynb"))]


def test_the_command_prints_what_the_form_asks_for(monkeypatch, capsys):
    form = (ROOT / ".github/ISSUE_TEMPLATE/notebook.yml").read_text()
    assert "segtut --version" in form
    monkeypatch.setattr(sys, "argv", ["segtut", "--version"])
    cli.main()
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert f"segtut {version()}" in said and "torch " in said and f"python {sys.version_info.major}." in said


def test_the_devcontainer_makes_what_exists():
    settings = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    made = re.findall(r"\bmake ([\w-]+)", settings["postCreateCommand"])
    assert made == ["environment", "hooks"] and set(made) <= TARGETS
    labels = [ports["label"] for ports in settings["portsAttributes"].values()]
    assert {target for label in labels for target in re.findall(r"\bmake ([\w-]+)", label)} <= TARGETS
    assert [str(port) for port in settings["forwardPorts"]] == list(settings["portsAttributes"])
    dockerfile = (ROOT / ".devcontainer" / settings["build"]["dockerfile"]).read_text()
    python = re.search(r"^FROM python:(\d+)\.(\d+)", dockerfile, re.MULTILINE)
    assert (int(python[1]), int(python[2])) >= (3, 11)
    user = settings["remoteUser"]
    assert f"USER {user}\n" in dockerfile and re.search(rf"useradd .*\b{user}$", dockerfile, re.MULTILINE)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """A repository with the hooks and one chapter, the environment a link to the one that runs the tests."""
    folder = tmp_path_factory.mktemp("scratch")
    for name in (".pre-commit-config.yaml", "pyproject.toml", "requirements.txt", "_config.yml", "tools/derive.py",
                 "tools/large_files.py", "notebooks/ruff.toml", "notebooks/01_why_context.ipynb"):  # fmt: skip
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / ".gitignore").write_text(".venv\n")
    subprocess.run([sys.executable, "tools/derive.py"], cwd=folder, check=True)
    for command in (["init", "--quiet"], ["config", "user.name", "Reader"], ["config", "user.email", "r@example.org"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    environment = os.environ | {"PRE_COMMIT_HOME": str(folder / ".git/pre-commit-home")}
    install = [sys.executable, "-m", "pre_commit", "install"]
    subprocess.run(install, cwd=folder, env=environment, check=True, capture_output=True)

    def commit(*options):
        """Commit everything; return the hooks that said no."""
        subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
        command = ["git", "commit", "--quiet", "--message", "x", *options]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        failed = re.findall(r"^- hook id: ([\w-]+)$", done.stdout + done.stderr, re.MULTILINE)
        assert (done.returncode == 0) == (failed == []), done.stdout + done.stderr
        return failed

    commit("--no-verify")
    return folder, commit


def test_hooks_stop_what_is_bad_and_let_the_rest_pass(scratch):
    folder, commit = scratch
    path = folder / "notebooks/01_why_context.ipynb"
    good = path.read_text()
    bad = nbformat.reads(good, as_version=4)
    code = next(
        cell for cell in bad.cells if cell.cell_type == "code" and "bootstrap" not in cell.metadata.get("tags", [])
    )
    code.outputs, code.execution_count = [nbformat.v4.new_output("stream", text="seen\n")], 1
    nbformat.write(bad, path)
    (folder / "big.txt").write_bytes(b"0\n" * 2**19 + b"1\n")
    (folder / "net.pt").write_bytes(b"0")
    (folder / "bad.py").write_text("x = {  'a':1 }\nprint(nowhere)\n# " + "te" + "h word\n")
    (folder / "README.md").write_text("https://github.com/another/segtut\n")
    assert commit() == ["large-files", "nbstripout", "ruff", "ruff-format", "codespell", "derive"]
    assert path.read_text() == good  # stripped again

    for name in ("big.txt", "net.pt", "bad.py", "README.md"):
        (folder / name).unlink()
    (folder / "good.py").write_text('"""Good."""\n\nX = 1\n')
    assert commit() == []


def test_hooks_run_what_make_lint_runs():
    recipe = MAKEFILE[MAKEFILE.index("\nlint:") :].partition("\n\n")[0]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    entries = " ".join(hook["entry"] for hook in hooks)
    tools = re.findall(r"(?:-m \w+|tools/\w+\.py)", recipe)
    assert len(tools) >= 6 and all(tool in entries for tool in tools)
    assert all(hook["language"] == "system" and hook["entry"].startswith(".venv/bin/python ") for hook in hooks)
