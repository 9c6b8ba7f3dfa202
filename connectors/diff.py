"""What changed since the last publish: new, changed, unchanged, twice in one reading, vanished.

Which rows were seen is one bit a row, so a million unchanged rows cost 125 kB and no write at all.
"""

from collections.abc import Iterator
from enum import StrEnum

from connectors.memory import Known, Memory


class Change(StrEnum):
    """What one record is, measured against what was sent before."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    TWICE = "twice"


class Diff:
    """One block's reading. With `rehearse` nothing is written (a preview)."""

    def __init__(self, memory: Memory, block: int, *, rehearse: bool = False) -> None:
        self._memory, self._block, self._rehearse = memory, block, rehearse
        self._last: tuple[str, Known | None] = ("", None)
        self._seen = bytearray(memory.last_number() // 8 + 1)

    def weigh(self, record_id: str, content: bytes) -> Change:
        """How a record stands to what was sent; it counts as seen from now on."""
        known = self._known(record_id)
        if known is None:
            if self._rehearse and not self._memory.rehearse_new(self._block, record_id):
                return Change.TWICE
            return Change.NEW
        if self._mark(known.n):
            return Change.TWICE
        return Change.UNCHANGED if known.hash == content else Change.CHANGED

    def keep(self, record_id: str, content: bytes, own: str | None) -> None:
        """Remembers a new or changed record, just weighed, as sent."""
        known = self._last[1] if self._last[0] == record_id else self._known(record_id)
        if known is None:
            self._mark(self._memory.put_new(self._block, record_id, content, own))
        else:
            self._memory.put_changed(known.n, content)

    def drop(self, record_id: str) -> bool:
        """Forgets a record that the source says is deleted; False if it was never sent."""
        known = self._known(record_id)
        if known is None:
            return False
        if self._rehearse:
            self._mark(known.n)
        else:
            self._memory.forget(known.n)
        return True

    def vanished(self) -> Iterator[tuple[int, str]]:
        """(row number, id) of what was sent before and was not seen in this reading."""
        for n, record_id in self._memory.sent(self._block):
            if not self._is_marked(n):
                yield n, record_id

    def _known(self, record_id: str) -> Known | None:
        known = self._memory.known(self._block, record_id)
        self._last = (record_id, known)
        return known

    def _mark(self, n: int) -> bool:
        at, bit = divmod(n, 8)
        if at >= len(self._seen):
            self._seen.extend(bytes(at - len(self._seen) + 4096))
        was = bool(self._seen[at] >> bit & 1)
        self._seen[at] |= 1 << bit
        return was

    def _is_marked(self, n: int) -> bool:
        at, bit = divmod(n, 8)
        return at < len(self._seen) and bool(self._seen[at] >> bit & 1)
