"""For analysts: a token for scripts, tables with a preview, and calls that work as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dashboard.client import ApiError
from dashboard.components.plain import escape_markdown
from dashboard.i18n.formatting import format_day_and_time, format_long_day
from dashboard.i18n.language import N_, _
from dashboard.session import to_own_clock
from ebbtide.settings import Settings

TABLES = {
    "ratings": N_("Ratings of pain and stress"),
    "scores": N_("Scores of questionnaires"),
    "hrv": N_("Heart rate variability of five minutes each"),
    "stress_before": N_("Stress index of the half hour before each rating"),
    "sessions": N_("Meetings"),
    "prompts": N_("Prompts, and what became of each"),
    "decision_points": N_("Practice by lot: each draw"),
    "gaps": N_("Times without heartbeats"),
    "heart_rates": N_("Heart rates from elsewhere"),
    "link": N_("The link of each person"),
    "nights": N_("Nights of watches and rings"),
    "beats": N_("Every heartbeat"),
}
_ENDS = {"parquet": "parquet", "csv": "csv", "arrow": "arrows"}
_TOO_LARGE = {"beats"}  # for a page, which holds a file in memory: a script reads it in parts
_PREVIEW_ROWS = 5
_MAX_NAMED = 1000  # as many as the API takes
_NEW_TOKEN = "new-script-token"
_CHOICE = "research-choice"


def api_address() -> str:
    """The address of the API. In a clinic's containers the pages reach it at another one."""
    settings = Settings()
    return (settings.oidc_api_url or settings.api_url).rstrip("/")


def render_tokens(api: Any) -> None:
    """Render the tokens of scripts, a form for another, and how one ends."""
    st.subheader(_("A token for scripts"))
    made = st.session_state.get(_NEW_TOKEN)
    if made is not None:
        st.write(_("Here it is, shown only now. Who has it reads what you read:"))
        st.code(made["token"], language=None, wrap_lines=True)
        st.caption(
            _("It ends on {day}. In a terminal: export EBBTIDE_TOKEN=...").format(
                day=format_long_day(to_own_clock(made["expires"]))
            )
        )
    with st.form("script-token", border=False):
        left, right = st.columns(2)
        name = left.text_input(_("What for"), placeholder=_("such as: my notebook"))
        days = right.number_input(_("Days until it ends"), 1, 366, 90)
        if st.form_submit_button(_("Make a token")):
            try:
                st.session_state[_NEW_TOKEN] = api.new_script_token(
                    name.strip() or _("script"), int(days)
                )
            except ApiError as error:
                st.warning(str(error))
            else:
                st.rerun()
    for token in [item for item in api.tokens() if item["kind"] == "script"]:
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.write(escape_markdown(token["name"]))
        left.caption(
            _("used last {used}, ends {expires}").format(
                used=format_day_and_time(to_own_clock(token["used"])),
                expires=format_long_day(to_own_clock(token["expires"])),
            )
        )
        # What a script does with it ends at once; another can be made: no question before.
        if right.button(_("Revoke"), key=f"revoke-{token['id']}", width="stretch"):
            try:
                api.revoke_token(token["id"])
            except ApiError as error:
                st.warning(str(error))
                continue
            if made is not None and made["id"] == token["id"]:
                del st.session_state[_NEW_TOKEN]
            st.rerun()


