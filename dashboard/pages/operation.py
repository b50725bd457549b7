"""For administrators: whether the service is well, consents, the access log, what is kept."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.job_queue import show_job_queue
from dashboard.components.plain import escape_markdown
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_day_and_time, format_number
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page
from dashboard.session import client, to_own_clock

_PARTS = {
    "health": N_("Is it well?"),
    "consents": N_("Consents"),
    "log": N_("Who looked"),
    "kept": N_("Kept and erased"),
}
_JOBS = {
    "nightly": N_("Nightly analysis"),
    "backup": N_("Backup"),
    "retention": N_("Retention"),
}
# Each with what it needs to do its work every day: a backup a new folder, retention leave to erase.
_DAILY = {
    "nightly": "--at 02:30 nightly",
    "backup": "--at 03:00 backup --in /srv/backups",
    "retention": "--at 02:30 retention --apply",
}
_LOG_ROWS = 200
_MIN_CERTIFICATE_DAYS = 14  # renewals by ACME come 30 days before the end


def operation_page() -> None:
    """Render one of four parts, so that no page is long."""
    st.title(_("Running it"))
    part = st.segmented_control(
        _("What"),
        list(_PARTS),
        default="health",
        required=True,
        format_func=lambda name: _(_PARTS[name]),
        label_visibility="collapsed",
    )
    api = client()
    {"health": _health, "consents": _consents, "log": _log, "kept": _kept}[part or "health"](api)


def _health(api: Any) -> None:
    state = api.operation_state()
    away = [item for item in state["stores"] if not item["answers"]]
    failed = [item for item in state["jobs"] if item["problem"]]
    lines = [
        _("The store of {name} does not answer ({problem}).").format(
            name=say(item["name"]), problem=item["problem"]
        )
        for item in away
    ]
    lines += [_describe_problem(item) for item in failed]
    if not state["backups"]:
        lines.append(_("No backup was made by this installation yet: ebbtide backup."))
    elif all(item["tried"] is None for item in state["backups"]):
        lines.append(_("No backup was put back to try it yet: ebbtide store try-backup."))
    if any(item["is_whole"] is False for item in state["backups"]):
        lines.append(_("A backup that was tried could not be read: make a new one, and try that."))
    certificate, ending = _describe_certificate(state["certificate"])
    lines += ending
    if lines:
        st.write(_("**To look at:**"))
        for line in lines:
            st.write(f"- {escape_markdown(line)}")
    else:
        st.write(_("**All is well.** Stores answer, jobs ran, there is a backup."))
    recorders = state["recorders"]
    rows = [
        (_("Version"), state["version"]),
        (
            _("Stores"),
            _("answer") if not away else ", ".join(say(item["name"]) for item in away),
        ),
        (
            _("Recorders and phones"),
            _("{signed_in} signed in, {silent} not seen for a day").format(
                signed_in=recorders["signed_in"], silent=recorders["silent"]
            ),
        ),
        (_("Longest unseen"), _when(recorders["longest_unseen"])),
        (_("Mail"), _("is set") if state["mail"] else _("is not set: codes are handed over")),
        (_("Certificate"), certificate),
        *((_(_JOBS[item["name"]]), _describe_job(item)) for item in state["jobs"]),
    ]
    # Escaped: a German date, "3. März", would else begin a list.
    cells = [(what, escape_markdown(value)) for what, value in rows]
    st.table(pd.DataFrame(cells, columns=[_("What"), _("Now")]).set_index(_("What")))
    st.caption(
        _(
            "A recorder that was not seen for a day may hold heartbeats that are not here yet; it "
            "sends them when it is back."
        )
    )
    show_job_queue(api)
    _backups(state["backups"])


def _describe_problem(item: dict[str, Any]) -> str:
    words = _("{job}: {problem}.").format(job=_(_JOBS[item["name"]]), problem=say(item["problem"]))
    if item["problem"] != "it is not running":
        return words
    command = f"ebbtide daily {_DAILY[item['name']]}"
    if item["name"] == "backup":
        return words + " " + _("This starts it: {command}.").format(command=command)
    how = _("This starts it: {command}; where jobs are queued, {worker}.")
    return words + " " + how.format(command=command, worker="ebbtide worker")


def _describe_job(item: dict[str, Any]) -> str:
    if item["succeeded"] is None:
        done = _("not done yet")
    else:
        done = _("last done {last}").format(last=_when(item["succeeded"]))
    if item["next"] is None:
        return done
    return done + ", " + _("next {next}").format(next=_when(item["next"]))


def _describe_certificate(found: dict[str, Any] | None) -> tuple[str, list[str]]:
    """Say until when the certificate of the pages' address is good, and what to look at."""
    if found is None:
        return _("not known: EBBTIDE_DASHBOARD_URL is no https address"), []
    host = found["host"]
    if found["ends"] is None:
        words = _("of {host}: could not be read from here ({problem})")
        return words.format(host=host, problem=found["problem"]), []
    ends = pd.Timestamp(found["ends"])
    said = _("of {host}, good until {when}").format(host=host, when=_when(found["ends"]))
    days = (ends - pd.Timestamp.now(tz="UTC")).days
    if days >= _MIN_CERTIFICATE_DAYS:
        return said, []
    words = (
        _("The certificate of {host} ended on {when}: renew it.")
        if days < 0
        else _("The certificate of {host} ends on {when}: renew it.")
    )
    return said, [words.format(host=host, when=_when(found["ends"]))]


