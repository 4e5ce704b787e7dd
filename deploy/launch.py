"""Become another program that ends when its parent does.

    launch.py PARENT SIGNAL ACCOUNT PROGRAM [ARGUMENT ...]

Run as a script (`python -I -S`, about 15 ms) instead of in a `preexec_fn`, which is unsafe in a parent with threads.
The process id stays the same: the program replaces this one.

ACCOUNT is `-`, or the name of an account to run as. That is for PostgreSQL, which refuses to run as root: the
program keeps only the capability to pass folders and files whatever their mode, so that nobody has to open
`/root` or a 0700 checkout to other accounts. Standard library only, and Linux for everything but the plain exec.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1  # linux/capability.h
CAPABILITY_VERSION_3 = 0x20080522


def main(arguments: list[str]) -> None:
    """Never returns: replaces the process, or exits 127 with the reason on stderr."""
    parent, signal_number, account, *program = arguments
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if account != "-":
            _change_account(libc, account)  # first: it clears the death signal
        _check(libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0), "set the parent-death signal")
        if os.getppid() != int(parent):  # it died before the line above took effect
            sys.exit("the parent is gone")
    try:
        os.execvp(program[0], program)  # noqa: S606 - that is the purpose
    except OSError as error:
        print(f"cannot run {program[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


def _change_account(libc: ctypes.CDLL, name: str) -> None:
    entry = pwd.getpwnam(name)
    _check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    mask = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # Two 32-bit words of (effective, permitted, inheritable).
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    _check(libc.capset(header, data), "reduce capabilities")
    _check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0), "pass the capability on")


def _check(result: int, what: str) -> None:
    if result != 0:
        sys.exit(f"cannot {what}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main(sys.argv[1:])
