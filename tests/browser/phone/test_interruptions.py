"""What stops a phone's recording, or keeps it from the server: nothing is lost, and it is said."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Playwright

from api.services.access_tokens import issue_token, token_hash
from ebbtide.timestamps import HOUR, MILLISECOND
from tests.support.phone_recording import (
    STORAGE_KEY,
    Phone,
    open_page,
    pair,
    running_browser,
    stop,
    stored_intervals,
    wait_for,
    wait_in,
)
from tests.support.played_bluez import PlayedStrap

pytestmark = pytest.mark.browser


def _play(page: Page, strap: PlayedStrap, ticks: list[int]) -> None:
    for one in ticks:
        assert strap.beat(70, [one])
    last = ticks[-1] * 1000 / 1024
    wait_in(page, f"window.recorder.lastBeats(1)[0]?.rrMs === {last}")


def _address(phone: Phone, *, first: bool = True, later_ms: int = 0) -> str:
    start_ms = (phone.stores.now() - 3 * HOUR) // MILLISECOND + later_ms
    return phone.address(first=first, clock=str(start_ms))


def test_two_tabs_record_once_and_a_reload_goes_on(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    with running_browser(phone) as running:
        page = open_page(playwright, running, _address(phone))
        pair(page, strap)
        _play(page, strap, list(range(800, 820)))
        other = open_page(playwright, running, _address(phone))
        other.click("#start")
        wait_in(other, "window.recorder.message?.key === 'recorder.other_tab'")
        assert other.evaluate("window.recorder.state") == "blocked"
        other.close()
        wait_in(page, "window.durable === 20")
        page.goto(_address(phone, first=False, later_ms=60_000))  # as a reload, a minute later
        wait_in(page, "window.isReady")
        assert page.evaluate("window.recorder.message.key") == "recorder.needs_choice"
        strap.lose_link()
        pair(page, strap)
        _play(page, strap, list(range(900, 920)))
        stop(page)
    (beats,) = stored_intervals(phone).values()
    assert [ticks for _, ticks in beats] == [*range(800, 820), *range(900, 920)]
    (gap,) = phone.stores.beats.gaps(phone.person.subject_id, 0, 2**62)
    assert str(gap.gap.reason) == "link lost"


def test_without_room_beats_wait_in_memory_and_that_is_said(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    with running_browser(phone) as running:
        page = open_page(playwright, running, _address(phone))
        assert page.evaluate("window.recorder.hoursThatFit") > 1
    # Chromium remembers how much room there was: another run of it, that never saw any.
    with running_browser(phone) as running:
        page = open_page(playwright, running, f"{phone.site.url}/test/empty.html")
        devtools = page.context.new_cdp_session(page)
        quota = {"origin": phone.site.url, "quotaSize": 1}
        devtools.send("Storage.overrideQuotaForOrigin", quota)
        page.goto(_address(phone, first=False))
        wait_in(page, "window.isReady")
        pair(page, strap)
        _play(page, strap, list(range(800, 820)))
        wait_in(page, "window.recorder.message?.key === 'recorder.storage_full'")
        assert page.evaluate("window.recorder.message.values.waiting") == 20
        assert page.evaluate("window.durable") == 0
        devtools.send("Storage.overrideQuotaForOrigin", {"origin": phone.site.url})
        wait_in(page, "window.durable === 20")
        _play(page, strap, list(range(820, 840)))
        wait_in(page, "window.durable === 40")
        assert "recorder.storage_full" not in page.evaluate("window.recorder.message?.key ?? ''")
        stop(page)
    (beats,) = stored_intervals(phone).values()
    assert [ticks for _, ticks in beats] == list(range(800, 840))
    assert not phone.stores.beats.gaps(phone.person.subject_id, 0, 2**62)


def test_a_server_that_is_away_gets_all_of_it_later(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    with running_browser(phone) as running:
        page = open_page(playwright, running, _address(phone))
        page.evaluate("window.isServerAway = true")
        pair(page, strap)
        _play(page, strap, [800 + index % 200 for index in range(500)])
        wait_in(page, "window.durable === 500")
        assert not page.evaluate("window.recorder.sendNow()")
        wait_in(page, "window.recorder.message?.key === 'recorder.offline'")
        # Nothing of a person can be read without the key: not even where the beats are.
        raw = page.evaluate(
            """person => new Promise((resolve) => {
              const opening = indexedDB.open(`ebbtide-${person}`);
              opening.onsuccess = () => {
                const all = opening.result.transaction("notifications")
                  .objectStore("notifications").getAll();
                all.onsuccess = () => resolve(all.result.map((row) => new TextDecoder("latin1")
                  .decode(row)).join());
              };
            })""",
            phone.person.id,
        )
        assert len(raw) > 500 * 100
        assert "rrTicks" not in raw
    # The browser was ended; the server is back another time.
    with running_browser(phone) as running:
        page = open_page(playwright, running, _address(phone, first=False))
        assert page.evaluate("window.recorder.sendNow()")
    (beats,) = stored_intervals(phone).values()
    assert [ticks for _, ticks in beats] == [800 + index % 200 for index in range(500)]


def test_after_a_revocation_rows_stay_locked_until_the_person_signs_in(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    with running_browser(phone) as running:
        page = open_page(playwright, running, _address(phone))
        page.evaluate("window.isServerAway = true")
        pair(page, strap)
        _play(page, strap, list(range(800, 820)))
        wait_in(page, "window.durable === 20")
        phone.stores.access.end_token(token_hash(phone.token))
        page.evaluate("window.isServerAway = false")
        wait_in(page, "window.recorder.message?.key === 'recorder.signed_out'")
        assert page.evaluate("window.database.locked")
        _play(page, strap, list(range(820, 840)))
        read = "window.database.all('notifications').then(() => 'read', (error) => error.name)"
        assert page.evaluate(read) == "DatabaseLockedError"
        phone.token, _ = issue_token(phone.stores, phone.person)
        page.evaluate(
            """([key, token]) => {
              window.token = token;
              return window.database.unlock(Uint8Array.from(key));
            }""",
            [list(STORAGE_KEY), phone.token],
        )
        # What came while it was locked was only in memory; now it is on the disk.
        wait_in(page, "window.durable === 40")
        stop(page)
        page.evaluate("window.database.destroy()")
        names = page.evaluate("indexedDB.databases().then((all) => all.map(({name}) => name))")
        assert f"ebbtide-{phone.person.id}" not in names
    (beats,) = stored_intervals(phone).values()
    assert [ticks for _, ticks in beats] == list(range(800, 840))


def test_a_removed_recording_is_not_sent_again_and_what_follows_is_a_stream_of_its_own(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    with running_browser(phone) as running:
        page = open_page(playwright, running, _address(phone))
        pair(page, strap)
        _play(page, strap, list(range(800, 820)))
        wait_in(page, "window.durable === 20")
        wait_in(page, "window.recorder.sendNow()")
        (stream_id,) = stored_intervals(phone)
        phone.stores.beats.remove_stream(phone.person.subject_id, stream_id, phone.stores.now())
        _play(page, strap, list(range(820, 840)))
        wait_in(page, "window.durable === 40")
        wait_for(lambda: page.evaluate("window.recorder.sendNow()"), page, "the removal")
        assert not stored_intervals(phone)
        _play(page, strap, list(range(840, 860)))
        wait_in(page, "window.durable === 60")
        stop(page)
        streams = stored_intervals(phone)
        assert [[ticks for _, ticks in one] for one in streams.values()] == [[*range(840, 860)]]
        assert stream_id not in streams
