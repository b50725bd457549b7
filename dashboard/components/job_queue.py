"""The queue of jobs, for administrators: what waits, runs and failed, and trying one again."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_day_and_time
from dashboard.i18n.language import N_, _
from dashboard.session import to_own_clock

_TASKS = {
    "nightly": N_("Nightly analysis: of whom"),
    "analyse": N_("Analysis of a person"),
    "caseload": N_("Changes on caseloads"),
    "retention": N_("Retention"),
}
_STATES = {"waiting": N_("waits"), "running": N_("runs"), "failed": N_("did not go well")}
_RETRIED = 5  # buttons; further ones come when these are done


def show_job_queue(api: Any) -> None:
    """Render the queue; nothing where there is none, as in the embedded store."""
    queue = api.operation_jobs()
    if not queue["is_there"]:
        return
    st.subheader(_("Jobs"))
    if not queue["workers"]:
        st.write(_("No process works at the jobs: start the API or ebbtide worker."))
    st.write(
        _(
            "{waiting} wait, {running} run, {ended} did not go well. {workers} processes work."
        ).format(
            waiting=queue["waiting"],
            running=queue["running"],
            ended=queue["failed"],
            workers=queue["workers"],
        )
    )
    if queue["jobs"]:
        st.dataframe(
            pd.DataFrame([_describe(job) for job in queue["jobs"]]),
            hide_index=True,
            width="stretch",
        )
    failed = [job for job in queue["jobs"] if job["state"] == "failed"]
    for job in failed[:_RETRIED]:
        words = _("Try {number} again").format(number=job["id"])
        if st.button(words, key=f"retry-job-{job['id']}"):
            api.operation_retry_job(job["id"])
            st.rerun()


def _describe(job: dict[str, Any]) -> dict[str, Any]:
    return {
        _("Number"): str(job["id"]),
        _("Job"): _name(job["task"]),
        _("Of"): job["subject"][:8] or "–",
        _("State"): _(_STATES[job["state"]]),
        _("Again"): "–" if job["due"] is None else format_day_and_time(to_own_clock(job["due"])),
        _("What went wrong"): say(job["reason"]) or "–",
        _("Machine"): job["machine"] or "–",
    }


def _name(task: str) -> str:
    return _(_TASKS[task]) if task in _TASKS else task
