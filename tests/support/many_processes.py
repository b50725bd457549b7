"""Straps and visitors of an API of several processes, of which one is killed now and then.

``play`` lets them send through a load balancer; what was answered wrongly is in
``Findings.wrong``. An answer of 5xx, and none at all, is no wrong one: the request is sent again,
as recorders and pages do.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

from api.services.access_tokens import issue_token
from api.services.one_time_tokens import issue_one_time_token
from ebbtide.timestamps import MINUTE, SECOND, now_ns, to_datetime
from store import Stores
from store.models import OneTimePurpose, Person
from tests.support.accounts import add_account
from tests.support.api_processes import ApiProcess

ANONYMOUS_A_MINUTE = 20  # EBBTIDE_ANONYMOUS_REQUESTS_A_MINUTE of the processes
_MAX_FAILURES = 10  # of passwords, see api/services/lockout.py
_LOCKED_S = 20.0  # surely less than the half minute that it then waits
_ANSWERED_S = 150.0  # a repeated write may wait a minute for the process that had it


@dataclass
class Findings:
    """What was done, what came without an answer, and what was answered wrongly."""

    wrong: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    retried: Counter[str] = field(default_factory=Counter)  # kind of failure → requests sent again
    upload_s: list[float] = field(default_factory=list)
    kills: int = 0


class Visitor:
    """A client that sends a request again where it is not answered."""

    def __init__(self, url: str, findings: Findings, token: str = "", address: str = "") -> None:
        self._findings = findings
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(
            base_url=url,
            headers=headers,
            timeout=60,
            transport=httpx.AsyncHTTPTransport(local_address=address or None),
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def once(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """Send a request once; None where it was not answered, or with a 5xx."""
        try:
            answer = await self._client.request(method, path, **more)
        except httpx.TransportError as error:
            self._findings.retried[type(error).__name__] += 1
            return None
        if answer.status_code >= 500:
            self._findings.retried[f"{answer.status_code}"] += 1
            return None
        return answer

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request until it is answered."""
        end = time.monotonic() + _ANSWERED_S
        while time.monotonic() < end:
            answer = await self.once(method, path, **more)
            if answer is not None and not _is_under_way(answer):
                return answer
            await asyncio.sleep(0.3)
        self._findings.wrong.append(f"{method} {path}: no answer within {_ANSWERED_S:.0f} s")
        raise TimeoutError(path)

    def expect(self, answer: httpx.Response, status: int, what: str) -> bool:
        """Note an answer that is not the right one."""
        if answer.status_code == status:
            self._findings.done[what] += 1
            return True
        self._findings.wrong.append(
            f"{what}: {answer.status_code} in place of {status}: {answer.text[:200]}"
        )
        return False


def _is_under_way(answer: httpx.Response) -> bool:
    return answer.status_code == 409 and answer.json().get("type", "").endswith("under-way")


class Strap:
    """Real-time beats, sent in batches until each is acknowledged."""

    def __init__(self, person: Person, seed: int) -> None:
        self.person = person
        self.id = str(uuid.UUID(int=seed + 1, version=4))
        self._rng = np.random.default_rng(seed)
        self.created_ns = now_ns()
        self._due_ns = self.created_ns + int(self._rng.integers(SECOND))
        self.beats: list[tuple[int, int]] = []  # (time, ticks), in their order

    async def run(self, visitor: Visitor, findings: Findings, every_s: float, end: float) -> None:
        """Send what is due every so many seconds."""
        about = {"origin": "simulated", "source": "a strap", "created_ns": self.created_ns}
        answer = await visitor.send("PUT", f"/v1/streams/{self.id}", json=about)
        if not visitor.expect(answer, 204, "streams"):
            return
        await asyncio.sleep(float(self._rng.uniform(0, every_s)))
        while time.monotonic() < end:
            began = time.monotonic()
            batch = self._next_batch()
            if batch["notifications"]:
                answer = await visitor.send(
                    "POST", f"/v1/streams/{self.id}/notifications", json=batch
                )
                findings.upload_s.append(time.monotonic() - began)
                if not visitor.expect(answer, 200, "uploads"):
                    return
                if answer.json()["acknowledged"] != len(self.beats):
                    findings.wrong.append(f"acknowledged {answer.json()}, sent {len(self.beats)}")
            await asyncio.sleep(max(0.0, began + every_s - time.monotonic()))

    def _next_batch(self) -> dict[str, Any]:
        first, at = len(self.beats) + 1, now_ns()
        items = []
        while self._due_ns <= at:
            ticks = int(np.clip(self._rng.normal(870, 45), 500, 1500))
            self.beats.append((self._due_ns, ticks))
            items.append(
                {
                    "sequence": len(self.beats),
                    "received_ns": at,
                    "heart_rate_bpm": 70,
                    "rr_ticks": [ticks],
                    "beat_times_ns": [self._due_ns],
                    "contact": True,
                }
            )
            self._due_ns += ticks * SECOND // 1024
        return {"first": first, "last": len(self.beats), "notifications": items, "gaps": []}


