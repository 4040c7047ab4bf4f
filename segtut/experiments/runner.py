"""Run the trainings of an experiment side by side, each in a process of its own."""

import json
import math
import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import cv2
import torch
from tqdm import tqdm

from segtut.data import open_splits
from segtut.experiments.job import Job
from segtut.files import write_json
from segtut.networks import build_network
from segtut.plot.curves import save_curves
from segtut.training import read_cards, train

LOG = "log.txt"


@dataclass(frozen=True)
class Training:
    """A job that runs, the folder it writes into, and the time at which it was started."""

    job: Job
    folder: Path
    started: float


class ExperimentFailed(RuntimeError):
    """Some trainings did not end well; the others did, and are kept."""


def run(
    jobs: Sequence[Job],
    where: str | Path,
    digests: Mapping[str, str],
    out: Path,
    cards: Path,
    layout: str | None = None,
    slots: int | None = None,
) -> None:
    """Train what has no card yet; one command, given again, goes on where it was interrupted.

    A job that fails does not stop the others. Of several GPUs the first is used.

    Parameters
    ----------
    jobs : sequence of Job
        In the order in which they start.
    where : path or "scenes"
        See `open_splits`.
    digests : mapping of str to str
        Of the data's splits: a card of other data is not taken for one of these.
    out : Path
        Holds a folder for each run, with its checkpoint and its ``log.txt``.
    cards : Path
        Where the run cards go, as ``NAME.json``.
    layout : str, optional
        See `CamVid`.
    slots : int, optional
        How many train at a time, at most. None: on a CPU one for each core, up to 4; on a GPU one for two cores, up
        to 8, as far as its memory has room.

    Raises
    ------
    ValueError
        A card of that name is of another training.
    ExperimentFailed
        Some did not end well; says which, and where their logs are.
    """
    there = {card["file"]: card for card in read_cards(cards)}
    waiting = [job for job in jobs if not _done(job, there.get(job.name), digests, cards)]
    gpu = torch.cuda.is_available()
    cores = number_of_cores()
    slots = slots or (min(8, max(1, cores // 2)) if gpu else min(4, cores))
    threads = max(1, cores // slots)  # also when fewer are left: the last digits depend on it
    spawn = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    room = GPURoom() if gpu else lambda running: True
    running: dict[BaseProcess, Training] = {}
    failed: dict[str, str] = {}
    ended = 0  # epochs
    bar = tqdm(
        total=sum(job.recipe.epochs for job in waiting), unit="epoch", dynamic_ncols=True, disable=not waiting,
        mininterval=1 if sys.stderr.isatty() else 60,  # seconds; a log wants fewer lines than a terminal
    )  # fmt: skip
    try:
        while waiting or running:
            while waiting and len(running) < slots and room(list(running.values())):
                job = waiting.pop(0)
                process = spawn.Process(target=_train, args=(job, where, layout, out / job.name, cards, threads, slots))
                started = time.time()
                process.start()
                running[process] = Training(job, out / job.name, started)
            wait([process.sentinel for process in running], timeout=1)
            for process in [process for process in running if not process.is_alive()]:
                job = running.pop(process).job
                ended += job.recipe.epochs
                said = _last_line(out / job.name / LOG, process.exitcode)
                if process.exitcode:
                    failed[job.name] = said
                bar.write(f"{job.name}: {said}")
            bar.set_postfix_str(", ".join(training.job.name for training in running.values()), refresh=False)
            bar.update(ended + sum(_epochs(training.folder) for training in running.values()) - bar.n)
    finally:
        bar.close()
        for process in running:
            process.terminate()
        for process in running:
            process.join()
    if failed:
        lines = "".join(f"\n  {name}: {said}" for name, said in failed.items())
        raise ExperimentFailed(
            f"{len(failed)} of {len(jobs)} trainings did not end well; the others are kept, and the same command "
            f"tries these again. Their logs: {out}/NAME/{LOG}{lines}"
        )


def _train(job: Job, where, layout, folder: Path, cards: Path, threads: int, slots: int) -> None:
    """One training, in its own process; what it says goes to its log."""
    _end_with_parent()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("a", buffering=1, encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
        try:
            torch.set_num_threads(threads)
            cv2.setNumThreads(threads)
            torch.manual_seed(job.recipe.seed)
            network = build_network(job.network, job.backbone, **job.options)
            data = open_splits(where, job.recipe.images, job.recipe.scenes_size, layout=layout)
            result = train(network, data, job.recipe, folder, progress=False,
                           on_epoch=lambda history: print(history.iloc[-1, :6].to_dict()))  # fmt: skip
            save_curves(result.history, folder / "curves.png")
            # Its time is not comparable with that of a training which had the machine to itself.
            write_json(cards / f"{job.name}.json", result.card | {"side_by_side_at_most": slots})
            print(f"mean IoU on val {result.card['result']['val']['mean_iou'] or math.nan:.3f}")
        except Exception as error:
            traceback.print_exc()
            print(f"{type(error).__name__}: {error}")
            sys.exit(1)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went."""

    def watch() -> None:
        wait([multiprocessing.parent_process().sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def number_of_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _done(job: Job, card: Mapping[str, Any] | None, digests: Mapping[str, str], cards: Path) -> bool:
    """Whether there is a card of that name; ValueError if it is of another training."""
    if card is None:
        return False
    wanted = {
        "network": {"name": job.network, "backbone": job.backbone, **job.options},
        "recipe": asdict(job.recipe),
        "data": {"digest": dict(digests)},
    }
    wanted = json.loads(json.dumps(wanted))  # as a file has it
    found = {part: card.get(part, {}) for part in wanted}
    differ = [
        f"{part}.{key}" for part in wanted for key, value in wanted[part].items() if found[part].get(key) != value
    ]
    if differ:
        raise ValueError(
            f"{cards / job.name}.json is of another training ({', '.join(differ)} differ): move it away, or choose "
            "another folder with --cards"
        )
    return True


def _epochs(folder: Path) -> int:
    """Epochs that the run in a folder has finished."""
    try:
        return max(0, (folder / "history.csv").read_text().count("\n") - 1)
    except FileNotFoundError:
        return 0


def _last_line(log: Path, exitcode: int) -> str:
    if exitcode < 0:
        return f"ended by signal {-exitcode}" + (", perhaps out of memory" if exitcode == -9 else "")
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return lines[-1] if lines else "it ended before it said anything"


class GPURoom:
    """Whether the GPU's memory has room for one more: as much as those that run take each, and a quarter more.

    What a training takes is known once it has finished an epoch; until then no other is started.
    """

    def __init__(self, memory: Callable[[], tuple[int, int]] = torch.cuda.mem_get_info):
        self.memory = memory
        self.free_before = memory()[0]

    def __call__(self, running: Sequence[Training]) -> bool:
        if not running:
            return True
        histories = [training.folder / "history.csv" for training in running]
        if not all(h.exists() and h.stat().st_mtime > t.started for h, t in zip(histories, running, strict=True)):
            return False
        free = self.memory()[0]
        return free > 1.25 * (self.free_before - free) / len(running)
