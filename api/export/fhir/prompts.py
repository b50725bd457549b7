"""Prompts as FHIR R4 Communication: when and how a person was asked, and what became of it.

``about`` are the Observations that answer it. What R4 has no field for (when it was planned, the
chance of its draw, what it asks for, when it was opened, let go or put off) are extensions of ours.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from api.export.fhir.resources import Resource, Subject, rating_resources
from store.models import Prompt, PromptState, Rating

PROMPT_ID = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'urn:ebbtide:prompt')}"
PLANNED, CHANCE, ASKS, OPENED, LET_GO, PUT_OFF = (
    f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:ebbtide:prompt-{name}')}"
    for name in ("planned", "chance", "asks", "opened", "let-go", "put-off")
)
_STATUS = {
    PromptState.PLANNED: "preparation",
    PromptState.SENDING: "in-progress",
    PromptState.SENT: "completed",
    PromptState.SKIPPED: "not-done",
}
_REMINDER = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/communication-category",
            "code": "reminder",
            "display": "Reminder",
        }
    ]
}


def prompt_resource(prompt: Prompt, ratings: Iterable[Rating], subject: Subject) -> Resource:
    """Map a prompt; ``ratings``: those that answer it."""

    def moment(instant_ns: int) -> str:
        return subject.time(instant_ns, prompt.zone)

    extensions: list[Resource] = [
        {"url": PLANNED, "valueDateTime": moment(prompt.planned_ns)},
        {"url": CHANCE, "valueDecimal": prompt.chance},
        {"url": ASKS, "valueCode": prompt.asks},
    ]
    for url, instant_ns in (
        (OPENED, prompt.opened_ns),
        (LET_GO, prompt.let_go_ns),
        (PUT_OFF, prompt.put_off_ns),
    ):
        if instant_ns is not None:
            extensions.append({"url": url, "valueDateTime": moment(instant_ns)})
    resource: Resource = {
        "resourceType": "Communication",
        "id": subject.resource_id(prompt.id),
        **subject.meta(prompt.simulated),
        "extension": extensions,
        "identifier": [{"system": PROMPT_ID, "value": prompt.id}],
        "status": _STATUS[prompt.state],
        "category": [_REMINDER],
        "subject": subject.reference,
        "recipient": [subject.reference],
        "reasonCode": [{"text": prompt.reason}],
    }
    if prompt.skip_reason is not None:
        resource["statusReason"] = {"text": prompt.skip_reason}
    if ways := prompt.ways.split():
        resource["medium"] = [{"text": way} for way in ways]
    if prompt.sent_ns is not None:
        resource["sent"] = moment(prompt.sent_ns)
    if prompt.delivered_ns is not None:
        resource["received"] = moment(prompt.delivered_ns)
    about = [
        {"reference": f"Observation/{observation['id']}"}
        for rating in ratings
        for _, observation in rating_resources(rating, subject)
    ]
    if about:
        resource["about"] = about
    return resource