@dataclass
class Visits:
    """What everybody who visits needs."""

    url: str
    processes: list[ApiProcess]
    stores: Stores
    people: list[tuple[Person, str]]  # with a token
    findings: Findings
    end: float = 0.0
    rated: dict[str, int] = field(default_factory=dict)  # id of a rating → its pain

    def visitor(self, token: str = "", address: str = "", url: str = "") -> Visitor:
        """A new client."""
        return Visitor(url or self.url, self.findings, token, address)


async def stay_signed_in(visits: Visits) -> None:
    """Whoever is signed in stays so, and gets their own account."""
    visitors = [(person, visits.visitor(token)) for person, token in visits.people]
    while time.monotonic() < visits.end:
        person, visitor = random.choice(visitors)
        answer = await visitor.send("GET", "/v1/me")
        if visitor.expect(answer, 200, "sign-ins that hold") and answer.json()["id"] != person.id:
            visits.findings.wrong.append("somebody else's account")
        await asyncio.sleep(0.5)
    for _, visitor in visitors:
        await visitor.close()


async def rate(visits: Visits) -> None:
    """A rating that was stored is read at once, in any process; sent twice, it is stored once."""
    _, token = visits.people[0]
    visitor = visits.visitor(token)
    while time.monotonic() < visits.end:
        rating, pain = str(uuid.uuid4()), random.randrange(11)
        body = {"id": rating, "pain": pain, "stress": 3, "zone": "UTC"}
        body["about"] = to_datetime(now_ns() - MINUTE).isoformat()
        key = {"Idempotency-Key": rating}
        answer = await visitor.send("POST", "/v1/ratings", json=body, headers=key)
        visitor.expect(answer, 201, "ratings")
        answer = await visitor.send("POST", "/v1/ratings", json=body, headers=key)
        visitor.expect(answer, 201, "ratings that were sent twice")
        visits.rated[rating] = pain
        answer = await visitor.send("GET", f"/v1/ratings/{rating}")
        if visitor.expect(answer, 200, "ratings read") and answer.json()["pain"] != pain:
            visits.findings.wrong.append(f"a rating of {pain} was read as {answer.json()['pain']}")
        await asyncio.sleep(1)
    await visitor.close()


async def sign_out(visits: Visits) -> None:
    """A sign-in that was ended is worth nothing in any process, at once."""
    person, _ = visits.people[0]
    while time.monotonic() < visits.end:
        token, _stored = await asyncio.to_thread(issue_token, visits.stores, person)
        visitor = visits.visitor(token)
        visitor.expect(await visitor.send("GET", "/v1/me"), 200, "new sign-ins")
        answer = await visitor.send("POST", "/v1/sign-out")
        # Sent again after a process was killed, the sign-in may have ended already.
        if answer.status_code != 401:
            visitor.expect(answer, 204, "signed out")
        for process in visits.processes:
            direct = visits.visitor(token, url=process.url)
            found = await direct.once("GET", "/v1/me")
            if found is not None:
                direct.expect(found, 401, "refused after signing out")
            await direct.close()
        await visitor.close()
        await asyncio.sleep(1.5)


