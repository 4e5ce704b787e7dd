"""The command in this process, from its arguments to its status: everything but a process of its own."""

import io
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from services import cli


@dataclass(frozen=True)
class Ran:
    """What a command ended with, and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Everything, for the message of a test."""
        return self.stdout + self.stderr


def run_waypost(*arguments: str, env: Mapping[str, str] | None = None) -> Ran:
    """Run `waypost ARGUMENTS` with these variables on top of the environment's; its output goes into a pipe."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        try:
            status = cli.run(arguments)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    return Ran(status, *(stream.buffer.getvalue().decode() for stream in (out, err)))
