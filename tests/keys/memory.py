"""Data keys kept in memory, as the database keeps them."""

from collections.abc import Callable

from keys.deks import Wrapped


class MemoryDeks:
    """A `DekStore` for tests of the vault alone."""

    def __init__(self) -> None:
        self.rows: dict[str, Wrapped] = {}

    def find(self, scope: str) -> Wrapped | None:
        return self.rows.get(scope)

    def add(self, scope: str, make: Callable[[], Wrapped]) -> Wrapped:
        if scope not in self.rows:
            self.rows[scope] = make()
        return self.rows[scope]