async def share(visits: Visits) -> None:
    """What one process was told of live sharing, all answer."""
    visitor = visits.visitor(visits.people[-1][1])
    while time.monotonic() < visits.end:
        for minutes in (60, 0):
            answer = await visitor.send("PUT", "/v1/live/sharing", json={"minutes": minutes})
            visitor.expect(answer, 200, "live sharing told")
            for _ in visits.processes:
                answer = await visitor.send("GET", "/v1/live/sharing")
                visitor.expect(answer, 200, "live sharing read")
                if (answer.json()["until"] is not None) != bool(minutes):
                    visits.findings.wrong.append(f"sharing: {answer.text} after {minutes} minutes")
        await asyncio.sleep(2)
    await visitor.close()


async def use_links(visits: Visits) -> None:
    """Of several who use a link at once, in different processes, one gets it."""
    person = add_account(visits.stores, "links@example.org", simulated=True)
    while time.monotonic() < visits.end:
        token, _ = await asyncio.to_thread(
            issue_one_time_token,
            *(visits.stores, OneTimePurpose.PASSWORD, 10 * MINUTE),
            person_id=person.id,
        )
        body = {"token": token, "new": f"a phrase of nobody {uuid.uuid4()}"}
        direct = [
            visits.visitor(url=process.url, address="127.0.0.8") for process in visits.processes
        ]
        found = await asyncio.gather(
            *(visitor.once("POST", "/v1/password-reset", json=body) for visitor in direct)
        )
        codes = [None if answer is None else answer.status_code for answer in found]
        if codes.count(204) > 1:
            visits.findings.wrong.append(f"a link was used more than once: {codes}")
        if None not in codes and codes.count(204) != 1 and 429 not in codes:
            visits.findings.wrong.append(f"a link was worth nothing: {codes}")
        visits.findings.done["links used once"] += codes.count(204) == 1
        for visitor in direct:
            await visitor.close()
        await asyncio.sleep(10)


async def spend_requests(visits: Visits) -> None:
    """An address without a sign-in may send so many requests a minute, to all processes."""
    visitor = visits.visitor(address="127.0.0.9")
    allowed: Counter[int] = Counter()
    refused = 0
    while time.monotonic() < visits.end:
        before = now_ns() // MINUTE
        answer = await visitor.once("GET", "/v1/me")
        # A request at the turn of a minute may count for either.
        if answer is not None and before == now_ns() // MINUTE:
            allowed[before] += answer.status_code == 401
            refused += answer.status_code == 429
        await asyncio.sleep(0.25)
    await visitor.close()
    visits.findings.done["requests beyond the limit, refused"] += refused
    if max(allowed.values()) > ANONYMOUS_A_MINUTE:
        visits.findings.wrong.append(f"of {ANONYMOUS_A_MINUTE} a minute were allowed: {allowed}")
    if not refused:
        visits.findings.wrong.append("no request was beyond the limit")


async def guess_passwords(visits: Visits) -> None:
    """After ten wrong passwords the next one waits, whichever process gets it."""
    turn = 0
    while not turn or time.monotonic() < visits.end:  # once to its end: hashing takes its time
        turn += 1
        guess = {"email": f"guessed{turn}@example.org", "password": "a wrong one"}
        visitor = visits.visitor(address=f"127.0.1.{turn % 250 + 1}")
        status, guessed = 0, 0
        # Those that were not answered count, too: it may be refused before ten answers.
        while guessed < _MAX_FAILURES and status != 429:
            begun = time.monotonic()
            answer = await visitor.once("POST", "/v1/sign-in", json=guess)
            status = 0 if answer is None else answer.status_code
            guessed += answer is not None
        while time.monotonic() < begun + _LOCKED_S:
            answer = await visitor.once("POST", "/v1/sign-in", json=guess)
            if answer is not None and time.monotonic() < begun + _LOCKED_S:
                visitor.expect(answer, 429, "guesses refused")
            await asyncio.sleep(3)
        await visitor.close()
        await asyncio.sleep(5)


