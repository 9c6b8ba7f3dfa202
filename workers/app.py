"""The Celery app: the one place that knows the broker. Messages are JSON and carry ids only.

Nothing connects at import. Each process makes its own engine when its first task comes.

Source: design/stack.md §3 (settings), design/trust.md F3, F4, 6.2.
"""

import functools
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from celery import Celery
from sqlalchemy.orm import Session, sessionmaker

from gateway.index import modelfile
from gateway.index.arrivals import IndexTools
from gateway.intake.model import IntakeTools
from gateway.settings import Settings
from gateway.storage import deks
from gateway.storage.engine import connect, sessions
from keys.vault import Vault
from schemas.profile import Profile
from workers import apply, deadlines, duties, examine, programs, reconcile, reevaluate, schedule

SOFT_SECONDS, HARD_SECONDS = 540, 600
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a task needs: made once a process."""

    settings: Settings
    sessions: sessionmaker[Session]
    vault: Vault
    profile: Profile
    index: IndexTools
    intake: IntakeTools

    @classmethod
    def of(cls, settings: Settings) -> "Tools":
        """Connect, open the vault, load the city and the matching model."""
        vault, profile = deks.open_vault(settings), Profile.load(settings.profile)
        index = IndexTools(vault=vault, profile=profile, model=modelfile.load())
        return cls(
            settings=settings,
            sessions=sessions(connect(settings, pool_size=2)),
            vault=vault,
            profile=profile,
            index=index,
            intake=IntakeTools(vault=vault, settings=settings, profile=profile, index=index),
        )


class Workshop:
    """The tools of this process: made at the first task, made anew after a fork."""

    def __init__(self, settings: Settings) -> None:
        """Nothing connects yet."""
        self.settings = settings
        self._made: dict[int, Tools] = {}

    def __call__(self) -> Tools:
        """The tools of this process."""
        pid = os.getpid()
        if pid not in self._made:
            self._made = {pid: Tools.of(self.settings)}
        return self._made[pid]


def now() -> datetime:
    """Aware UTC."""
    return datetime.now(UTC)


def make_app(settings: Settings) -> Celery:
    """A Celery app with every duty registered."""
    app = Celery("titian", broker=settings.broker_url)
    app.conf.update(configuration())
    app.conf.beat_schedule = schedule.TABLE
    workshop = Workshop(settings)
    # Not shared: two apps in one process must not get each other's tasks.
    register: Callable[..., Any] = functools.partial(app.task, shared=False)
    for module in (apply, reconcile, examine, reevaluate, duties, programs, deadlines):
        module.register(register, workshop, now)
    return app


def configuration() -> dict[str, Any]:
    """One block of settings; each line has its measurement in the design."""
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_backend": None,
        "broker_connection_retry_on_startup": True,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "task_time_limit": HARD_SECONDS,
        "task_soft_time_limit": SOFT_SECONDS,
        "worker_max_tasks_per_child": 500,
        "task_ignore_result": True,
        "broker_transport_options": {
            "visibility_timeout": 900,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 30,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
        },
        "worker_soft_shutdown_timeout": 25,
        "worker_enable_soft_shutdown_on_idle": False,  # nothing to wait for: no task has an ETA
        "task_publish_retry_policy": {
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
            "interval_max": 0.2,
        },
        "beat_scheduler": "celery.beat:Scheduler",  # in memory: the table is short and repeats
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "timezone": "UTC",
    }
