"""Build the book, or show it: ``python tools/book.py build`` and ``python tools/book.py serve``.

``build --teacher`` builds a second edition, with the assignments and their solutions, below ``_build/teacher``.

``build`` runs Jupyter Book so that warnings and failing cells fail the build, every time: what a chapter's outputs
depend on beside its own cells is part of the key of the execution cache, and a build that did not succeed leaves
nothing from which the next one could take a page as already checked.
"""

import argparse
import errno
import functools
import gzip
import hashlib
import http.server
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "_build"
HTML = BUILD / "html"
ASSIGNMENTS = ROOT / "notebooks" / "assignments"
EXECUTED_WITH = BUILD / "executed-with"
CACHE = BUILD / ".jupyter_cache"
KEPT = BUILD / "kept"
TEACHER = BUILD / "teacher"


def digest(*patterns):
    """Hash names and contents of the files under the project that match the patterns.

    Of ``data/``, which may hold gigabytes, only names and sizes count.
    """
    total = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern)}):
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        name = path.relative_to(ROOT)
        total.update(f"{name.as_posix()}\n{path.stat().st_size}\n".encode())
        if name.parts[0] != "data":
            total.update(path.read_bytes())
    return total.hexdigest()


def what_executions_depend_on():
    """Return a text that differs when an executed notebook may, though its own cells are the same."""
    there = (sys.version, os.environ.get("SEGTUT_CAMVID", ""), shutil.which("nvidia-smi") or "")
    return digest("segtut/**/*", "notebooks/assignments/*", "requirements.txt", "data/**/*") + "\n".join(there)


def forget_executions(executed_with):
    """Drop cached executions that were made with something else than what is there now."""
    BUILD.mkdir(exist_ok=True)
    if not EXECUTED_WITH.is_file() or EXECUTED_WITH.read_text() != executed_with:
        shutil.rmtree(CACHE, ignore_errors=True)
        shutil.rmtree(KEPT, ignore_errors=True)
    EXECUTED_WITH.write_text(executed_with)


def forget_pages(built_from, pages):
    """Drop pages that were made from something else than what is there now."""
    # The mark is there only if the last build succeeded. Sphinx keeps the pages of a build with warnings, and would
    # read none of them, so warn of none of them, the next time.
    mark = pages / "built-from"
    if not mark.is_file() or mark.read_text() != built_from:
        for folder in (".doctrees", "jupyter_execute", "html"):
            shutil.rmtree(pages / folder, ignore_errors=True)
    mark.unlink(missing_ok=True)