def _backups(backups: list[dict[str, Any]]) -> None:
    st.subheader(_("Backups"))
    if not backups:
        st.write(_("None is known."))
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    _("Made"): _when(item["made"]),
                    _("Folder"): item["folder"],
                    _("There"): _("yes") if item["is_there"] else _("not from here"),
                    _("Restore tried"): _describe_trial(item),
                }
                for item in backups
            ]
        ),
        hide_index=True,
        width="stretch",
    )
    st.caption(
        _(
            "Each copy was read and checked when it was made. Whether it can be put back, a try "
            "shows, which leaves the store as it is: ebbtide store try-backup."
        )
    )


def _describe_trial(item: dict[str, Any]) -> str:
    if item["tried"] is None:
        return _("never")
    words = _("{when}, all was read") if item["is_whole"] else _("{when}, it could not be read")
    return words.format(when=_when(item["tried"]))


def _consents(api: Any) -> None:
    rows = api.operation_consents()
    if not rows:
        st.write(_("There are no patients yet."))
        return
    names = {
        "agreed": _("agreed"),
        "unanswered": _("not answered"),
        "withdrawn": _("taken back"),
        "over": _("over"),
    }
    counts = {
        key: sum(row[key] is True or row[key] == "agreed" for row in rows)
        for key in ("keeping", "care", "research")
    }
    st.write(
        _(
            "Of {all} patients, {keeping} agree that data are kept, {care} that their therapist "
            "sees them, {research} to research. Only they can change it."
        ).format(all=len(rows), **counts)
    )
    st.dataframe(
        pd.DataFrame(
            [
                {
                    _("Name"): row["name"],
                    _("Keeping"): names.get(row["keeping"], row["keeping"]),
                    _("Therapist"): _("yes") if row["care"] else _("no"),
                    _("Research"): _("yes") if row["research"] else _("no"),
                    _("Last answer"): _when(row["answered"]),
                }
                for row in rows
            ]
        ),
        hide_index=True,
        width="stretch",
    )


def _log(api: Any) -> None:
    before = st.session_state.get("log-before")
    found = api.operation_access_log(_LOG_ROWS, before)
    st.write(_("Who used whose data, newest first. Each person sees their own part."))
    if not found["entries"]:
        st.write(_("Nobody has looked at anything yet."))
    else:
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        _("When"): _when(row["at"]),
                        _("Who"): f"{_(who)} ({say(row['role'])})",
                        _("Whose"): _(whose),
                        _("What"): _(what),
                    }
                    for row in found["entries"]
                    for who, whose, what in [(row["who"], row["whose"], row["what"])]
                ]
            ),
            hide_index=True,
            width="stretch",
        )
    left, right = st.columns(2)
    if found["next"] is not None and left.button(_("Older"), width="stretch"):
        st.session_state["log-before"] = found["next"]
        st.rerun()
    if before is not None and right.button(_("Newest"), width="stretch"):
        st.session_state["log-before"] = None
        st.rerun()


def _kept(api: Any) -> None:
    state, found = api.operation_state(), api.operation_retention()
    if state["keep_days"] is None:
        st.write(_("Data are kept until the person takes consent back, or it is over."))
    else:
        st.write(
            _("Data are kept until nothing new came for {days} days (EBBTIDE_KEEP_DAYS).").format(
                days=state["keep_days"]
            )
        )
    st.write(
        _("Whoever takes consent back: their data are erased {hours} hours later.").format(
            hours=format_number(state["withdrawal_hours"])
        )
    )
    if found["expired"]:
        st.subheader(_("May not be kept any longer"))
        for item in found["expired"]:
            words = _("{name}: {reason} (since {since})").format(
                name=item["name"], reason=say(item["reason"]), since=_when(item["since"])
            )
            st.write(f"- {escape_markdown(words)}")
        st.caption(
            _("Erase them on the page People, one by one, or all: ebbtide retention --apply.")
        )
    else:
        st.write(_("Everybody's data may be kept."))
    st.subheader(_("Erased"))
    if not found["erasures"]:
        st.write(_("Nobody was erased yet."))
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    _("When"): _when(item["at"]),
                    _("What"): _("account and data") if item["with_account"] else _("data"),
                    _("State"): _("read again: nothing is left")
                    if item["finished"]
                    else _("goes on"),
                    _("Number"): item["id"][:8],
                }
                for item in found["erasures"]
            ]
        ),
        hide_index=True,
        width="stretch",
    )
    st.caption(_("The ledger has no names: it cannot be told from it who it was."))


def _when(moment: str | None) -> str:
    return "–" if moment is None else format_day_and_time(to_own_clock(moment))


PAGE = Page(
    run=operation_page,
    title=N_("Running it"),
    icon=":material/monitor_heart:",
    slug="operation",
    roles={"administrator"},
)
