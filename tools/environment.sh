#!/bin/sh
# Make .venv with everything in requirements.txt, or return at once when it is there already.
# Every way in which this can fail on a reader's machine ends in one sentence that says what to do.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
fail() { say "segtut: $*"; exit 1; }

# What the environment was made from: a change in any of it makes a new one.
stamp=$( { pwd; cat requirements.txt pyproject.toml; } | cksum)
if [ -x .venv/bin/python ] && [ "$(cat .venv/segtut-stamp 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi

# `python3` may be old while a newer one stands beside it (macOS, Ubuntu 22.04).
python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    found=$("${PYTHON:-python3}" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || found="none that runs"
    fail "Python 3.11 or newer is needed and ${PYTHON:-python3} is $found: install a newer Python, or name one with 'make book PYTHON=/path/to/python3.12'."
fi

# 6.2 GB measured on Linux, where PyTorch brings its CUDA libraries; a quarter of that on macOS.
case $(uname -s) in Linux) need=8 ;; *) need=3 ;; esac
free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
[ -e .venv/segtut-stamp ] || [ "$free" -ge "$need" ] ||
    fail "the environment needs $need GB of free disk and this disk has $free GB: free some space, then run the same command again."

say "Setting up .venv with $("$python" --version): about ${need} GB, once; later runs skip this."
rm -f .venv/segtut-stamp
if ! .venv/bin/python -c 'import pip' >/dev/null 2>&1; then
    rm -rf .venv
    "$python" -m venv .venv >/dev/null 2>&1 || {
        rm -rf .venv
        fail "$python cannot make virtual environments: install its venv module ('sudo apt install python3-venv' on Debian and Ubuntu), then run the same command again."
    }
fi
log=.venv/setup.log
uv=$(sed -n 's/^\(uv==[^ ;]*\).*/\1/p' requirements.txt)
if ! .venv/bin/python -m pip install --disable-pip-version-check --retries 1 "$uv" >"$log" 2>&1; then
    if grep -qi 'no space left' "$log"; then fail "the disk is full: free $need GB, then run the same command again."; fi
    fail "the Python package index cannot be reached (no network, or a proxy that pip does not know): connect, then run the same command again. Details: $log"
fi

# uv does not read pip's settings; a mirror that pip was told of is used here too.
index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
[ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
export VIRTUAL_ENV="$PWD/.venv"
if ! { .venv/bin/python -m uv pip install --compile-bytecode --no-deps -r requirements.txt &&
    .venv/bin/python -m uv pip install --quiet --no-deps --no-build-isolation -e .; }; then
    left=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$left" -ge 500 ] || fail "the disk is full ($left MB left): free $need GB, then run the same command again; what is there is kept."
    fail "installing stopped for the reason above; if it was the network, run the same command again: what is there is kept."
fi
printf '%s' "$stamp" >.venv/segtut-stamp
say "Environment ready in .venv."
