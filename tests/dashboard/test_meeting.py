"""The page for the next meeting: what it holds, and one sheet readable in black and white."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import numpy as np
from babel import Locale
from pypdf import PdfReader

from dashboard.client import DashboardClient
from dashboard.i18n.language import reader_locale, reading_as
from dashboard.reports.meeting import MeetingPage, daily_means, load_meeting_page
from dashboard.reports.meeting_pdf import render_meeting_pdf
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR
from store.models import Rating, TherapySession
from tests.support.clinic import Clinic

BERLIN = ZoneInfo("Europe/Berlin")


def loaded(clinic: Clinic, now: datetime | None = None) -> MeetingPage:
    token = clinic["ada"].headers["Authorization"].removeprefix("Bearer ")
    account = clinic["ada"].get("/v1/me").json()
    with reading_as(Locale("en", "GB")):
        return load_meeting_page(
            DashboardClient(clinic.url, token), account, now or datetime.now(UTC)
        )


def put_ratings(clinic: Clinic, days: int) -> None:
    stores, person = clinic.stores, clinic.people["ada"]
    now = stores.now()
    for day in range(days):
        at = now - day * DAY - 1
        stores.records.add_rating(
            Rating(new_id(), 1, person.id, at, at, person.zone, 2 + day % 3, 5, None, False)
        )


def test_a_person_without_data_gets_a_page_that_says_so(clinic: Clinic) -> None:
    page = loaded(clinic)
    assert page.parts["In the last four weeks"] == ["No ratings in this time."]
    assert page.parts["At home"] == ["No practice noted."]
    assert all(day.pain is None for day in page.days) and len(page.days) == 28
    text = PdfReader(BytesIO(render_meeting_pdf(page))).pages[0].extract_text()
    assert "What I want to say or ask" in text
    assert "Averages of each day" not in text  # no picture of nothing


def test_it_begins_at_the_last_meeting_and_holds_what_happened_since(clinic: Clinic) -> None:
    put_ratings(clinic, 20)
    person, stores = clinic.people["ada"], clinic.stores
    held = stores.now() - 7 * DAY
    stores.records.add_session(TherapySession(new_id(), person.id, 3, held))
    page = loaded(clinic)
    (begin,) = [title for title in page.parts if title.startswith("Since meeting 3")]
    assert page.parts[begin][0] == "Ratings: 7, on 7 days."
    assert page.parts[begin][1] == "Pain: 2.9 on average, between 2 and 4."
    assert list(page.meetings.values()) == [3]


def test_the_sheet_is_one_has_its_language_and_no_colour(clinic: Clinic) -> None:
    put_ratings(clinic, 20)
    page = loaded(clinic)
    page.parts["Long"] = [f"line {k} " + "word " * 40 for k in range(60)]
    with reading_as(Locale("de")):
        assert reader_locale().language == "de"
        data = render_meeting_pdf(page)
    reader = PdfReader(BytesIO(data))
    (sheet,) = reader.pages
    assert reader.trailer["/Root"]["/Lang"] == "de"
    assert [round(float(side)) for side in sheet.mediabox[2:]] == [595, 842]
    drawn = sheet.get_contents().get_data().decode("latin-1")
    colours = re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) (?:rg|RG)\b", drawn)
    assert all(red == green == blue for red, green, blue in colours)
    text = sheet.extract_text()
    assert "What I want to say or ask" in text and "no statement of cause" in text
    assert "line 59" not in text  # what does not fit does not run over the lines to write on


def test_the_sheet_is_tagged_for_a_screen_reader(clinic: Clinic) -> None:
    put_ratings(clinic, 20)
    page = loaded(clinic)
    with reading_as(Locale("de")):
        reader = PdfReader(BytesIO(render_meeting_pdf(page)))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None and reader.metadata.title == page.title
    parts = [item.get_object() for item in root["/StructTreeRoot"]["/K"][0].get_object()["/K"]]
    kinds = [part["/S"] for part in parts]
    headings = len(page.parts) + 1  # and that of the lines to write on
    assert kinds[:3] == ["/H1", "/P", "/H2"] and kinds.count("/H2") == headings
    (figure,) = [part for part in parts if part["/S"] == "/Figure"]
    assert figure["/Alt"] == page.picture_alternative
    assert "Pain: from 3.0 on the first day to 2.0 on the last." in page.picture_alternative
    drawn = reader.pages[0].get_contents().get_data().decode("latin-1")
    # All that is drawn is either a part of the tree or decoration: nothing is left untagged.
    assert drawn.count("BDC") == len(parts) and drawn.count("/Artifact BMC") == 1
    outside = re.sub(r"(?s)(?:BDC|BMC).*?\bEMC\b", "", drawn)
    assert not re.search(r"\b(?:Tj|TJ|S|re)\b", outside)


def test_a_day_is_the_persons_own_and_one_without_a_rating_has_no_mean() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # 00:30 of the 21st in Berlin
    rating = {"about": late.isoformat(), "pain": 4, "stress": 7}
    first = date(2026, 11, 20)
    days = daily_means([rating, {**rating, "pain": 5}], first, first + timedelta(days=1), BERLIN)
    assert [(day.day.day, day.pain, day.stress) for day in days] == [(20, None, None), (21, 4.5, 7)]


def test_who_is_asked_apart_has_a_page_with_that_answer(clinic: Clinic) -> None:
    """The page could not be made: the average of ratings that were not given."""
    stores, person = clinic.stores, clinic.people["ada"]
    rng = np.random.default_rng(3)
    begin = stores.now() - 41 * DAY
    for day in range(40):
        stress = int(rng.integers(2, 9))
        pain = int(np.clip(stress + rng.integers(-1, 2), 0, 10))
        at = begin + day * DAY
        for k, (p, s) in enumerate([(None, stress), (pain, None)]):
            about = at + 2 * k * HOUR
            stores.records.add_rating(
                Rating(new_id(), 1, person.id, about, about, person.zone, p, s, None, False)
            )
    page = loaded(clinic)
    (words,) = page.parts["Pain, stress and the heart"]
    assert words.startswith("Asked at different moments: Rated pain and rated stress moved")
    assert "40 pairs of ratings" in words and "a habit of one moment cannot make" in words
    lines = page.parts["In the last four weeks"]
    assert [line.split(":")[0] for line in lines] == ["Ratings", "Pain", "Stress"]
    text = " ".join(PdfReader(BytesIO(render_meeting_pdf(page))).pages[0].extract_text().split())
    assert "Asked at different moments: Rated pain and rated stress moved" in text


def test_ratings_of_pain_alone_have_no_average_of_stress(clinic: Clinic) -> None:
    stores, person = clinic.stores, clinic.people["ada"]
    at = stores.now() - DAY
    stores.records.add_rating(
        Rating(new_id(), 1, person.id, at, at, person.zone, 4, None, None, False)
    )
    lines = loaded(clinic).parts["In the last four weeks"]
    assert [line.split(":")[0] for line in lines] == ["Ratings", "Pain"]
