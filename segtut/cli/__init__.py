"""The `segtut` command."""

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

import typer

from segtut.cli import (  # noqa: F401, each adds its commands
    bench,
    classroom,
    convert,
    data,
    experiment,
    explore,
    export,
    infer,
    train,
)
from segtut.cli.app import app


def main() -> None:
    """Run the command; an expected error is one sentence, not a traceback."""
    from segtut.bench import ImplementationsDiffer
    from segtut.classroom.folder import ClassroomError
    from segtut.data.download import DownloadError
    from segtut.experiments import ExperimentFailed
    from segtut.files import WriteError
    from segtut.inference import ExportError
    from segtut.networks.backbone import PretrainedWeightsError
    from segtut.training.checkpoint import CheckpointError
    from segtut.training.loop import TrainingDiverged

    # DataError, and whatever refuses an argument, are ValueErrors.
    expected = (
        ValueError, DownloadError, PretrainedWeightsError, CheckpointError, TrainingDiverged, WriteError,
        ImplementationsDiffer, ExperimentFailed, ExportError, ClassroomError,
    )  # fmt: skip
    try:
        if os.environ.get("RANK", "0") == "0":
            app(standalone_mode=False)
        else:  # one of several processes that train together: the first one speaks
            with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
                app(standalone_mode=False)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit("segtut: interrupted; the same command goes on from the last whole epoch, predict with --resume")
    except expected as error:
        sys.exit(f"segtut: {error}")
    except Exception as error:
        if hasattr(error, "show"):  # what typer and click say of a wrong option
            error.show()
            sys.exit(2)
        raise
