"""The workflows for GitHub parse, run only what the Makefile and the tools have, and may do no more than they need."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)

# What jobs may do beyond reading the repository; everything else is a mistake or stands here.
WRITING = {
    ("pages", None): {"pages": "write", "id-token": "write"},
    ("release", "github"): {"contents": "write"},
    ("release", "pypi"): {"id-token": "write"},
    ("weekly", "propose"): {"contents": "write", "pull-requests": "write"},
    ("weekly", "report"): {"issues": "write"},
}


def read(path):
    """Return a parsed workflow; YAML reads its key ``on`` as True."""
    workflow = yaml.safe_load(path.read_text())
    return workflow | {"on": workflow[True]}


def steps(workflow):
    """Return every step of a parsed workflow."""
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands(workflow):
    """Return every shell command of a parsed workflow."""
    return [step["run"] for step in steps(workflow) if "run" in step]


def unknown_targets(workflow, makefile):
    """Return the targets that the workflow's commands make and that the Makefile's text does not define."""
    asked = {target for command in commands(workflow) for target in re.findall(r"^ *make +([\w-]+)", command, re.M)}
    return asked - set(re.findall(r"^([\w-]+)\s*:(?!=)", makefile, re.MULTILINE))


def faults(workflow):
    """Return what a workflow must not have, one phrase each."""
    jobs, found = workflow["jobs"], []
    found += [f"{name} has no timeout" for name, job in jobs.items() if not 0 < job.get("timeout-minutes", 0) <= 120]
    found += [] if "concurrency" in workflow else ["two runs can meet"]
    found += [] if workflow.get("permissions") else ["it has the permissions of the repository's settings"]
    for step in steps(workflow):
        text = yaml.safe_dump(step)
        if "uses" in step and not re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|release/v\d+)", step["uses"]):
            found.append(f"{step['uses']} is not an action with its major version")
        if "secrets." in text:
            found.append("a secret, where the run's own token would do")
        if "${{" in step.get("run", ""):
            found.append("an expression inside a script, where an environment variable cannot become code")
        if re.search(r"(echo|printf|cat)\b.*TOKEN", step.get("run", "")):
            found.append("a token is printed")
    for name, job in jobs.items():
        needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        found += [f"{name} waits for {need}, which is none" for need in needs if need not in jobs]
    return found


def writing(permissions):
    """Return the permissions of a workflow or a job that are more than reading."""
    return {key: value for key, value in (permissions or {}).items() if value != "read"}


def test_there_are_workflows_for_tests_the_published_book_releases_and_every_week():
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "pages.yml", "release.yml", "weekly.yml"]


@each_workflow
def test_workflow_runs_what_exists(path):
    workflow = read(path)
    assert commands(workflow)
    assert not unknown_targets(workflow, (ROOT / "Makefile").read_text())
    for command in commands(workflow):
        for tool in re.findall(r"\btools/[\w.-]+", command):
            assert (ROOT / tool).is_file(), tool
        syntax = subprocess.run(["bash", "-n"], input=command, text=True, capture_output=True)
        assert syntax.returncode == 0, syntax.stderr


@each_workflow
def test_workflow_has_no_fault(path):
    assert faults(read(path)) == []


@each_workflow
def test_workflow_may_do_what_it_needs_and_no_more(path):
    workflow = read(path)
    given = {(path.stem, None): writing(workflow["permissions"])}
    given |= {(path.stem, name): writing(job.get("permissions")) for name, job in workflow["jobs"].items()}
    assert {key: value for key, value in given.items() if value} == {
        key: value for key, value in WRITING.items() if key[0] == path.stem
    }
    for name, job in workflow["jobs"].items():
        if given[path.stem, name]:  # who may write runs no code that was installed
            assert not re.search(r"^ *(make|python|\.venv)", "\n".join(commands({"jobs": {name: job}})), re.M), name


def test_unknown_targets_are_found():
    workflow = {"jobs": {"check": {"steps": [{"run": "make lint"}, {"run": "make tset"}, {"uses": "x"}]}}}
    assert unknown_targets(workflow, "PYTHON := python3\nlint: .venv\n\techo\ntest:\n") == {"tset"}


def test_faults_are_found():
    bad = [{"uses": "a/b@main"}, {"run": "echo $GH_TOKEN ${{ github.ref }}", "env": {"X": "${{ secrets.X }}"}}]
    found = faults({"jobs": {"one": {"steps": bad, "needs": "two"}}})
    words = ("timeout", "meet", "settings", "a/b@main", "secret", "expression", "printed", "waits for two")
    assert [word in fault for word, fault in zip(words, found, strict=True)] == [True] * len(words), found


def test_ci_runs_on_linux_and_macos_every_step_of_the_local_one():
    job = read(ROOT / ".github/workflows/ci.yml")["jobs"]["check"]
    assert job["strategy"]["matrix"]["os"] == ["ubuntu-latest", "macos-latest"]
    run = [step.get("run") for step in job["steps"]]
    wanted = ["make lint", "make test", "make book", "make browser"]
    assert [command for command in run if command in wanted] == wanted


def test_the_weekly_workflow_comes_once_a_week_and_by_hand():
    workflow = read(ROOT / ".github/workflows/weekly.yml")
    (schedule,) = workflow["on"]["schedule"]
    minute, hour, day, month, weekday = schedule["cron"].split()
    assert 0 <= int(minute) < 60 and 0 <= int(hour) < 24 and (day, month) == ("*", "*") and 0 <= int(weekday) < 7
    assert "workflow_dispatch" in workflow["on"]
    assert set(workflow["jobs"]) - {"report"} == set(workflow["jobs"]["report"]["needs"])


def test_a_release_starts_from_a_version_and_takes_its_files_from_make():
    workflow = read(ROOT / ".github/workflows/release.yml")
    (pattern,) = workflow["on"]["push"]["tags"]
    tag = re.compile(pattern.replace(".", r"\."))
    assert tag.fullmatch("v0.10.2") and not tag.fullmatch("v1.0") and not tag.fullmatch("v1.0.0$(date)")
    assert commands(workflow)[0] == "make release" and "PUBLISH_TO_PYPI" in workflow["jobs"]["pypi"]["if"]


def test_a_failure_is_reported_once(tmp_path):
    gh = tmp_path / "bin/gh"
    gh.parent.mkdir()
    gh.write_text(f'#!/bin/sh\n[ "$2" = list ] && {{ cat {tmp_path}/open; exit; }}\necho "$@" >> {tmp_path}/calls\n')
    gh.chmod(0o755)
    (tmp_path / "body.md").write_text("- a link\n")

    def report(body="body.md"):
        command = ["sh", ROOT / "tools/report_failure.sh", "The checks failed", body]
        path = f"{gh.parent}:{os.environ['PATH']}"
        return subprocess.run(command, cwd=tmp_path, env={"PATH": path}, capture_output=True, text=True)

    (tmp_path / "open").write_text("")
    assert report().returncode == 0
    (tmp_path / "open").write_text("12\n")
    assert report().returncode == 0
    calls = ["issue create --title The checks failed --body-file body.md", "issue comment 12 --body-file body.md"]
    assert (tmp_path / "calls").read_text().splitlines() == calls
    (tmp_path / "empty").touch()
    assert report("empty").returncode == 1 and "nothing to report" in report("empty").stderr
