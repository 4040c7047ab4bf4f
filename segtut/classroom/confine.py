"""What a hand-in may take and touch: limits of the operating system, Landlock and seccomp."""

import ctypes
import os
import struct
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

try:
    import resource
except ImportError:  # Windows, where hand-ins aren't run
    resource = None
try:
    import pyseccomp as seccomp
except (ImportError, RuntimeError):  # not Linux, or no libseccomp on this machine
    seccomp = None

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What one hand-in may take; sizes in bytes, times in seconds of the clock.

    Attributes
    ----------
    cell_s, notebook_s
        Time for one cell, and for the whole notebook with all its restarts.
    memory
        Memory beyond what Python with torch takes anyway.
    output, display
        Characters of text, and of figures, tables and other rich outputs, that are kept of one cell (of all cells
        five times as many rich ones).
    file, folder, files
        Size of one file, size of all, and their number.
    threads
        Threads at a time.
    restarts
        How often Python is started again after a cell has ended it.
    """

    cell_s: float = 20
    notebook_s: float = 150
    memory: int = 4096 * MIB
    output: int = 100_000
    display: int = 2_000_000
    file: int = 50 * MIB
    folder: int = 200 * MIB
    files: int = 2000
    threads: int = 200
    restarts: int = 3


def confine(folder: Path, limits: Limits) -> None:
    """Give up, for good, whatever a hand-in does not need; call it in a process with one thread.

    Parameters
    ----------
    folder : pathlib.Path
        The only place where files may be written (where the kernel has Landlock).
    limits : Limits
        What the process may take.
    """
    _limit(limits)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS, which Landlock and seccomp ask for
        _landlock(libc, folder)
        _drop_capabilities(libc)
        if seccomp is not None:
            _seccomp()


def _limit(limits: Limits) -> None:
    bounds = {
        "RLIMIT_FSIZE": limits.file,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_CPU": int(2 * limits.notebook_s) + 10,  # a backstop: the clock is watched from outside
    }
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # where memory runs out, this process goes first
    with suppress(FileNotFoundError):  # macOS doesn't bound memory; there it is only watched from outside
        status = Path("/proc/self/status").read_text()
        taken = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData"))
        bounds["RLIMIT_DATA"] = taken * 1024 + limits.memory
    for name, bound in bounds.items():
        if (kind := getattr(resource, name, None)) is not None:
            with suppress(ValueError, OSError):  # a stricter limit holds already
                resource.setrlimit(kind, (bound, bound))


# --- Landlock: which files

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1, 2, 4, 8, 1 << 14
_READ = _READ_FILE | _READ_DIR


def _readable() -> list[str]:
    """What Python and its libraries read: never a home folder, never the class's folder."""
    installed = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *sys.path]
    package = str(Path(__file__).parents[1])  # not the folder above: it may hold the assignments' solutions
    above = {str(path) for path in Path(package).parents}
    system = ["/usr", "/lib", "/lib64", "/proc", "/sys/devices/system"]
    settings = ["fonts", "localtime", "mime.types", "ld.so.cache", "passwd", "nsswitch.conf"]
    devices = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"]
    paths = [package, *installed, *system, *(f"/etc/{name}" for name in settings), *devices]
    return [path for path in paths if path and path not in above]


def _landlock(libc: ctypes.CDLL, folder: Path) -> None:
    version = libc.syscall(444, None, 0, 1)  # landlock_create_ruleset, asked for its version
    if version < 1:
        return
    handled = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    attributes = struct.pack("QQQ", handled, 3, 3)  # files; TCP bind and connect; signals and abstract sockets
    ruleset = libc.syscall(444, attributes, {1: 8, 2: 8, 3: 8, 4: 16, 5: 16}.get(version, 24), 0)
    if ruleset < 0:
        return

    def allow(path: str | Path, access: int) -> None:
        with suppress(OSError):
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            if not Path(path).is_dir():
                access &= _READ_FILE | _WRITE_FILE | _TRUNCATE
            libc.syscall(445, ruleset, 1, struct.pack("=Qi", access & handled, descriptor), 0)
            os.close(descriptor)

    for path in _readable():
        allow(path, _READ)
    allow(os.devnull, _READ | _WRITE_FILE | _TRUNCATE)
    allow(folder, handled & ~_EXECUTE)
    libc.syscall(446, ruleset, 0)  # landlock_restrict_self
    os.close(ruleset)


# --- seccomp: which calls

# Without an effect, but without an error too: Landlock doesn't cover them, and shutil.copy makes them.
_PRETENDED = """chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat
    setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat"""
_REFUSED = """fork vfork execve execveat socket connect bind listen ptrace process_vm_readv process_vm_writev
    process_madvise process_mrelease pidfd_open pidfd_send_signal pidfd_getfd kcmp tkill setpriority ioprio_set
    unshare setns mount umount2 chroot pivot_root mknod mknodat truncate shmget semget msgget mq_open
    add_key request_key keyctl bpf perf_event_open userfaultfd fanotify_init open_by_handle_at
    sched_setattr sched_setparam sched_setscheduler migrate_pages move_pages personality"""
_UNKNOWN = "clone3 memfd_create memfd_secret io_uring_setup io_uring_enter io_uring_register"
_OWN_ONLY = "kill tgkill rt_sigqueueinfo rt_tgsigqueueinfo"
_NAMELESS_ONLY = "prlimit64 sched_setaffinity"  # the process itself, as 0


def _seccomp() -> None:
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    refuse, unknown = seccomp.ERRNO(1), seccomp.ERRNO(38)  # EPERM, ENOSYS: glibc then tries the older call
    first = 0xFFFFFFFF  # the lower half of an argument, all of an int

    def add(action: int, name: str, *arguments: "seccomp.Arg") -> None:
        with suppress(OSError, ValueError):  # a call that this architecture or this libseccomp doesn't know
            rules.add_rule(action, name, *arguments)

    for action, names in ((seccomp.ERRNO(0), _PRETENDED), (refuse, _REFUSED), (unknown, _UNKNOWN)):
        for name in names.split():
            add(action, name)
    for name in _OWN_ONLY.split():
        add(refuse, name, seccomp.Arg(0, seccomp.NE, os.getpid()))
    for name in _NAMELESS_ONLY.split():
        add(refuse, name, seccomp.Arg(0, seccomp.NE, 0))
    add(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, 0x10000, 0))  # no CLONE_THREAD: a process
    add(refuse, "socketpair", seccomp.Arg(0, seccomp.NE, 1))  # AF_UNIX, which asyncio needs
    add(refuse, "prctl", seccomp.Arg(0, seccomp.MASKED_EQ, first, 1))  # PR_SET_PDEATHSIG
    for command in (8, 10, 15):  # F_SETOWN, F_SETSIG, F_SETOWN_EX: signals to others by way of a file
        add(refuse, "fcntl", seccomp.Arg(1, seccomp.MASKED_EQ, first, command))
    for command in (0x5412, 0x8901, 0x8902):  # TIOCSTI types into a terminal; FIOSETOWN, SIOCSPGRP
        add(refuse, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, first, command))
    rules.load()


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    libc.capset(struct.pack("Ii", 0x20080522, 0), bytes(24))  # version 3, this process; root becomes an ordinary user
