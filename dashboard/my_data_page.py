"""What is kept of me: agree, download, correct, see who looked, erase."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import texts
from dashboard.choosing import chosen
from dashboard.client import ApiError
from dashboard.person import client, sign_out

_TABLES = {
    "ratings": "Ratings",
    "hrv": "Heart rate variability, five minutes each",
    "beats": "Heartbeats",
    "sessions": "Meetings",
    "link": "My link",
}


def my_data_page() -> None:
    """One part after the other; nothing hidden."""
    st.title("My data")
    api = client()
    _consents(api)
    _sharing(api)
    _how_often(api)
    _download(api)
    _correct(api)
    _looks(api)
    _erase(api)


def _consents(api: Any) -> None:
    st.subheader("What I agree to")
    told = api.consents()
    holds = told["holds"]
    answered = {answer["purpose"] for answer in told["answers"]}
    for purpose, (title, words) in texts.CONSENT.items():
        now = bool(holds[purpose])
        wanted = st.toggle(title, value=now, key=f"consent-{purpose}-{now}")
        st.caption(words if purpose in answered else f"{words} You have not answered this yet.")
        if wanted != now:
            api.agree(purpose, wanted, f"{purpose}, {texts.WORDING}")
            st.rerun()
    therapists = api.therapists()
    if therapists:
        st.caption(f"In the care of {', '.join(item['name'] for item in therapists)}.")


def _sharing(api: Any) -> None:
    until = api.live_sharing()["until"]
    st.subheader("Live heart for my therapist")
    if until is None:
        st.write("Off. You can let your therapist watch your heart for an hour, for a meeting.")
        if st.button("Share for an hour"):
            api.share_live(60)
            st.rerun()
        return
    st.write(f"On until {datetime.fromisoformat(until):%H:%M}.")
    if st.button("Stop sharing"):
        api.share_live(0)
        st.rerun()


def _how_often(api: Any) -> None:
    st.subheader("How often I am asked")
    now = api.programme()["ratings_a_day"]
    names = {0: "never", 1: "once a day", 2: "twice a day", 3: "three times", 4: "four times"}
    wanted = st.select_slider("Ratings", list(names), value=now, format_func=names.__getitem__)
    st.caption(texts.LESS_OFTEN)
    if wanted != now:
        api.put_programme(ratings_a_day=wanted)
        st.rerun()


def _download(api: Any) -> None:
    st.subheader("Take it with me")
    table = st.selectbox("What", list(_TABLES), format_func=_TABLES.__getitem__)
    form = st.radio("As", ["csv", "parquet"], horizontal=True)
    st.download_button(
        "Download",
        lambda: api.export_bytes(table, form),
        file_name=f"ebbtide-{table}.{form}",
        mime="text/csv" if form == "csv" else "application/vnd.apache.parquet",
    )
    st.download_button(
        "Download for a clinic (FHIR)",
        lambda: json.dumps(api.fhir()),
        file_name="ebbtide-fhir.json",
        mime="application/fhir+json",
    )


def _correct(api: Any) -> None:
    st.subheader("Correct a rating")
    end = datetime.now(UTC) + timedelta(minutes=1)
    found = api.rating_list(end - timedelta(days=60), end)[::-1]
    if not found:
        st.caption("No ratings in the last two months.")
        return

    def told(rating: dict[str, Any]) -> str:
        return (
            f"{datetime.fromisoformat(rating['about']):%-d %b %H:%M}: pain {rating['pain']}, "
            f"stress {rating['stress']}"
        )

    row = chosen("Which", found, told)
    left, right = st.columns(2)
    pain = left.number_input("Pain", 0, 10, row["pain"], key=f"p-{row['id']}-{row['version']}")
    stress = right.number_input(
        "Stress", 0, 10, row["stress"], key=f"s-{row['id']}-{row['version']}"
    )
    keep = {key: row[key] for key in ("pleasant", "note", "pleasant_note", "version")}
    if left.button("Correct it", width="stretch"):
        api.correct(row["id"], {**keep, "pain": pain, "stress": stress})
        st.rerun()
    if right.button("Withdraw it", width="stretch"):
        api.withdraw(row["id"], row["version"])
        st.rerun()


def _looks(api: Any) -> None:
    st.subheader("Who looked")
    looks = api.looks()
    if not looks:
        st.write("Nobody but you.")
        return
    rows = [
        {
            "When": datetime.fromisoformat(look["at"]).strftime("%-d %b %H:%M"),
            "Who": f"{look['who']} ({look['role']})",
            "At what": look["what"].rpartition("/")[2],
        }
        for look in looks[:50]
    ]
    st.table(pd.DataFrame(rows).set_index("When"))


def _erase(api: Any) -> None:
    st.subheader("Erase everything")
    with st.expander("Erase all that is kept of me"):
        st.write(
            "Heartbeats, ratings, notes, practices, meetings and the account: gone for good. Older "
            "backups of the clinic hold what they held until they are replaced."
        )
        with st.form("erase", border=False):
            password = st.text_input("Your password", type="password")
            sure = st.checkbox("I am sure")
            if st.form_submit_button("Erase") and sure and password:
                try:
                    api.erase_me(password)
                except ApiError as error:
                    st.warning(str(error))
                    return
                sign_out()
                st.rerun()
