"""Tables forwards, on filled databases of every earlier revision, on both engines."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text

from ebbtide.errors import EbbtideError
from store import RecordStore
from store.errors import RatingConflictError
from store.influx.catalogue import BeatCatalogue
from store.models import AuditLine, Message, Passkey, Scope, TokenKind
from store.sql.access import SqlAccessStore
from store.sql.engine import server_engine, sqlite_engine
from store.sql.nights import SqlNightStore
from store.sql.offers import SqlOfferStore
from store.sql.programme import SqlProgrammeStore
from store.sql.prompts import SqlPromptStore
from store.sql.records import SqlRecordStore
from store.sql.schema_version import NEWEST, current_revision, stored_revision
from store.sql.tables.records import Base
from store.sql.upgrade import upgrade
from tests.support.postgres import PostgresServer
from tests.support.records import NOW, a_person, a_rating

PERSON = (
    "INSERT INTO people (id, subject_id, email, name, zone, role, simulated, password_hash,"
    " created_ns) VALUES ('p', 's', 'ada@example.org', 'Ada', 'Europe/Berlin', 'patient',"
    " false, 'hash', 5)"
)
THERAPIST = PERSON.replace("'p', 's', 'ada@", "'t', 'u', 'tom@").replace("patient", "therapist")
PERSON_WITH_A_KEY = PERSON.replace("'p', 's', 'ada@", "'k', 'v', 'eve@")
STORAGE_KEY = f"INSERT INTO storage_keys VALUES ('k', '{'ab' * 32}', 5)"
SIGN_IN = "INSERT INTO sign_ins VALUES ('0123456789012345678901234567890123456789', 'p', 5, 1000)"
SIGN_IN_OF_0016 = (
    "INSERT INTO sign_ins VALUES ('0123456789012345678901234567890123456789', 'p', 5, 1000, 'i',"
    " 'session', 'here', 'read', 6, 0, true, 7)"
)
SIGN_IN_OF_0015 = (
    "INSERT INTO sign_ins VALUES ('0123456789012345678901234567890123456789', 'p', 5, 1000, 'i',"
    " 'session', 'here', 'read', 6, 0)"
)
PLAN = (
    "INSERT INTO reminder_plans (person_id, seed, body, zone, enabled, push, mail, desktop,"
    " shows_words, version, changed_ns, next_ns) VALUES ('p', 'seed', '{}', 'Europe/Berlin', true,"
    " true, false, true, false, 1, 5, 6)"
)
PROMPT = (
    "INSERT INTO prompts (id, person_id, slot, reason, planned_ns, zone, chance, plan_version,"
    " due_ns, expires_ns, state, attempts, leased_until_ns, ways_tried, ways, simulated) VALUES"
    " ('q', 'p', 'day/1', 'random', 7, 'Europe/Berlin', 0.1, 1, 7, 9, 'sent', 1, 0, '', '', false)"
)
OFFERS = (
    "INSERT INTO offer_plans (person_id, number, seed, arms, base_probability, delay_min,"
    " first_days, start_min, end_min, created_ns, wording, agreed_ns, quiet_until_ns) VALUES"
    " ('p', 1, 'seed', 'paced breathing', 0.5, 30, 3, 540, 1200, 5, 'offers-1', 6, 0)"
)
RATING = (
    "INSERT INTO ratings (id, version, person_id, about_ns, entered_ns, zone, pain, stress,"
    " simulated, superseded) VALUES ('r', 1, 'p', 7, 8, 'Europe/Berlin', 3, 4, false, false)"
)

STREAM = (
    "INSERT INTO beat_streams (id, subject_id, origin, source, created_ns, ticks_per_second)"
    " VALUES ('b', 's', 'strap', 'a strap', 1, 1024)"
)
RUN = (
    "INSERT INTO beat_runs (stream_id, first_sequence, last_sequence, beats, start_ns, end_ns,"
    " kept_ns) VALUES ('b', 1, 2, 2, 5, 7, 8)"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.sqlite'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.fresh_database()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(url)
    yield made
    made.dispose()


def is_of_queue(name: str | None) -> bool:
    return name is not None and name.startswith(("procrastinate", "job_"))


def opened(url: str) -> RecordStore:
    if url.startswith("sqlite"):
        return SqlRecordStore(sqlite_engine(Path(url.removeprefix("sqlite:///"))))
    return SqlRecordStore(server_engine(url))


@pytest.mark.parametrize(
    "revision",
    [
        f"{number:04}"
        for number in (
            *range(1, 10),
            11,
            12,
            13,
            14,
            15,
            16,
            17,
            20,
            21,
            22,
            23,
            26,
            27,
            28,
            29,
            30,
        )
    ],
)
def test_a_filled_database_of_each_revision_comes_forward(
    engine: Engine, url: str, revision: str
) -> None:
    with engine.begin() as connection:
        upgrade(connection, revision)
        connection.execute(text(PERSON))
        connection.execute(text(RATING))
        if revision < "0007":
            connection.execute(text(SIGN_IN))
        if "0007" <= revision < "0013":
            connection.execute(text("INSERT INTO pseudonyms VALUES ('p', 'name', 604800)"))
        if revision == "0017" or revision >= "0020":
            connection.execute(text("INSERT INTO storage_keys VALUES ('p', '%s', 5)" % ("ab" * 32)))
        if revision == "0015":
            connection.execute(text(SIGN_IN_OF_0015))
        if revision == "0016":
            connection.execute(text(SIGN_IN_OF_0016))
        if revision >= "0020":
            connection.execute(text(PLAN))
        if revision >= "0023":
            connection.execute(text(OFFERS))
        if revision >= "0028":
            connection.execute(text(PROMPT))
        if revision == "0027":
            connection.execute(text(STREAM))
            connection.execute(text(RUN))
        connection.execute(text(THERAPIST))
        if revision == "0017":
            connection.execute(text(PERSON_WITH_A_KEY))
            connection.execute(text(STORAGE_KEY))
    store = opened(url)
    person = store.person("p")
    assert person is not None
    assert person.language == ""  # what is sent stays English until a browser says another
    (rating,) = store.ratings("p", 0, 100)
    assert (rating.pain, rating.prompt_id) == (3, None)  # nothing asked before prompts
    store.add_rating(a_rating(person))
    store.add_rating(a_rating(person, stress=None))  # where pain alone was asked for
    with pytest.raises(RatingConflictError):
        store.add_rating(a_rating(person, pain=None, stress=None))
    with pytest.raises(RatingConflictError):
        store.add_rating(a_rating(person, pain=11))
    asked = [item.asks for item in SqlPromptStore(engine).prompts("p", 0, 100)]
    assert asked == (["both"] if revision >= "0028" else [])
    store.add_audit(AuditLine(NOW, "erased", "s"))
    store.close()
    with engine.connect() as connection:
        assert current_revision(connection) == NEWEST
    access = SqlAccessStore(engine)  # new pseudonyms are made from a secret of its own
    assert access.research_secret() == access.research_secret()
    assert access.update_cohort(["p"], 1, NOW) == {"p": NOW}
    if revision == "0015":  # a session of before goes on, without a second factor
        (stored,) = access.tokens("p")
        assert (stored.second_factor, stored.verified_ns) == (False, 0)
        access.add_passkey(Passkey("k", "p", "credential", "key", 0, "n", "localhost", NOW, NOW), 1)
        assert access.has_second_factor("p")
    if revision == "0016":  # what was signed in stays so
        (stored,) = access.tokens("p")
        assert (stored.second_factor, stored.verified_ns) == (True, 7)
    with engine.connect() as connection:  # who had values of version 1 is told once of the next
        versions = connection.execute(text("SELECT version, seen_ns FROM index_methods")).all()
    assert {*versions} == ({(1, 0)} if revision < "0021" else set())
    with engine.connect() as connection:  # patients have theirs before any phone signs in
        secrets = dict(connection.execute(text("SELECT person_id, secret FROM storage_keys")).all())
    if revision == "0017":  # what phones have encrypted can be read on
        assert secrets.pop("k") == "ab" * 32
    assert secrets.keys() == {"p"}
    key = access.storage_key("p", NOW)
    assert key is not None and len(key) == 32 and key.hex() == secrets["p"]
    plan = SqlPromptStore(engine).plan("p")
    assert (plan is not None) == (revision >= "0020")
    assert plan is None or (plan.enabled, plan.by_heart) == (True, False)  # nobody had wished it
    assert SqlPromptStore(engine).by_heart() == []
    assert SqlNightStore(engine).nights("p") == []
    offers = SqlOfferStore(engine)
    assert [(item.is_active, item.times_min) for item in offers.plans("p")] == (
        [(True, ())] if revision >= "0023" else []  # without times of its own, as it was
    )
    assert offers.points("p", 0, NOW) == []
    programme = SqlProgrammeStore(engine)
    programme.add_message(Message("m", "p", "t", "See you on Thursday.", NOW), 10)
    assert [item.words for item in programme.messages("p")] == ["See you on Thursday."]
    assert access.storage_key("p", NOW + 1) == key
    assert access.storage_key("nobody", NOW) is None
    if revision == "0027":  # nothing is known of the heart rates of what was there
        catalogue = BeatCatalogue(engine)
        (covered,) = catalogue.coverage("s")
        assert (covered.beats, covered.first_ns, covered.rates) == (2, 5, 0)
        assert catalogue.rate_runs("s", 0, NOW) == []
        assert list(catalogue.day_fingerprints("s", 0, NOW)) == [0]
    if revision < "0007":  # recorders stay signed in, for everything, as they were
        (stored,) = SqlAccessStore(engine).tokens("p")
        assert (stored.kind, stored.scopes, stored.idle_ns) == (
            TokenKind.DEVICE,
            frozenset(Scope),
            0,
        )


def test_revisions_lead_to_the_tables_that_the_code_has(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection)
        # procrastinate's tables, and those beside them, are no models of ours.
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, _: not is_of_queue(name),
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        assert stored_revision(connection) == NEWEST == context.get_current_revision()


def test_a_store_from_before_revisions_is_known(engine: Engine, url: str) -> None:
    with engine.begin() as connection:
        upgrade(connection, "0001")
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(text(PERSON))
        assert current_revision(connection) == "0001"
    store = opened(url)
    store.add_audit(AuditLine(NOW, "erased", "s"))
    assert store.person("p") is not None
    store.close()


def test_the_embedded_store_keeps_a_copy_of_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade(connection, "0001")
        connection.execute(text(PERSON))
    engine.dispose()
    SqlRecordStore(sqlite_engine(path)).close()
    with closing(sqlite3.connect(tmp_path / "records.sqlite.revision-0001")) as copy:
        assert copy.execute("SELECT count(*) FROM people").fetchone() == (1,)
        tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}
    assert "audit" not in tables
    # Nothing to do: no further copy.
    before = sorted(tmp_path.iterdir())
    SqlRecordStore(sqlite_engine(path)).close()
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix not in (".sqlite-wal",)) == sorted(
        p.name for p in before if p.suffix not in (".sqlite-wal",)
    )


def test_a_store_of_a_newer_version_is_refused(engine: Engine, url: str) -> None:
    opened(url).close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(EbbtideError):
        opened(url)


def test_a_server_that_is_away_is_told_without_its_password(postgres: PostgresServer) -> None:
    with pytest.raises(EbbtideError) as caught:
        SqlRecordStore(
            server_engine("postgresql+psycopg://ebbtide:open-sesame@/nowhere?host=/nowhere")
        )
    assert "does not answer" in str(caught.value)
    assert "open-sesame" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # broken by the kill
def test_a_killed_server_comes_back_with_what_it_acknowledged(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    store = SqlRecordStore(server_engine(url))
    person = a_person(store)
    stored = []
    for second in range(30):
        stored.append(store.add_rating(a_rating(person, second)))
    postgres.kill()
    with pytest.raises(Exception, match=r"(?i)connection|server"):
        store.add_rating(a_rating(person, 31))
    postgres.restart()
    assert store.ratings(person.id, 0, 2 * NOW) == stored
    store.add_rating(a_rating(person, 32))  # the same store, the same pool
    store.close()
    gc.collect()  # here, where the warning of the broken connection is expected
