"""The workflows for GitHub parse, and run only what the Makefile has."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def commands(workflow):
    """Return every shell command of a parsed workflow."""
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def unknown_targets(workflow, makefile):
    """Return the targets that the workflow's commands make and that the Makefile's text does not define."""
    asked = {target for command in commands(workflow) for target in re.findall(r"\bmake +([\w-]+)", command)}
    return asked - set(re.findall(r"^([\w-]+)\s*:(?!=)", makefile, re.MULTILINE))


def test_there_are_workflows_for_tests_and_for_the_published_book():
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "pages.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_makes_targets_that_exist(path):
    workflow = yaml.safe_load(path.read_text())
    assert commands(workflow)
    assert not unknown_targets(workflow, (ROOT / "Makefile").read_text())


def test_unknown_targets_are_found():
    workflow = {"jobs": {"check": {"steps": [{"run": "make lint"}, {"run": "make tset"}, {"uses": "x"}]}}}
    assert unknown_targets(workflow, "PYTHON := python3\nlint: .venv\n\techo\ntest:\n") == {"tset"}


def test_ci_runs_on_linux_and_macos_every_step_of_the_local_one():
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["check"]
    assert job["strategy"]["matrix"]["os"] == ["ubuntu-latest", "macos-latest"]
    run = [step.get("run") for step in job["steps"]]
    steps = ["make lint", "make test", "make book", "make browser"]
    assert [command for command in run if command in steps] == steps
