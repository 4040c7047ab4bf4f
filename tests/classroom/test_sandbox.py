"""Whatever a hand-in does, a whole notebook comes back; ordinary ones run as in Jupyter."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from segtut.classroom import confine, sandbox
from segtut.classroom.protections import protections
from segtut.classroom.sandbox import Limits, execute

QUICK = Limits(cell_s=2, notebook_s=60, memory=600 * 2**20, file=2**20, folder=4 * 2**20, files=200, threads=50)
LINUX = sys.platform == "linux"
needs_seccomp = pytest.mark.skipif(confine.seccomp is None, reason="no libseccomp on this machine")
needs_landlock = pytest.mark.skipif(
    not LINUX or ctypes.CDLL(None).syscall(444, None, 0, 1) < 1, reason="a kernel without Landlock"
)


def run(*sources, limits=QUICK):
    """Execute a notebook of these cells; what comes back must be a notebook that can be written to a file."""
    done = execute(new_notebook(cells=[new_code_cell(source) for source in sources]), limits)
    nbformat.validate(done)
    nbformat.writes(done).encode()
    return done.cells, done.metadata["segtut"]["execution"]


def failure(cell):
    """The name of a cell's error, None where it has none."""
    return next((output.ename for output in cell.outputs if output.output_type == "error"), None)


def result(cell):
    return next((o.data["text/plain"] for o in cell.outputs if o.output_type == "execute_result"), None)


