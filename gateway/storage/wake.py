"""Wakes whoever waits for something, in any process: Redis publish/subscribe, nothing else of it.

A message is the name of a topic and never a fact: a waiter reads the database again and believes
only that. So a dead Redis, or a broker of another kind, costs latency and loses nothing, since a
waiter reads again every `AGAIN` seconds anyway.

Source: decisions.md (jobs); trust.md 5, rows 17 and 18.
"""

import contextlib
import threading
import time
from collections import defaultdict

import redis

CHANNEL = "titian:wake"
AGAIN = 2.0
"""Seconds after which a waiter looks by itself."""
_SOON = 0.2
_QUIET_AFTER_FAULT = 2.0
_SCHEMES = ("redis://", "rediss://", "unix://")


class Wakes:
    """The wake-ups of one process; `url` is the broker's, and may be of another kind or None."""

    def __init__(self, url: str | None = None) -> None:
        """Nothing is connected before it is needed."""
        self._url = url if url is not None and url.startswith(_SCHEMES) else None
        self._changed = threading.Condition()
        self._marks: dict[str, int] = defaultdict(int)
        self._all = 0
        self._said: redis.Redis | None = None
        self._mute_until = 0.0
        self._listening = False

    def say(self, topic: str) -> None:
        """Wake all who wait for `topic`, here and elsewhere; call it after the commit."""
        self._mark(topic)
        if self._url is None or time.monotonic() < self._mute_until:
            return
        try:
            self._sender(self._url).publish(CHANNEL, topic)
        except redis.RedisError:
            self._mute_until = time.monotonic() + _QUIET_AFTER_FAULT

    def mark(self, topic: str) -> int:
        """Where the topic stands: take it before reading, and give it to `wait` afterwards."""
        self._listen()
        with self._changed:
            return self._marks[topic] + self._all

    def wait(self, topic: str, mark: int, seconds: float) -> None:
        """Return once the topic was said after `mark` was taken, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._marks[topic] + self._all != mark, seconds)

    def _mark(self, topic: str | None) -> None:
        with self._changed:
            if topic is None:
                self._all += 1
            else:
                self._marks[topic] += 1
            self._changed.notify_all()

    def _sender(self, url: str) -> redis.Redis:
        if self._said is None:
            self._said = redis.Redis.from_url(
                url, socket_timeout=_SOON, socket_connect_timeout=_SOON
            )
        return self._said

    def _listen(self) -> None:
        if self._url is None or self._listening:
            return
        with self._changed:
            first, self._listening = not self._listening, True
        if first:
            hearing = threading.Thread(target=self._hear, args=(self._url,), daemon=True)
            hearing.start()

    def _hear(self, url: str) -> None:
        while True:
            with contextlib.suppress(redis.RedisError, OSError):
                self._hear_until_lost(url)
            time.sleep(1)

    def _hear_until_lost(self, url: str) -> None:
        with (
            redis.Redis.from_url(url, socket_connect_timeout=1) as client,
            client.pubsub() as heard,
        ):
            heard.subscribe(CHANNEL)
            self._mark(None)  # whatever was said while nobody listened
            for message in heard.listen():
                if message["type"] == "message":
                    self._mark(message["data"].decode("utf-8", errors="replace"))
