"""The officer's work, measured: log in as a browser would, look people up, time each answer."""

import re
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from http.cookiejar import CookieJar
from statistics import median

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Desk:
    """A browser without JavaScript: cookies, forms, redirects."""

    def __init__(self, origin: str) -> None:
        """Nobody is logged in yet."""
        self.origin = origin
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()),
            urllib.request.ProxyHandler({}),
        )
        self._csrf = ""

    def get(self, path: str) -> str:
        """The page at `path`."""
        with self._opener.open(self.origin + path, timeout=30) as answer:
            return self._read(answer.read().decode())

    def post(self, path: str, **fields: str) -> str:
        """Send a form; the page that the redirect leads to."""
        data = urllib.parse.urlencode({"csrf": self._csrf, **fields}).encode()
        request = urllib.request.Request(self.origin + path, data=data)  # noqa: S310  (loopback)
        request.add_header("Origin", self.origin)
        with self._opener.open(request, timeout=30) as answer:
            return self._read(answer.read().decode())

    def log_in(self, username: str, password: str) -> str:
        """Log in; the page after it."""
        return self.post("/masuk", username=username, password=password)

    def find(self, typed: str, purpose: str = "cek_mandiri") -> str:
        """Type into the one box and send; the page of results."""
        return self.post("/cari", q=typed, purpose=purpose)

    def _read(self, page: str) -> str:
        found = _CSRF.search(page)
        if found:
            self._csrf = found.group(1)
        return page


def measure(desk: Desk, numbers: Sequence[str]) -> dict[str, float]:
    """Milliseconds per look-up, form to page: `p50` and `p95`."""
    taken = []
    for number in numbers:
        started = time.perf_counter()
        desk.find(number)
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    return {
        "p50": round(median(taken), 1),
        "p95": round(taken[int(len(taken) * 0.95) - 1], 1),
        "n": len(taken),
    }