def text(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_ordinary_cells_have_the_outputs_of_jupyter():
    given = new_notebook(
        cells=[
            new_markdown_cell("# Title"),
            new_code_cell("import sys\nprint('ä', flush=True); print('b', file=sys.stderr); print('c')\n6 * 7"),
            new_code_cell("import matplotlib.pyplot as plt\nplt.plot([1, 2]);"),
            new_code_cell("1 / 0", outputs=[nbformat.v4.new_output("stream", text="old")]),
            new_code_cell("def f(:"),
            new_code_cell("import asyncio\nawait asyncio.sleep(0)\n'awaited'"),
            new_code_cell("h = display('first', display_id=True); h.update('second')"),
            new_code_cell("from IPython.display import clear_output\nprint(1); clear_output(wait=True); print(2)"),
            new_code_cell(""),
            new_code_cell("!ls\nfiles = !ls\n%pip install nothing\nfiles"),
            new_code_cell("exit()"),
        ],
        metadata={"segtut": "not a dictionary"},
    )
    before = nbformat.writes(given)
    done = execute(given)
    assert nbformat.writes(given) == before
    _, first, figure, error, syntax, waited, updated, cleared, empty, shell, leave = done.cells
    assert [output.output_type for output in first.outputs] == ["stream", "stream", "stream", "execute_result"]
    assert [output.name for output in first.outputs[:3]] == ["stdout", "stderr", "stdout"]
    assert first.outputs[0].text == "ä\n" and result(first) == "42" and first.execution_count == 1
    assert figure.outputs[0].data["image/png"].startswith("iVBOR")
    assert len(error.outputs) == 1 and failure(error) == "ZeroDivisionError"
    assert "division by zero" in error.outputs[0].traceback[0]
    assert failure(syntax) == "SyntaxError" and result(waited) == "'awaited'"
    assert [output.data["text/plain"] for output in updated.outputs] == ["'second'"]
    assert text(cleared) == "2\n" and empty.outputs == []
    assert text(shell).count("was not run") == 3 and result(shell) == "[]"
    assert failure(leave) is None
    execution = done.metadata["segtut"]["execution"]
    assert execution["notes"] == [] and 0 < execution["seconds"] < 60


def test_cells_that_end_oddly_have_an_error_and_the_next_ones_run():
    odd = {
        "import sys; sys.exit()": "SystemExit",
        "raise KeyboardInterrupt": "KeyboardInterrupt",
        "class Silent(BaseException): pass\nraise Silent('x' * 10**7)": "Silent",
        "class Rude(Exception):\n    def __str__(self): raise SystemExit\nraise Rude": "Failed",
        "input('name?')": "EOFError",
        "import getpass; getpass.getpass()": "EOFError",
        "1\x00": "SyntaxError",
        "def f(n): return f(n)\nf(0)": "RecursionError",
        "a = []\nfor _ in range(10**5): a = [a]\na": "RecursionError",
    }
    cells, _ = run(*odd, "'last'")
    assert [failure(cell) for cell in cells[:-1]] == list(odd.values())
    assert result(cells[-1]) == "'last'"


def test_what_cannot_be_shown_is_replaced():
    cells, _ = run(
        "import sys\nprint('\\ud800', flush=True); sys.stdout.buffer.write(b'\\xff'); None",
        "'\ud800'",  # half of a character in the hand-in itself
        "class A:\n    def _repr_mimebundle_(self, **_): return {'text/html': {1: object()}, 'image/png': b'p'}\nA()",
        "sys.stdout.close(); sys.stderr = None; print('gone')",
        "print('there')",
    )
    assert [failure(cell) for cell in cells] == [None] * 5
    assert text(cells[0]) == "\\ud800\n\\xff" and result(cells[1]) == "'?'"
    assert "cannot be shown" in text(cells[2]) and text(cells[4]) == "there\n"


def test_output_without_end_is_cut():
    cells, execution = run(
        "for i in range(10**6): print(i)",
        "print('x' * 5 * 10**7)",
        "'x' * 5 * 10**7",
        "from IPython.display import HTML\ndisplay(HTML('x' * 10**7))",
        "for _ in range(3000): display(HTML(''))",
        "'last'",
        limits=Limits(cell_s=20),
    )
    assert [failure(cell) for cell in cells] == [None] * 6 and result(cells[-1]) == "'last'"
    assert text(cells[0]).startswith("0\n1\n2\n") and len(execution["notes"]) == 5
    for cell in cells[:5]:
        assert "was cut by" in text(cell) and len(text(cell)) < 101_000
    assert sum(len(str(cell.outputs)) for cell in cells) < 10**6


def test_a_cell_over_its_time_is_stopped_and_the_next_ones_run():
    cells, execution = run(
        "x = 1\nprint('so far')\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: break",
        "x",
        limits=Limits(cell_s=0.5),
    )
    assert [failure(cell) for cell in cells] == ["TimeLimit", "TimeLimit", None]
    assert text(cells[0]) == "so far\n" and result(cells[2]) == "1"
    assert "did not finish within 0.5 s" in cells[0].outputs[-1].evalue and len(execution["notes"]) == 2


def test_a_cell_that_takes_no_interrupt_is_killed_and_the_others_run_again():
    deaf = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(60)"
    cells, execution = run("print('one')\nx = 1", deaf, "x + 1", limits=Limits(cell_s=0.5))
    assert text(cells[0]) == "one\n" and failure(cells[1]) == "PythonEnded" and result(cells[2]) == "2"
    assert "could not be interrupted" in cells[1].outputs[0].evalue and execution["seconds"] < 10


def test_what_was_not_reached_has_an_error():
    cells, execution = run("1", "while True: pass", "1", "", limits=Limits(notebook_s=0.5))
    assert [failure(cell) for cell in cells] == [None, "TimeLimit", "NotReached", "NotReached"]
    assert "had used up its 0.5 s" in cells[2].outputs[0].evalue and execution["seconds"] < 5
    deaths = ["import os; os._exit(0)"] * 3
    cells, _ = run("1", *deaths, "2", limits=Limits(restarts=2))
    assert [failure(cell) for cell in cells] == [None, *["PythonEnded"] * 3, "NotReached"]


BREAKS_PYTHON = [
    "import os; os._exit(0)",
    "import ctypes; ctypes.string_at(0)",
    "import os; os.kill(os.getpid(), 9)",
    "import os; os.kill(os.getpid(), 40)",
    "import os; os.kill(os.getpid(), 19)",
    "import os; os.closerange(0, 1000)",
    "import os\nnull = os.open(os.devnull, os.O_RDWR)\nfor i in range(20): i == null or os.dup2(null, i)",
    "import os; os.write(3, b'garbage\\n')",
    'import os; os.write(3, b\'{"type": "stream"}\\n[1]\\n{}\\n\')',
    "import os; os.write(3, b'[' * 10**5 + b'\\n')",
    "import gc, socket\nfor o in gc.get_objects(): type(o) is socket.socket and o.detach()\nimport os; os.close(3)",
    "import os\nwhile True: os.write(3, b'x' * 10**6)",
    "import builtins, json, os; json.dumps = json.loads = os.getcwd = builtins.len = builtins.isinstance = None",
    "import threading as t, time\nt.stack_size(65536)\nwhile True: t.Thread(target=time.sleep, args=[9]).start()",
    "for i in range(10**6): open(f'{i}', 'w').close()",
    "for i in range(10**6): open(f'{i}', 'wb').write(bytes(2**19))",
    "import os\nfor _ in range(10**6): os.mkdir('d'); os.chdir('d')",
    "import mmap\nm = mmap.mmap(-1, 3 * 2**30)\nfor i in range(0, len(m), 4096): m[i] = 1",
]


@pytest.mark.parametrize("start", range(0, len(BREAKS_PYTHON), 3))
def test_a_cell_that_ends_python_costs_only_itself(start):
    breaks = BREAKS_PYTHON[start : start + 3]
    sources = ["x = 40; x", *(source for broken in breaks for source in (broken, "x += 1; x"))]
    cells, execution = run(*sources, limits=Limits(**{**vars(QUICK), "cell_s": 5}))
    assert [failure(cell) for cell in cells[1::2]] == ["PythonEnded"] * 3
    assert [result(cell) for cell in cells[::2]] == ["40", "41", "42", "43"]
    assert [len(cell.outputs) for cell in cells[::2]] == [1] * 4 and len(execution["notes"]) == 3


def test_a_forged_end_does_not_count():
    cells, _ = run('import os\nos.write(3, b\'{"type": "done", "success": true}\\n\')\n1 / 0')
    assert failure(cells[0]) is not None


def test_memory_and_files_are_bounded():
    cells, _ = run(
        "import numpy; numpy.ones(50 * 2**27)",
        "import torch; torch.ones(50 * 2**27)",
        "with open('big', 'wb') as file: file.write(bytes(2**21))",
        "import shutil; shutil.rmtree('.')",
        "torch.save({'a': torch.ones(3)}, 'a.pt'); shutil.copy('a.pt', 'b.pt'); torch.load('b.pt')['a'].sum()",
    )
    assert [failure(cell) for cell in cells[:3]] == ["MemoryError", "RuntimeError", "OSError"]
    assert result(cells[4]) == "tensor(3.)"


REFUSED = """socket.socket()
os.fork()
subprocess.run(['true'])
multiprocessing.Process(target=print).start()
os.execv('/bin/true', ['true'])
os.kill(os.getppid(), 0)
os.kill(-1, 0)
os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)
resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0))
fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid())""".splitlines()


@needs_seccomp
def test_nothing_outside_is_reached():
    imports = "import fcntl, multiprocessing, os, resource, socket, subprocess, ctypes"
    raw = (
        "l = ctypes.CDLL(None); [l.fork(), l.vfork(), l.unshare(0x10000000), l.prctl(1, 0), l.ptrace(16, os.getppid())]"
    )
    cells, _ = run(imports, *REFUSED, raw)
    assert [failure(cell) for cell in cells[1:-1]] == ["PermissionError"] * len(REFUSED)
    assert result(cells[-1]) == str([-1] * 5)


@needs_seccomp
@needs_landlock
def test_no_file_outside_is_touched(tmp_path):
    book = tmp_path / "gradebook.db"
    book.write_text("grades")
    book.chmod(0o640)
    attempts = [
        "open(book).read()",
        "open(book, 'a')",
        "os.listdir(os.path.dirname(book))",
        "os.remove(book)",
        "os.rename(book, 'here')",
        "os.link(book, 'here')",
        "os.truncate(book, 0)",
        "open(book + '2', 'w')",
        "os.symlink(book, 'there'); open('there')",
        "open(f'/proc/{os.getppid()}/environ', 'rb').read()",
    ]
    cells, _ = run(f"import os; book = {str(book)!r}", *attempts, "os.chmod(book, 0); os.utime(book, (0, 0))")
    assert {failure(cell) for cell in cells[1:-1]} == {"PermissionError", "OSError"}  # a link: over two devices
    assert book.read_text() == "grades" and book.stat().st_mode & 0o777 == 0o640 and book.stat().st_mtime > 0
    assert [path.name for path in tmp_path.iterdir()] == ["gradebook.db"]


@pytest.mark.skipif(not LINUX, reason="these take long where nothing is imported ahead")
def test_the_libraries_of_hand_ins_work_inside():
    imports = "import cv2, einops, pandas, PIL.Image, timm, torch\nfrom d2l import torch as d2l\nimport segtut.networks"
    use = "import numpy as np\nx = np.zeros((4, 6, 3), np.uint8)\ncv2.cvtColor(x, cv2.COLOR_BGR2GRAY).shape"
    show = "display(PIL.Image.fromarray(x), pandas.DataFrame([[1]]))\nd2l.plot([1, 2], [3, 4])"
    scene = "from segtut.data import Scenes\nScenes(size=(60, 80))[0]\ncv2.resize(np.zeros((2000, 2000)), (9, 9)).sum()"
    train = "layer = torch.nn.Linear(2, 1)\nlayer(torch.ones(3, 2)).sum().backward()\nlayer.weight.grad.shape"
    cells, _ = run(imports, use, show, train, scene, limits=Limits(cell_s=60))
    assert [failure(cell) for cell in cells] == [None] * 5
    assert result(cells[1]) == "(4, 6)" and result(cells[3]) == "torch.Size([1, 2])"
    (server,) = psutil.Process().children()
    assert server.num_threads() == 1  # what forks with more would hang in the libraries that use them


def test_the_same_random_numbers_come_each_time():
    source = "import random, numpy, torch\nrandom.random(), numpy.random.rand(), torch.rand(1).item()"
    assert result(run(source)[0][0]) == result(run(source)[0][0])


def gone(paths, processes=(), seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(map(Path.exists, paths)) and not any(process.is_running() for process in processes):
            return True
        time.sleep(0.1)
    return False


def test_two_run_at_a_time_and_leave_nothing_behind():
    sources = "import os; print(os.getcwd())", "open('file', 'w').close(); os.makedirs('a/b')"
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: run(*sources), range(6)))
    folders = {Path(text(cells[0]).strip()) for cells, _ in runs}
    assert len(folders) == 6 and gone(folders)


