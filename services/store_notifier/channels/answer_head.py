"""What a store's answer says before anything else of it is read: its status line. Pure.

A store whose status line says 2xx has received what it was sent, whatever is wrong with the rest of its answer.
"""

import re

MOST_BYTES = 16 * 1024
_STATUS_LINE = re.compile(rb"\s*HTTP/\d(?:\.\d)?[ \t]+(\d{3})[ \t\r\n]")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_RETRY_AFTER = re.compile(rb"^retry-after[ \t]*:[ \t]*([^\r\n]*)\r?$", re.IGNORECASE | re.MULTILINE)
_SWITCHING = 101


class AnswerHead:
    """The first bytes of one answer, as they come in."""

    def __init__(self) -> None:
        self.status: int | None = None
        """The final status, once its line is here; interim answers (1xx) are passed over."""
        self.is_open = True
        """Whether nobody can say yet what the status is, nor that there is none."""
        self._kept = bytearray()
        self._whole = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes; what goes beyond the head or the limit is not kept."""
        if self._whole:
            return
        self._kept += data[: MOST_BYTES - len(self._kept)]
        while self.status is None:
            line = _STATUS_LINE.match(self._kept)
            if line is None:
                break
            status = int(line[1])
            if status >= 200 or status == _SWITCHING:
                self.status = status
                break
            end = _END_OF_HEAD.search(self._kept)
            if end is None:
                break
            del self._kept[: end.end()]
        full = len(self._kept) >= MOST_BYTES
        self.is_open = self.status is None and not full and b"\n" not in self._kept.lstrip()
        self._whole = full or (self.status is not None and _END_OF_HEAD.search(self._kept) is not None)

    @property
    def retry_after(self) -> str | None:
        """The Retry-After field, if it came before whatever was wrong with the answer."""
        end = _END_OF_HEAD.search(self._kept)
        found = _RETRY_AFTER.search(self._kept, 0, end.end() if end else len(self._kept))
        return found[1].decode("latin-1") if found else None