VISITS: tuple[Callable[[Visits], Awaitable[None]], ...] = (
    *(stay_signed_in, rate, sign_out, share, use_links, spend_requests, guess_passwords),
)


async def kill_processes(visits: Visits, every_s: float, seed: int) -> None:
    """Kill a process at random, and start it again."""
    chance = random.Random(seed)
    while time.monotonic() < visits.end:
        await asyncio.sleep(chance.uniform(0.5, 1.5) * every_s)
        if time.monotonic() >= visits.end:
            return
        process = chance.choice(visits.processes)
        await asyncio.to_thread(process.kill)
        visits.findings.kills += 1
        await asyncio.sleep(chance.uniform(0, 2))
        process.start()
        await asyncio.to_thread(process.wait)


async def play(
    visits: Visits, straps: list[Strap], seconds: float, every_s: float, kill_every_s: float
) -> None:
    """Let straps and visitors send for so long, while processes are killed."""
    visits.end = time.monotonic() + seconds
    tokens = {person.id: token for person, token in visits.people}
    clients = {person: visits.visitor(token) for person, token in tokens.items()}
    await asyncio.gather(
        kill_processes(visits, kill_every_s, seed=7),
        *(visit(visits) for visit in VISITS),
        *(
            strap.run(clients[strap.person.id], visits.findings, every_s, visits.end)
            for strap in straps
        ),
    )
    for client in clients.values():
        await client.close()


def count_lost(stores: Stores, straps: list[Strap]) -> tuple[int, int, int]:
    """Compare the store with what was sent: beats sent, lost, and stored twice or as others."""
    sent = lost = doubled = 0
    for strap in straps:
        beats = stores.beats.read(strap.person.subject_id, strap.created_ns - SECOND, now_ns())
        index = [stream.id for stream in beats.streams].index(strap.id)
        mine = beats.stream == index
        stored = Counter(
            zip(beats.time_ns[mine].tolist(), beats.rr_ticks[mine].tolist(), strict=True)
        )
        wanted = Counter(strap.beats)
        sent += wanted.total()
        lost += (wanted - stored).total()
        doubled += (stored - wanted).total()
    return sent, lost, doubled


def compare_answers(visits: Visits, begin_ns: int) -> None:
    """Every process answers the same of the same person, and what was rated."""
    period = {
        "start": to_datetime(begin_ns).isoformat(),
        "end": to_datetime(now_ns()).isoformat(),
    }
    for _, token in visits.people[:3]:
        bodies: dict[str, set[bytes]] = {}
        for process in visits.processes:
            with httpx.Client(
                base_url=process.url, timeout=90, headers={"Authorization": f"Bearer {token}"}
            ) as client:
                for path in ("/v1/hrv", "/v1/streams", "/v1/ratings", "/v1/export/ratings"):
                    answer = client.get(path, params=period if path == "/v1/hrv" else {})
                    while answer.status_code == 202:
                        time.sleep(1)
                        answer = client.get(path, params=period)
                    if answer.is_error:
                        visits.findings.wrong.append(f"{path}: {answer.status_code}")
                    body = answer.content
                    if path.startswith("/v1/export"):  # whose page says up to when it is complete
                        body = repr(answer.json().get("rows")).encode()
                    bodies.setdefault(path, set()).add(body)
        visits.findings.done["answers compared"] += len(bodies)
        for path, found in bodies.items():
            if len(found) > 1:
                visits.findings.wrong.append(f"{path}: processes answer differently")
    stored = {
        item.id: item.pain
        for item in visits.stores.records.ratings(visits.people[0][0].id, 0, now_ns())
    }
    if stored != visits.rated:
        visits.findings.wrong.append(f"{len(visits.rated)} ratings sent, {len(stored)} stored")
