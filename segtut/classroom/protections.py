"""What the sandbox keeps from a hand-in on this machine, found out by trying."""

import tempfile
from pathlib import Path

import nbformat

from segtut.classroom.sandbox import Limits, execute

# A cell that raises an error where the sentence holds, and none where it doesn't. {outside} is a folder of ours.
_ATTEMPTS = {
    "A hand-in reaches no network.": "import socket; socket.socket().close()",
    "It starts no other process.": "import os\nif os.fork() == 0: os._exit(0)",
    "It sends no signal to other processes.": "import os; os.kill(os.getppid(), 0)",
    "It writes nowhere but in its own temporary folder.": "open({outside!r} + '/new', 'w').close()",
    "It reads no files of yours, neither the grade book nor other hand-ins.": "open({outside!r} + '/secret').close()",
    "It takes no more memory than its limit.": "import numpy; numpy.ones(2**40)",
    "It writes no file above its limit.": "with open('big', 'wb') as file: file.write(bytes(2**21))",
    "A loop without end is stopped, and the next cells run.": "while True: pass",
    "A cell that ends Python costs its own points only.": "import os; os._exit(0)",
}


def protections() -> list[str]:
    """What holds on this machine, as sentences; what does not hold is missing.

    Returns
    -------
    list of str
        Sentences for the teacher. On Linux with libseccomp and a kernel that has Landlock all of them; on macOS only
        those on time, files and memory that the system bounds.
    """
    with tempfile.TemporaryDirectory() as outside:
        (Path(outside) / "secret").write_text("1")
        sources = [attempt.format(outside=outside) for attempt in _ATTEMPTS.values()]
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        done = execute(nbformat.v4.new_notebook(cells=cells), Limits(cell_s=2, file=2**20))
    failed = [any(output.output_type == "error" for output in cell.outputs) for cell in done.cells]
    return [sentence for sentence, held in zip(_ATTEMPTS, failed, strict=True) if held]


if __name__ == "__main__":
    print(*protections(), sep="\n")
