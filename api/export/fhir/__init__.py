"""HL7 FHIR R4 (4.0.1): records as resources, and Observations as ratings and heart rates."""

from api.export.fhir.bundles import (
    operation_outcome,
    reasons_against_requests,
    response_bundle,
    search_bundle,
)
from api.export.fhir.capability import capability_statement
from api.export.fhir.pages import (
    Key,
    Page,
    count_matches,
    decode_key,
    find_observation,
    load_page,
    observations,
    records,
)
from api.export.fhir.parse import list_entries, parse_bundle
from api.export.fhir.prompts import prompt_resource
from api.export.fhir.questionnaires import (
    parse_response,
    questionnaire_id,
    questionnaire_resource,
    response_resource,
)
from api.export.fhir.resources import (
    Subject,
    Window,
    device_resource,
    heart_rate_resource,
    patient_resource,
    rating_resources,
    window_resources,
)
from api.export.fhir.search import (
    PATIENT_PARAMETERS,
    Search,
    SearchError,
    parse_count,
    parse_search,
)
from api.export.fhir.subjects import TwoPatientsError
from api.export.fhir.terms import (
    CODE_SYSTEM_ID,
    DEVICE_ID,
    HEART_RATE,
    LOINC,
    MEDIA_TYPE,
    OURS,
    PAIN,
    PERSON_ID,
    STRESS,
    UCUM,
    code_system,
)

__all__ = [
    "CODE_SYSTEM_ID",
    "DEVICE_ID",
    "HEART_RATE",
    "LOINC",
    "MEDIA_TYPE",
    "OURS",
    "PAIN",
    "PATIENT_PARAMETERS",
    "PERSON_ID",
    "STRESS",
    "UCUM",
    "Key",
    "Page",
    "Search",
    "SearchError",
    "Subject",
    "TwoPatientsError",
    "Window",
    "capability_statement",
    "code_system",
    "count_matches",
    "decode_key",
    "device_resource",
    "find_observation",
    "heart_rate_resource",
    "list_entries",
    "load_page",
    "observations",
    "operation_outcome",
    "parse_bundle",
    "parse_count",
    "parse_response",
    "parse_search",
    "patient_resource",
    "prompt_resource",
    "questionnaire_id",
    "questionnaire_resource",
    "rating_resources",
    "reasons_against_requests",
    "records",
    "response_bundle",
    "response_resource",
    "search_bundle",
    "window_resources",
]
