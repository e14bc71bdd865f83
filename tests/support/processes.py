"""Processes that start fast, as forks of one that has imported TensorFlow.

They run functions of modules or the package's commands, and can be killed (`kill -9`) at any step
that Python takes on the file system. Nothing changes on the disk between two steps, so killing a
process before each of them tries every moment, except within what TensorFlow writes from C++.
`tools/check_resume.py` kills at random moments.
"""

import ctypes
import multiprocessing
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import tempfile

_STEPS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.symlink"}
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "conftest",  # loads TensorFlow as the commands do
        "ptn_semi.sweeps.tuner",
        "ptn_semi.inference.exports",
        "ptn_semi.experiments.runner",
    ]
)
# Flags of the system calls unshare and mount.
_CLONE_NEWNS, _CLONE_NEWUSER = 0x20000, 0x10000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18


def call(function, *args, kill_before=None):
    """Runs `function(*args)`, which must succeed; returns how many steps it took on the disk.

    Args:
      function: a function of a module. Steps count below the folder that is its first argument.
      kill_before: the step, counted from 0, before which the process is killed.
    """
    steps = _CONTEXT.Value("i", 0, lock=False)
    process = start(_run, function, args, kill_before, steps)
    process.join()
    expected = 0 if kill_before is None else -signal.SIGKILL
    assert process.exitcode == expected, f"{function.__name__} ended with {process.exitcode}"
    return steps.value


def start(function, *args):
    """Starts `function(*args)`, a function of a module; returns the `multiprocessing.Process`."""
    process = _CONTEXT.Process(target=function, args=args)
    process.start()
    return process


def main(module, *arguments, without=None):
    """Does what `python -m module arguments` or `python script.py arguments` does.

    `without` is a package that cannot be imported, as if it were not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / name for name in ("out", "err")]
        arguments = [str(argument) for argument in arguments]
        process = start(_run_main, str(module), arguments, without, paths)
        process.join()
        out, err = (path.read_text() for path in paths)
        return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _run(function, args, kill_before, steps):
    folder = os.path.abspath(args[0])

    def watch(event, details):
        if event == "open":
            path, _, flags = details
            if not flags & (os.O_WRONLY | os.O_RDWR):
                return
        elif event in _STEPS:
            path = details[0]
        else:
            return
        if isinstance(path, int) or not os.path.abspath(os.fsdecode(path)).startswith(folder):
            return
        if steps.value == kill_before:
            os.kill(os.getpid(), signal.SIGKILL)
        steps.value += 1

    sys.addaudithook(watch)
    function(*args)


def _run_main(module, arguments, without, paths):
    if without:
        for name in [name for name in sys.modules if name.split(".")[0] in (without, "ptn_semi")]:
            del sys.modules[name]
        sys.modules[without] = None
    for number, path in enumerate(paths, 1):
        with open(path, "wb") as file:
            os.dup2(file.fileno(), number)
    for name, number in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, os.fdopen(number, "w", closefd=False))
    sys.argv = [module, *arguments]
    try:
        if module.endswith(".py"):
            runpy.run_path(module, run_name="__main__")
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except Exception:  # multiprocessing would print it in another form
        sys.excepthook(*sys.exc_info())
        sys.exit(1)


def mount_small_disk(folder, size):
    """Mounts a disk of `size` bytes at a folder, for this process alone and until it ends."""
    _own_mounts()
    _mount(b"tmpfs", folder, b"tmpfs", 0, f"size={size}".encode())


def mount_read_only(folder):
    """Makes a folder read-only for this process."""
    _own_mounts()
    _mount(os.fsencode(folder), folder, None, _MS_BIND, None)
    _mount(None, folder, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY, None)


def _own_mounts():
    # This has to happen before TensorFlow starts threads, which would keep the old mounts.
    _call_libc("unshare", _CLONE_NEWNS | (_CLONE_NEWUSER if os.geteuid() else 0))
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE, None)


def _mount(source, folder, kind, flags, options):
    _call_libc("mount", source, os.fsencode(folder), kind, ctypes.c_ulong(flags), options)


def _call_libc(name, *args):
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*args):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def can_mount(folder):
    """Whether this system allows processes to have mounts of their own."""
    process = start(mount_small_disk, folder, 1 << 20)
    process.join()
    return process.exitcode == 0
