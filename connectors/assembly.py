"""Puts one run together from the settings: memory, source, rules, signer, gateway."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors import centrekeys, clocks
from connectors.client import Client, Problem, RequestsTransport, Transport
from connectors.config import Config
from connectors.courier import Courier, log_seen
from connectors.enrolment import load_anchors, open_keys, require_active
from connectors.errors import CallCentre, FixSettings, Wait
from connectors.guarding import Guard
from connectors.hearing import Ear
from connectors.ids import load_secret
from connectors.mapping import Mapper
from connectors.memory import Memory
from connectors.rotating import Hands, revoiced, take_up
from connectors.runner import Job
from connectors.sealing import Voice
from connectors.sources.registry import open_source
from connectors.speaker import Speaker, first_kid, signer_of, witness_kids
from connectors.transforms import Context
from connectors.watch import Watch
from connectors.withheld import fenced
from connectors.witness import Witness
from keys.errors import KeyFileError
from keys.privatefile import read_private
from schemas.errors import SchemaError
from schemas.profile import Profile

Clock = Callable[[], datetime]
Report = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Outside:
    """What comes from outside this machine's files: the clock, a person's answer, the network."""

    clock: Clock
    ask_passphrase: Callable[[], str]
    report: Report = lambda _block, _read, _total: None
    transport: Transport | None = None


def passphrase_of(config: Config, ask: Callable[[], str]) -> str:
    """The key's passphrase: from its 0600 file, or asked for.

    Raises:
        FixSettings: the file is open to others or empty.
    """
    path = config.passphrase_file
    if path is None or not path.exists():
        return ask()
    try:
        return read_private(path).decode("utf-8").strip()
    except KeyFileError as err:
        raise FixSettings("settings.key", reason=str(err)) from err


def load_profile(config: Config) -> Profile:
    try:
        return Profile.load(config.profile)
    except SchemaError as err:
        raise FixSettings("settings.profile", profile=config.profile) from err


def today_of(profile: Profile, now: datetime) -> date:
    """The city's business date, fixed by its profile or taken from its clock."""
    return profile.business_date or now.astimezone(ZoneInfo(profile.city.timezone)).date()


@contextmanager
def reading(config: Config, memory: Memory, outside: Outside) -> Iterator[Job]:
    """A job that can read and preview, and has no voice."""
    profile = load_profile(config)
    today = today_of(profile, outside.clock())
    context = Context(today, profile.wilayah)
    secret = load_secret(config.places.id_secret)
    mappers = {block.name: Mapper(block, config, context, secret) for block in config.publish}
    source = open_source(fenced(config.source, profile))
    try:
        yield Job(
            config=config,
            memory=memory,
            source=source,
            mappers=mappers,
            profile=profile,
            voice=None,
            clock=outside.clock,
            today=today,
            progress=outside.report,
        )
    finally:
        source.close()


def open_hands(config: Config, memory: Memory, outside: Outside) -> Hands:
    """The agency's keys, the one that speaks now chosen, and its gateway.

    Raises:
        FixSettings: not enrolled, or the key file cannot be opened.
        Wait: the enrolment is not active yet.
        CallCentre: no key of this connector may speak.
    """
    require_active(config, memory)
    url, ticketed = load_anchors(config)
    anchors = centrekeys.remembered(memory, ticketed)
    store = open_keys(config, passphrase_of(config, outside.ask_passphrase))
    transport = outside.transport or RequestsTransport(config.ca_file)
    speaker = Speaker(signer_of(store, first_kid(store, config.agency)))
    client = Client(url, config.agency, transport, speaker, outside.clock, lambda: log_seen(memory))
    hands = Hands(store, speaker, client, anchors, memory, outside.clock)
    try:
        take_up(hands)
    except CallCentre:
        with suppress(Problem, Wait):
            clocks.check(client)  # by a wrong clock no key may speak
        raise
    return hands


def witness_of(hands: Hands, config: Config, outside: Outside) -> Witness:
    """This connector as a witness; an agency enrolled without a witness key watches only."""
    kids = witness_kids(hands.store)
    signer = signer_of(hands.store, kids[0]) if kids else None
    return Witness(
        hands.client, hands.memory, hands.anchors, signer, outside.clock, config.places.evidence
    )


def watch_of(hands: Hands, config: Config, outside: Outside) -> Watch:
    """What this connector watches its gateway with."""
    folder = config.places.evidence
    return Watch(
        hands=hands,
        witness=witness_of(hands, config, outside),
        guard=Guard(hands, folder),
        ear=Ear(hands.client, hands.memory, hands.anchors, folder, outside.clock),
    )


@contextmanager
def publishing(config: Config, memory: Memory, outside: Outside) -> Iterator[tuple[Job, Courier]]:
    """A job with the agency's voice, and the courier to its gateway.

    Raises:
        ConnectorError: as `open_hands`.
    """
    with publishing_with(open_hands(config, memory, outside), config, outside) as work:
        yield work


@contextmanager
def publishing_with(
    hands: Hands, config: Config, outside: Outside
) -> Iterator[tuple[Job, Courier]]:
    """The same with keys already open, so that a rotation changes the voice of both."""
    blocks: dict[str, tuple[str, ...]] = {}
    for block in config.publish:
        blocks[block.stream] = (*blocks.get(block.stream, ()), block.name)
    courier = Courier(
        hands.client,
        hands.memory,
        hands.anchors,
        outside.clock,
        blocks,
        witness_of(hands, config, outside),
        voiced=lambda parcel: revoiced(hands, parcel),
    )
    with reading(config, hands.memory, outside) as job:
        yield (
            Job(
                **{name: getattr(job, name) for name in Job.__slots__ if name != "voice"},
                voice=Voice(hands.anchors.aud, config.agency, hands.speaker),
            ),
            courier,
        )