def render_tables(research: Any, found: list[dict[str, Any]], min_people: int) -> None:
    """Render a table's first rows, its download, and the calls that give it."""
    st.subheader(_("Tables"))
    names = shorten_pseudonyms([row["person"] for row in found])
    kept = _kept_choice(names)
    for sentence in kept.say_lost(min_people):
        st.warning(sentence)
    table = st.selectbox(
        _("Table"),
        list(TABLES),
        index=list(TABLES).index(kept.table),
        format_func=lambda name: _(TABLES[name]),
    )
    form = st.radio(_("Form"), list(_ENDS), index=list(_ENDS).index(kept.form), horizontal=True)
    people = st.multiselect(
        _("People (at least five, or all if none)"),
        list(names),
        default=kept.people,
        placeholder=_("Choose"),
    )
    _keep_choice(table, form, people)
    # A choice stays what it is when others join; only of more than an address takes, all are all.
    is_all = len(people) == len(names) > _MAX_NAMED
    ids = [] if is_all else [names[name] for name in people]
    if ids and (len(ids) < min_people or len(ids) > _MAX_NAMED):
        st.warning(
            _("Choose {min_people} to {most} people, or nobody for all of them.").format(
                min_people=min_people, most=_MAX_NAMED
            )
        )
        return
    only = {"person": ids} if ids else {}
    if st.button(_("Show the first rows")):
        try:
            rows = research.preview(table, _PREVIEW_ROWS, **only)
        except ApiError as error:
            st.warning(str(error))
        else:
            if rows:
                st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
            else:
                st.write(_("There is nothing in this table yet."))
    if table in _TOO_LARGE:
        st.caption(_("This table is too large for a page: read it with one of the calls below."))
    else:
        st.download_button(
            _("Download {file}").format(file=f"{table}.{_ENDS[form]}"),
            partial(research.file, table, _ENDS[form], **only),
            file_name=f"{table}.{_ENDS[form]}",
            mime="application/octet-stream",
        )
    st.caption(
        _(
            "The address of this page keeps the choice: a bookmark of it is a saved query. "
            "Pseudonyms are your own, so other accounts see all people instead."
        )
    )
    calls = make_calls(api_address(), table, ids)
    st.caption(_("The same, as a script: each works as it stands once EBBTIDE_TOKEN is set."))
    python, r, shell = st.tabs(["Python", "R", _("Shell")])
    python.code(calls["python"], language="python", wrap_lines=True)
    r.code(calls["r"], language="r", wrap_lines=True)
    shell.code(calls["shell"], language="sh", wrap_lines=True)
    address = api_address()
    st.caption(
        _("Every table and parameter: {address}/openapi.json").format(address=address)
        + " · "
        + _("Columns: {address}/v1/research/datapackage.json").format(address=address)
        + " · "
        + _("Guide: docs/guides/analyst.md in the source.")
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the address of the page says of a table; what it cannot be is left out and said."""

    table: str
    form: str
    people: list[str]
    named: int
    unknown: list[str]

    def say_lost(self, min_people: int) -> list[str]:
        """What of the address is not shown: without it, a bookmark would be another query."""
        said = []
        if self.unknown:
            said.append(
                _("The address of this page names what there is not: {names}.").format(
                    names=", ".join(escape_markdown(name[:40]) for name in self.unknown[:5])
                )
            )
        lost = self.named - len(self.people)
        if lost and self.people:
            said.append(
                _(
                    "{lost} of the {named} people in the address of this page are no longer there: "
                    "the choice is of {left}."
                ).format(lost=lost, named=self.named, left=len(self.people))
            )
        elif lost:
            said.append(
                _(
                    "None of the people in the address of this page is there (pseudonyms of "
                    "another account, or taken back): these are all people."
                )
            )
        return said


def shorten_pseudonyms(people: list[str]) -> dict[str, str]:
    """Pseudonyms by their first letters: eight, or as many more as tell all of them apart."""
    length = 8
    while len({name[:length] for name in people}) < len(set(people)):
        length += 1
    return {name[:length]: name for name in people}


def _kept_choice(names: dict[str, str]) -> _Choice:
    """Read the choice that the page began with. Later ones are the widgets' own."""
    kept: _Choice | None = st.session_state.get(_CHOICE)
    if kept is None:
        table, form = (st.query_params.get(name, "") for name in ("table", "form"))
        # Each once: a choice that holds one twice is none of Streamlit's.
        named = list(dict.fromkeys(st.query_params.get_all("person")))
        unknown = [name for name in st.query_params if name not in ("table", "form", "person")]
        kept = _Choice(
            table if table in TABLES else next(iter(TABLES)),
            form if form in _ENDS else next(iter(_ENDS)),
            [name for name in named if name in names],
            len(named),
            [
                *([table] if table and table not in TABLES else []),
                *([form] if form and form not in _ENDS else []),
                *unknown,
            ],
        )
        st.session_state[_CHOICE] = kept
    return kept


def _keep_choice(table: str, form: str, people: list[str]) -> None:
    wanted = {"table": table, "form": form, "person": people}
    current = {name: st.query_params.get(name) for name in ("table", "form")}
    if current != {"table": table, "form": form} or st.query_params.get_all("person") != people:
        st.query_params.from_dict(wanted)


def make_calls(address: str, table: str, ids: list[str]) -> dict[str, str]:
    """Write what reads a table: Python with pandas, R alone, and curl."""
    query = urlencode([("person", person_id) for person_id in ids])
    path = f"{address}/v1/research/{table}.csv" + (f"?{query}" if query else "")
    return {
        "python": (
            "import os\n\nimport pandas as pd\n\n"
            f'address = "{path}"\n'
            'headers = {"Authorization": "Bearer " + os.environ["EBBTIDE_TOKEN"]}\n'
            f"{table} = pd.read_csv(address, storage_options=headers)\n"
            f"print({table}.head())"
        ),
        "r": (
            f'address <- "{path}"\n'
            'headers <- c(Authorization = paste("Bearer", Sys.getenv("EBBTIDE_TOKEN")))\n'
            f"{table} <- read.csv(url(address, headers = headers))\n"
            f"head({table})"
        ),
        "shell": (
            f"curl -f -H \"Authorization: Bearer $EBBTIDE_TOKEN\" \\\n  '{path}' -o {table}.csv"
        ),
    }
