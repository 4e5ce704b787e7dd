"""Which files `waypost send` takes for lead files, and what it says of those that it leaves out."""

import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import UserError

CONTENT_TYPES = {
    ".json": "application/json",
    ".ndjson": "application/x-ndjson",
    ".xml": "application/x-adf+xml",
    ".adf": "application/x-adf+xml",
}
SUFFIXES = ", ".join(CONTENT_TYPES)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or folder that is not sent."""

    path: Path
    why: str
    may_hold_leads: bool
    """Whether somebody may miss it: its name or its first character is that of a lead file."""


@dataclass(frozen=True, slots=True)
class LeadFiles:
    """What paths and folders hold, each in its order, a folder's by name; nothing twice."""

    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]


def collect(paths: Sequence[Path]) -> LeadFiles:
    """The lead files among paths and folders. Suffixes count in any case; a link is what it leads to.

    Of a folder only its own files are sent: what is hidden, empty, unreadable, in a folder below, or not named as a
    lead file is left out. Raises UserError for a path that is given by name and is no lead file.
    """
    files: dict[Path, Path] = {}
    left_out: list[LeftOut] = []
    for found in _each(paths):
        if isinstance(found, LeftOut):
            left_out.append(found)
        else:
            files.setdefault(found.resolve(), found)
    return LeadFiles(tuple(files.values()), tuple(left_out))


def content_type_of(file: Path) -> str | None:
    """What a lead file of this name holds; None for a name of no lead file."""
    return CONTENT_TYPES.get(file.suffix.lower())


def _each(paths: Sequence[Path]) -> Iterator[Path | LeftOut]:
    for path in paths:
        try:
            if path.is_dir():
                for file in sorted(path.iterdir()):
                    yield _in_folder(file)
                continue
            mode = path.stat().st_mode
        except FileNotFoundError:
            raise UserError(f"{path} does not exist") from None
        except (OSError, ValueError) as error:
            raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from None
        if content_type_of(path) is None:
            raise UserError(f"{path} is no lead file", f"its name must end in {SUFFIXES}")
        if not stat.S_ISREG(mode):
            raise UserError(f"{path} is no file", "give a file, or a folder of files")
        yield _if_it_has_content(path)


def _in_folder(file: Path) -> Path | LeftOut:
    try:
        mode = file.stat().st_mode
    except OSError as error:
        return LeftOut(file, f"cannot be read: {error.strerror}", content_type_of(file) is not None)
    if stat.S_ISDIR(mode):
        return LeftOut(file, "a folder below; give it by name to send it", _holds_lead_files(file))
    if not stat.S_ISREG(mode):
        return LeftOut(file, "no file", may_hold_leads=False)
    if file.name.startswith("."):
        return LeftOut(file, "hidden", content_type_of(file) is not None or _begins_like_a_lead(file))
    if content_type_of(file) is None:
        return LeftOut(file, f"its name does not end in {SUFFIXES}", _begins_like_a_lead(file))
    return _if_it_has_content(file)


def _if_it_has_content(file: Path) -> Path | LeftOut:
    try:
        with file.open("rb") as opened:
            return file if opened.read(1) else LeftOut(file, "empty", may_hold_leads=True)
    except OSError as error:
        return LeftOut(file, f"cannot be read: {error.strerror}", may_hold_leads=True)


def _holds_lead_files(folder: Path) -> bool:
    try:
        return any(content_type_of(file) is not None for file in folder.iterdir())
    except OSError:
        return True


def _begins_like_a_lead(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[", b"<")
    except OSError:
        return True
