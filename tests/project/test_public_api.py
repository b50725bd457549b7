"""The public face of each package: its names, written out, and what importing it loads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import import_module

import pytest

# A name that is added or removed here is a change for those who import the package.
_NAMES = """
analytics: BeatArrays HrvWindows change_between correct_beats day_to_day_link group_link
    group_outcome hedges_g hrv_summary hrv_windows label_beats lagged_link person_report
    repeated_measures_correlation stress_index within_person_link
analytics.hrv: METRICS SLOW_BREATHING WINDOW_NS Beat BeatArrays BeatLabels CorrectedSeries
    Domain HrvSummary HrvWindows Metric MissingReason Movement Quality StressIndex
    StressIndexInput StressPeriods WindowMetrics concat_windows correct_beats extend_windows
    hrv_summary hrv_windows label_beats starts_by_stretch stress_index_of_periods window_metrics
analytics.nights: Agreement DaysAround NightLink NightQuestion NightSeries RestPeriod calmer_than
    days_around_nights device_agreement find_rest is_of_night night_links night_series
    waking_columns
analytics.association: Association AssociationText Comparison GroupLink HrvBeforeRating
    MissingPattern PersonSlope RmCorr Span Verdict WhatIf association_text day_to_day_link
    group_link lagged_link missing_pattern repeated_measures_correlation what_if_worse
    window_starts within_person_link
analytics.practice: ClinicEffects ClinicMoments ClinicPlan Coefficient Draw DrawError HarmCheck
    Interval IntervalSequence MediatedEffects MissingAnswers OfferEffect OfferText OfferVerdict
    OutcomeWords PersonDraws PersonPlan RandomisationTest TakingEffect Wcls block_name check_harm
    clinic_effects commitment derive_nonce draw_probability liao_power liao_sample_size make_draw
    mediated_effects missing_answers more_moments offer_effect offer_effect_by_look offer_sentence
    plan_clinic plan_person randomisation_test simulate_clinic_power taking_effect verify_draws
    wcls
analytics.programme: AroundSession Burst Change DayHours DueQuestionnaire GroupOutcome HedgesG
    NotedDays Occasion OccasionWindow Onset Pause PlanError PlannedPrompt PracticeEffect PromptPlan
    PromptReason ScoreChange ScoreValue Share Trend TriggerPattern around_sessions change_between
    changing_score check_answers draw_day find_concerns first_to_last_week follow_up group_outcome
    hedges_g onset plan_occasions practice_effect questionnaires_due score_answers score_change
    share trend trigger_pattern validate_plan wilson_interval
store: UNAVAILABLE AccessLogStore AccessStore BeatStore CareStore ErasureLedger ErasureScope
    ExportPinStore FhirExportStore IdempotencyStore JobStore LedgerContent LedgerErasure LedgerError
    LockoutStore NightStore OfferStore PasswordStore ProgrammeStore PromptStore RecordStore
    RequestCountStore ResearchStore SecondFactorStore StorageKeyStore StoreError Stores TokenStore
    hash_id open_stores
store.models: ERASED ERASURE_BEGUN OFFERED_KINDS PLANNED_BY_IMPORT PLANNED_BY_PERSON
    PLANNED_BY_PROGRAMME WITHDRAWAL_BEGUN WITHDRAWAL_DONE WITHDRAWAL_EMPTY AccessLogEntry
    AccessToken AttemptLimit Attempts AuditLine BaselineReason BaselineStart Beats CareProposal
    CareRecords Consent DailyWindows DecisionPoint ExportPin FhirExport HeartRateColumns
    IdempotentResponse ImportOutcome ImportResult ImportedHeartRate ImportedRating IndexMethod
    JobStatus Message NewJob NightsPut NotAvailable Note NoteKind OfferEnd OfferPlan OneTimePurpose
    OneTimeToken
    Passkey Person PlacedGap Practice PracticeKind Programme Prompt PromptState Purpose
    PushSubscription QuestionnaireResponse QueuedJob Rates Rating RecoveryCode ReminderPlan
    RemovedStream
    RequestCount Role Scope SessionNotes SkipReason StoreGeneration StoredNight StoredReport
    StreamCoverage TaskSuccess TherapySession TokenKind Totp Turn TurnResult Withdrawal pack_answers
store.maintenance: BACKUP_PREFIX BackupResult CopyResult IntegrityReport PlannedMove RebalancePlan
    RebalanceResult RestoreResult ServerState check_sqlite check_stores create_backup
    create_server_backup list_servers made_ns move move_people plan_rebalance remove_old_backups
    remove_stopped_restore remove_stopped_trial restore restore_server_backup set_drained
    trial_folder
ingest.nights: NIGHT_FORMATS Members NightFile NightFormat find_night_formats holds_nights
    open_members read_nights
ingest: BatchWriter Outbox Recorder SimulatedStrap Uploader import_recordings open_recording
api: create_app create_app_from_settings
dashboard: start_dashboard
phone: AppFile AppFiles load_files
ebbtide: ApiError Client SignedOutError UnavailableError __version__
ebbtide.client: ApiError Client Frames Research SignedOutError UnavailableError
"""
FACES = {
    face: names.split()
    for face, names in re.findall(r"^(\S+): ((?:.|\n    )+)", _NAMES, re.MULTILINE)
}

# What is loaded only when a name that needs it is used.
NOT_LOADED = {
    "phone": ["starlette", "fastapi", "numpy", "sqlalchemy"],
    "analytics": ["numpy", "scipy", "pandas"],
    "analytics.hrv": ["scipy", "pandas"],
    "analytics.association": ["scipy", "pandas"],
    "analytics.nights": ["numpy", "scipy", "pandas"],
    "analytics.practice": ["numpy", "scipy", "pandas"],
    "analytics.programme": ["scipy", "pandas"],
    "store": ["sqlalchemy", "alembic", "influxdb"],
    "store.models": ["sqlalchemy", "alembic", "influxdb"],
    "store.maintenance": ["sqlalchemy", "alembic", "influxdb"],
    "ingest": ["bleak", "httpx", "fitdecode"],
    "ingest.nights": ["bleak", "httpx", "fitdecode"],
    "api": ["fastapi", "starlette", "sqlalchemy", "scipy"],
    "dashboard": ["streamlit", "pandas", "altair", "httpx"],
    "ebbtide": ["httpx", "pandas", "pyarrow"],
    "ebbtide.client": ["pandas", "polars", "streamlit"],
}


@pytest.mark.parametrize("face", FACES)
def test_face_exports_these_names(face: str) -> None:
    module = import_module(face)
    assert list(module.__all__) == FACES[face]
    for name in FACES[face]:
        assert getattr(module, name) is not None, name
    with pytest.raises(AttributeError):
        _ = module.no_such_name


@pytest.mark.parametrize("face", FACES)
def test_importing_a_face_loads_nothing_heavy(face: str) -> None:
    code = f"import json, sys, {face}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert face in loaded
    assert sorted(loaded.intersection(NOT_LOADED[face])) == []
