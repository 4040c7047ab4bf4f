"""The shape of the package: which way imports run, and what a reader's computer must not meet."""

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from segtut.bench import recorded_training

ROOT = Path(__file__).parents[1]
# A part may import those before it. cost stands below training because run cards carry FLOPs.
ORDER = [
    "files", "attention", "networks", "cost", "data", "training", "published", "inference", "plot", "checks",
    "classroom", "bench", "experiments", "cli",
]  # fmt: skip
NEVER = {
    ("inference", "plot"),
    ("plot", "inference"),
    ("checks", "inference"),
    ("checks", "plot"),
    ("data", "networks"),
    ("networks", "data"),
    ("data", "attention"),
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]:
                parts = (name or "").split(".")
                if parts[0] == "segtut":
                    yield from [parts[1]] if len(parts) > 1 else [a.name for a in node.names]


def test_imports_run_one_way():
    seen = 0
    for path in sorted((ROOT / "segtut").rglob("*.py")):
        part = path.relative_to(ROOT / "segtut").parts[0].removesuffix(".py")
        if part == "__init__":
            continue
        for other in imported(path):
            if other == part or other == "__version__":
                continue
            seen += 1
            assert ORDER.index(other) < ORDER.index(part), f"{path} imports {other}"
            assert (part, other) not in NEVER, f"{path} imports {other}"
    assert seen > 20


def test_d2l_is_imported_in_plot_alone():
    users = {
        path.parent.name
        for path in (ROOT / "segtut").rglob("*.py")
        if re.search(r"^\s*(from|import) d2l", path.read_text(), re.M)
    }
    assert users == {"plot"}


def test_requirements_are_names_and_versions():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert len(lines) > 100 and all(re.fullmatch(r"[A-Za-z0-9._-]+==[^\s;]+( ; .+)?", line) for line in lines)
    pinned = {line.split("==")[0].lower() for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [name for group in (project["dependencies"], *project["optional-dependencies"].values()) for name in group]
    assert {re.split(r"[<>=!\[ ]", name)[0].lower() for name in wanted} <= pinned
    assert not any("==" in name for name in project["dependencies"])  # readers get lower bounds only


def tracked():
    done = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).exists()]


def test_no_file_is_over_a_megabyte_and_no_data_or_weights_are_tracked():
    for path in tracked():
        assert path.stat().st_size <= 2**20, path
        assert path.suffix not in {".pt", ".pth", ".safetensors", ".ckpt"}, path
        assert not re.search(r"\d{4}(TP|R0)_\w+\.(png|jpe?g)$", path.name), path  # CamVid's names


def test_the_readme_quotes_its_run_card():
    readme = (ROOT / "README.md").read_text()
    card = json.loads((ROOT / "segtut/runs/ccnet-resnet18-cpu-s0.json").read_text())
    quoted = re.search(r"mean IoU of (\S+) on val and\s+(\S+) on test after (\S+) minutes", readme).groups()
    result = card["result"]
    want = (result["val"]["mean_iou"], result["test"]["mean_iou"], card["wall_time_s"] / 60)
    assert quoted == (f"{want[0]:.3f}", f"{want[1]:.3f}", f"{want[2]:.1f}")
    assert card["data"]["name"] == "camvid" and card["recipe"]["name"] == "cpu"


def test_the_readme_quotes_its_benchmark():
    (result,) = [one for one in recorded_training() if (one["device_type"], one["size"]) == ("cpu", [224, 224])]
    rows = {row["variant"]: row for row in result["steps"]}
    loaders = {row["loader"]: row for row in result["loaders"]}
    want = [
        f"{rows[way][what]:{form}}"
        for way in ("ours", "ours-autocast")
        for what, form in (("speedup_with_data", ".1f"), ("memory_ratio", ".2f"))
    ]
    readme = " ".join((ROOT / "README.md").read_text().split())
    quoted = re.search(
        r"(\S+) times as many images a second with (\S+) times the memory in float32, (\S+) times with (\S+) times in "
        r"bfloat16; the loader alone is (\S+) times as fast",
        readme,
    )
    want.append(f"{loaders['ours']['speedup']:.0f}")
    assert quoted and list(quoted.groups()) == want
    assert result["commit"] and not result["commit"].endswith("+") and max(result["differences"].values()) < 0.05


def test_version_is_written_once_in_effect():
    import segtut

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert segtut.__version__ == project["version"]
    assert f"version: {project['version']}" in (ROOT / "CITATION.cff").read_text()