@needs_seccomp
@needs_landlock
def test_protections_says_what_holds_here():
    assert len(protections()) == 9


def test_protections_are_missing_where_they_do_not_hold(monkeypatch):
    monkeypatch.setattr("segtut.classroom.protections._ATTEMPTS", {"No ruin.": "1 / 0", "No sum.": "1 + 1"})
    assert protections() == ["No ruin."]


def test_ctrl_c_ends_what_is_running_and_the_next_start_hands_no_environment_on(monkeypatch):
    def ctrl_c():  # a terminal sends it to the server, too
        (server,) = psutil.Process().children()
        server.send_signal(signal.SIGINT)

    run("1")
    timer = threading.Timer(0.5, ctrl_c)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run("while True: pass", limits=Limits(cell_s=60))
    monkeypatch.setenv("SECRET_TOKEN", "secret-42")
    cells, _ = run("import os; str(dict(os.environ))", "open('/proc/self/environ').read()")
    assert "PATH" in result(cells[0]) and "secret-42" not in str(cells)


def test_stop_ends_what_is_running():
    threading.Timer(0.5, sandbox.stop).start()
    with pytest.raises(KeyboardInterrupt):
        run("while True: pass", limits=Limits(cell_s=60))
    assert not psutil.Process().children()


def test_nothing_outlives_a_killed_grader(tmp_path):
    script = (
        "from nbformat.v4 import new_code_cell, new_notebook\nfrom segtut.classroom.sandbox import Limits, execute\n"
        "cell = new_code_cell(\"open('started', 'w').close()\\nwhile True: pass\")\n"
        "execute(new_notebook(cells=[cell]), Limits(cell_s=60))"
    )
    grader = subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"TMPDIR": str(tmp_path)})
    end = time.monotonic() + 100
    while not list(tmp_path.glob("segtut-*/started")) and time.monotonic() < end:
        time.sleep(0.1)
    children, folders = psutil.Process(grader.pid).children(recursive=True), list(tmp_path.iterdir())
    assert len(children) == 2 and len(folders) == 1
    grader.kill()
    grader.wait(20)
    assert gone(folders, children, seconds=20)
