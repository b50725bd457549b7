"""HTTP routes, by subject.

``ROUTERS`` are mounted under ``/v1`` in this order: the busiest paths come first, and a fixed path
comes before a parameterised one that would match it. ``PATIENT_ROUTERS`` are mounted once more
under ``/v1/patients/{patient}``: what patients read of themselves, their therapist may read.

A new module of routes is listed here: its ``router`` (mounted under ``/v1`` alone) in ``ROUTERS``,
its ``shared`` (mounted twice, with ``deps.PatientInScope``) in ``_SHARED``.
"""

from __future__ import annotations

from fastapi import APIRouter

from api.routes import health
from api.routes.analysis import baseline, first_days, hrv, hrv_trend, link, live, therapy
from api.routes.auth import (
    devices,
    first_run,
    invitations,
    oidc,
    passkeys,
    second_factors,
    sign_in,
    tokens,
)
from api.routes.export import fhir, fhir_export, open_mhealth
from api.routes.export import tables as export_tables
from api.routes.patient_data import (
    messages,
    nights,
    notes,
    offers,
    practices,
    programme,
    questionnaires,
    ratings,
    recorder,
    reminders,
    session_notes,
    sessions,
    streams,
)
from api.routes.people import (
    access_log,
    accounts,
    caseload,
    computer,
    consents,
    erasure,
    jobs,
    operation,
)
from api.routes.research import clinic_offers, cohort_link
from api.routes.research import tables as research_tables

_SHARED: tuple[APIRouter, ...] = (
    ratings.shared,
    sessions.shared,
    streams.shared,
    hrv.shared,
    hrv_trend.shared,
    baseline.shared,
    link.shared,
    therapy.shared,
    live.shared,
    export_tables.shared,
    fhir.shared,
    open_mhealth.shared,
    notes.shared,
    practices.shared,
    programme.shared,
    questionnaires.shared,
    reminders.shared,
    offers.shared,
    nights.shared,
)
ROUTERS: tuple[APIRouter, ...] = (
    streams.router,
    sign_in.router,
    ratings.router,
    live.router,
    recorder.router,
    first_days.router,
    baseline.router,
    notes.router,
    practices.router,
    programme.router,
    questionnaires.router,
    reminders.router,
    offers.router,
    nights.router,
    messages.router,
    session_notes.router,
    tokens.router,
    devices.router,
    oidc.router,
    invitations.router,
    first_run.router,
    passkeys.router,
    second_factors.router,
    accounts.router,
    operation.router,
    jobs.router,
    operation.accounts,
    computer.router,
    caseload.router,
    access_log.router,
    consents.router,
    erasure.router,
    cohort_link.router,  # before the research tables, whose names are a path parameter
    clinic_offers.router,
    research_tables.router,
    fhir_export.router,  # before fhir, whose ids are a path parameter
    fhir.router,
    open_mhealth.router,
    health.router,
    *_SHARED,
)
PATIENT_ROUTERS: tuple[APIRouter, ...] = (
    *_SHARED,
    messages.of_patient,
    session_notes.of_patient,
    caseload.of_patient,
    reminders.of_patient,
    offers.of_patient,
)