def teachers_edition():
    """Write settings and contents of the edition with the assignments' solutions; return Jupyter Book's options."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["title"] += ", the teacher's edition"
    config["execute"]["cache"] = str(CACHE)  # both editions share what was executed
    extensions = config["sphinx"]["local_extensions"]  # which Jupyter Book looks for beside the settings
    extensions |= {name: str(ROOT / path) for name, path in extensions.items()}
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    solved = [{"file": f"notebooks/assignments/{path.stem}"} for path in sorted(ASSIGNMENTS.glob("*.ipynb"))]
    contents["parts"].append({"caption": "Assignments, solved", "chapters": solved})
    TEACHER.mkdir(parents=True, exist_ok=True)
    for name, value in (("_config.yml", config), ("_toc.yml", contents)):
        (TEACHER / name).write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return ["--config", TEACHER / "_config.yml", "--toc", TEACHER / "_toc.yml", "--path-output", TEACHER]


def kernel_environment():
    """Environment variables under which the chapters see this Python and no settings of the reader's own.

    Two chapters run at a time, so each takes half of the cores.
    """
    profile = BUILD / ".ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    # Kernels and the builder talk over 127.0.0.1: the kernel's warning about that is of no use here.
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 'ERROR'\n")
    environment = os.environ | {"IPYTHONDIR": str(BUILD / ".ipython"), "JUPYTER_PREFER_ENV_PATH": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"  # a page runs `segtut`
    environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))
    return environment


def prune_mathjax(html):
    """Delete the all-in-one MathJax files that no page loads, 16 of 24 MB; what is loaded on demand stays."""
    for path in (html / "_static" / "mathjax").glob("*.js"):
        if path.name not in ("startup.js", "core.js"):
            path.unlink()


def build(teacher=False):
    """Execute the notebooks and build the HTML book; return the exit status."""
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    if not jupyter_book.is_file():
        return f"{sys.executable} has no Jupyter Book: run 'make book', which sets up .venv first."
    executed_with = what_executions_depend_on()
    built_from = executed_with + digest("_config.yml", "_toc.yml", "book/_ext/**/*", "tools/*.py")
    pages = TEACHER / "_build" if teacher else BUILD
    forget_executions(executed_with)
    forget_pages(built_from, pages)
    environment, options = kernel_environment(), teachers_edition() if teacher else []
    # what fails there fails below, too
    contents = TEACHER / "_toc.yml" if teacher else ROOT / "_toc.yml"
    subprocess.run([sys.executable, "tools/execute.py", contents], cwd=ROOT, env=environment)
    status = subprocess.run(
        [jupyter_book, "build", ".", "-W", "-n", "--keep-going", *options], cwd=ROOT, env=environment
    ).returncode
    if status:
        print("\nThe book was not built: the first error or warning above says why.", file=sys.stderr)
        return status
    html = pages / "html"
    prune_mathjax(html)
    (pages / "built-from").write_text(built_from)
    megabytes = sum(path.stat().st_size for path in html.rglob("*") if path.is_file()) / 1e6
    print(f"\nThe book is in {(html / 'index.html').relative_to(ROOT)} ({megabytes:.0f} MB; it needs no network).")
    if not teacher:
        print("Next: 'make serve' shows it in your browser.")
    return 0


def chapters():
    """Run every notebook by nbmake, two at a time; return the exit status. The next build takes them as they are."""
    forget_executions(what_executions_depend_on())
    environment = kernel_environment() | {"SEGTUT_KEEP": str(KEPT), "PYTHONPATH": str(ROOT / "tools")}
    command = [sys.executable, "-m", "pytest", "-n", "2", "-p", "keep_executed", "--nbmake", "--nbmake-timeout=300"]
    return subprocess.run([*command, "--timeout=600", "notebooks"], cwd=ROOT, env=environment).returncode


@functools.lru_cache(maxsize=256)
def packed(path, changed):
    """Return a compressed file as it was when it `changed` last."""
    return gzip.compress(Path(path).read_bytes(), compresslevel=6, mtime=0)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files without a line for each of them, text compressed, and the book's own page where there is none."""

    def log_message(self, *args):
        """Say nothing."""

    def send_head(self):
        """Begin the answer; text goes compressed, as from the hosts that books are published on."""
        path = Path(self.translate_path(self.path))
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        if not accepted or path.suffix not in (".css", ".html", ".js", ".json", ".svg") or not path.is_file():
            return super().send_head()
        body = packed(str(path), path.stat().st_mtime_ns)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)

    def do_GET(self):
        """Serve a file, or ``404.html``, whose links start at the root of the published site, with links to here."""
        page = Path(self.directory, "404.html")
        asked = self.path.partition("?")[0] == "/404.html"
        if not page.is_file() or (not asked and Path(self.translate_path(self.path)).exists()):
            return super().do_GET()
        text = page.read_text(encoding="utf-8")
        home = re.search(r'data-content_root="(/[^"]*)"', text)
        body = (text.replace(f'"{home[1]}', '"/') if home else text).encode()
        self.send_response(200 if asked else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def listen(port, folder):
    """Return a server on 127.0.0.1 at `port` or, if others have it, at the next one that is free."""
    handler = functools.partial(QuietHandler, directory=folder)
    for candidate in range(port, min(port + 100, 65536)):
        try:
            return http.server.ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise SystemExit(f"segtut: no free port from {port} on: name another with --port.")


def serve(port):
    """Serve the built book on this machine until interrupted; return the exit status."""
    if not (HTML / "index.html").is_file():
        return "There is no book yet: run 'make book' first."
    with listen(port, HTML) as server:
        print(f"The book is at http://127.0.0.1:{server.server_port}/ (Ctrl-C ends this).", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


def port_number(text):
    """Read a port from the command line."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Build the book, or show it.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="execute the chapters and build _build/html")
    building.add_argument("--teacher", action="store_true", help="the edition with the assignments' solutions")
    commands.add_parser("chapters", help="run every notebook, and keep it for the build")
    serving = commands.add_parser("serve", help="serve _build/html on 127.0.0.1")
    serving.add_argument("--port", type=port_number, default=8000, help="default: 8000, or the next free one")
    arguments = parser.parse_args()
    run = {"build": lambda: build(arguments.teacher), "chapters": chapters, "serve": lambda: serve(arguments.port)}
    sys.exit(run[arguments.command]())


if __name__ == "__main__":
    main()
