"""Spread people over several InfluxDB servers, by a plan that is shown before it is carried out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ebbtide.errors import EbbtideError
from store.errors import UNAVAILABLE
from store.protocols.beats import BeatStore

if TYPE_CHECKING:
    from store.influx.beats import InfluxBeatStore
    from store.influx.places import Resident

_NOT_NOW: tuple[type[Exception], ...] = (EbbtideError, *UNAVAILABLE)
_LEAST_GAIN = 0.05  # of an even share: less is not worth to move somebody for

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server: whether it is in the settings, answers and takes new people, and whom it has.

    ``problem``: why it does not answer.
    """

    name: str
    is_set: bool
    is_drained: bool
    problem: str | None
    people: int
    beats: int


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """Somebody's beats from one server to another."""

    subject_id: str
    beats: int
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class RebalancePlan:
    """What is to be moved, and of whom points are to be deleted where they do not lie (any more):
    the server and the subject.
    """

    moves: Sequence[PlannedMove] = ()
    deletions: Sequence[tuple[str, str]] = ()

    @property
    def beats(self) -> int:
        """How many beats are to be moved."""
        return sum(move.beats for move in self.moves)


@dataclass(slots=True)
class RebalanceResult:
    """What was moved and deleted. ``failed``: by subject, why it was left where it was."""

    moved: int = 0
    beats: int = 0
    deleted: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def list_servers(beats: BeatStore) -> list[ServerState]:
    """List the servers of the settings, and those on which people are noted though they are not
    in the settings. Raises EbbtideError for a store that is not on InfluxDB.
    """
    store = _on_influxdb(beats)
    residents = store.catalogue.places.residents()
    people = Counter(item.place.server for item in residents)
    counted: Counter[str] = Counter()
    for item in residents:
        counted[item.place.server] += item.beats
    drained, states = store.catalogue.places.drained(), store.servers.states()
    names = [*states, *sorted((set(people) | drained) - set(states))]
    return [
        ServerState(
            name,
            name in states,
            name in drained,
            states.get(name) if name in states else "It is not in the settings.",
            people[name],
            counted[name],
        )
        for name in names
    ]


def plan_rebalance(beats: BeatStore, drain: Collection[str] = ()) -> RebalancePlan:
    """Plan who moves so that each server has about as many beats, and nobody is left on those that
    are drained or are to be (``drain``). A server that does not answer is left as it is.
    """
    store = _on_influxdb(beats)
    servers = list_servers(beats)
    for name in drain:
        require_known(store, name)
    answering = [item.name for item in servers if item.problem is None]
    leaving = {item.name for item in servers if item.is_drained} | set(drain)
    taking = [name for name in answering if name not in leaving]
    if not taking:
        raise EbbtideError(
            "No server is left that takes people.",
            "Add one to EBBTIDE_INFLUXDB_URL, or start those that do not answer.",
        )
    residents = [r for r in store.catalogue.places.residents() if r.place.server in answering]
    remains = store.catalogue.places.remains()
    deletions = sorted({(name, subject) for subject, name in remains.items()})
    return RebalancePlan(
        _plan_moves(residents, taking),
        deletions + [found for found in store.stray_points() if found not in deletions],
    )


def _plan_moves(residents: Sequence[Resident], taking: Sequence[str]) -> list[PlannedMove]:
    """First whoever has to leave, or was being moved; then from the fullest to the emptiest."""
    beats = {name: 0 for name in taking}
    here: dict[str, list[Resident]] = {name: [] for name in taking}
    going: list[tuple[Resident, str | None]] = []
    for item in sorted(residents, key=lambda r: (-r.beats, r.subject_id)):
        if item.place.target in beats:
            going.append((item, item.place.target))
        elif item.place.server not in beats:
            going.append((item, None))
        else:
            beats[item.place.server] += item.beats
            here[item.place.server].append(item)
    moves = []
    for item, wanted in going:
        target = wanted or min(taking, key=lambda name: beats[name])
        beats[target] += item.beats
        moves.append(PlannedMove(item.subject_id, item.beats, item.place.server, target))
    least = _LEAST_GAIN * sum(beats.values()) / len(taking)
    while True:
        target = min(taking, key=lambda name: beats[name])
        source = max(taking, key=lambda name: beats[name])
        # Whoever has more than half of the difference would only change which is fuller.
        room = (beats[source] - beats[target]) / 2
        found = next((r for r in here[source] if least < r.beats <= room), None)
        if found is None:
            return moves
        here[source].remove(found)
        beats[source] -= found.beats
        beats[target] += found.beats
        moves.append(PlannedMove(found.subject_id, found.beats, source, target))


def move_people(
    beats: BeatStore, plan: RebalancePlan, progress: Progress | None = None
) -> RebalanceResult:
    """Carry a plan out, while everything is in use. Whoever cannot be moved now is left whole
    where they are, and the next plan has them again.
    """
    from store.influx.moving import SubjectMove, clean, delete_stray

    store = _on_influxdb(beats)
    found = RebalanceResult()
    done = 0

    def advance(copied: int) -> None:
        nonlocal done
        done += copied
        if progress is not None:
            progress("beats", min(done, plan.beats), plan.beats)

    for server, subject in plan.deletions:
        try:
            if store.catalogue.places.get(subject).cleaning == server:
                clean(store.servers, store.catalogue, subject)
            else:
                delete_stray(store.servers, store.catalogue, server, subject)
            found.deleted += 1
        except _NOT_NOW as error:
            found.failed[subject] = _words(error)
    for move in plan.moves:
        try:
            SubjectMove(store.servers, store.catalogue, move.subject_id, move.target).run(advance)
            found.moved += 1
            found.beats += move.beats
        except _NOT_NOW as error:
            found.failed[move.subject_id] = _words(error)
    return found


def set_drained(beats: BeatStore, name: str, *, is_drained: bool) -> None:
    """Let a server take no new people, or take them again. Raises EbbtideError for one that the
    settings do not name.
    """
    store = _on_influxdb(beats)
    require_known(store, name)
    store.catalogue.places.drain(name, is_drained=is_drained)


def require_known(store: InfluxBeatStore, name: str) -> None:
    """Raise EbbtideError for a server that the settings do not name."""
    if name not in store.servers.names:
        raise EbbtideError(
            f"There is no InfluxDB server {name}.",
            f"EBBTIDE_INFLUXDB_URL names {', '.join(store.servers.names)}.",
        )


def _words(error: Exception) -> str:
    # The message of a driver may have addresses.
    return str(error) if isinstance(error, EbbtideError) else type(error).__name__


def _on_influxdb(beats: BeatStore) -> InfluxBeatStore:
    try:
        from store.influx.beats import InfluxBeatStore
    except ImportError:
        is_influxdb = False
    else:
        is_influxdb = isinstance(beats, InfluxBeatStore)
    if not is_influxdb:
        raise EbbtideError(
            "These beats are not on InfluxDB servers.",
            "Set EBBTIDE_INFLUXDB_URL, and move them there: ebbtide move.",
        )
    return beats  # type: ignore[return-value]
