"""Questionnaires and their answers as FHIR R4 Questionnaire and QuestionnaireResponse, both ways.

A Questionnaire is known by a canonical of our own, or by LOINC's (``http://loinc.org/q/69737-5``);
an item by our id or its LOINC code; an answer by its LOINC code, our value or its ordinalValue.
Scores are items of the response, computed anew when one is read.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from analytics.programme import Occasion, check_answers
from api.export.fhir import terms
from api.export.fhir.resources import Resource, Subject
from api.export.fhir.values import parse_number, parse_time
from api.services.questionnaires import ImportedAnswers, ScoredResponse
from ebbtide.questionnaires import Item, Option, Questionnaire, QuestionnaireLibrary
from ebbtide.timestamps import floor_to_microsecond, validate_zone
from store.models import Person, QuestionnaireResponse

RESPONSE_ID = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'urn:ebbtide:response')}"
OCCASION_EXTENSION = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'urn:ebbtide:occasion')}"
_ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
_LOINC_FORM = f"{terms.LOINC}/q/"
_SCORE = "score-"
_STATUSES = ("completed", "amended")


def questionnaire_id(questionnaire: Questionnaire) -> str:
    """Return the id of the resource of a version."""
    return f"{questionnaire.id}-{questionnaire.version}".replace("_", ".")


def questionnaire_resource(questionnaire: Questionnaire) -> Resource:
    """Map a questionnaire, in its first language."""
    language = questionnaire.languages[0]
    resource: Resource = {
        "resourceType": "Questionnaire",
        "id": questionnaire_id(questionnaire),
        "language": language,
        "url": _url(questionnaire),
        "version": str(questionnaire.version),
        "title": questionnaire.name,
        "status": "active",
        "subjectType": ["Patient"],
        "publisher": questionnaire.licence.holder,
        "copyright": f"{questionnaire.licence.words} ({questionnaire.licence.source})",
        "purpose": questionnaire.source,
        "description": questionnaire.instruction[language],
    }
    if questionnaire.loinc is not None:
        resource["code"] = [{"system": terms.LOINC, "code": questionnaire.loinc}]
    resource["item"] = [_item(questionnaire, item, language) for item in questionnaire.items]
    return resource


def response_resource(scored: ScoredResponse, subject: Subject) -> Resource:
    """Map answers; those whose questionnaire is not here any more without words."""
    response, found = scored.response, scored.questionnaire
    status = "completed" if response.version == 1 else "amended"
    extensions = [{"url": terms.ZONE_EXTENSION, "valueCode": response.zone}]
    resource: Resource = {
        "resourceType": "QuestionnaireResponse",
        "id": subject.resource_id(response.id),
        **subject.meta(
            response.simulated,
            is_imported=response.imported,
            updated=subject.time(response.entered_ns, response.zone),
        ),
        "identifier": {"system": RESPONSE_ID, "value": response.id},
        "questionnaire": f"{_url_of(response.questionnaire)}|{response.definition_version}",
        "status": "entered-in-error" if response.withdrawn else status,
        "subject": subject.reference,
        "authored": subject.time(response.about_ns, response.zone),
        "_authored": {"extension": extensions},
        "language": response.language,
    }
    if response.occasion:
        resource["extension"] = [{"url": OCCASION_EXTENSION, "valueString": response.occasion}]
    values = response.values
    items: list[Resource] = []
    if found is None:
        items = [{"linkId": key, "answer": [{"valueInteger": v}]} for key, v in values.items()]
    else:
        for item in found.items:
            row: Resource = {"linkId": item.id, "text": item.text[response.language]}
            if item.id in values:
                option = next(o for o in found.options_of(item) if o.value == values[item.id])
                row["answer"] = [{"valueCoding": _coding(option, response.language)}]
            items.append(row)
    for score in scored.scores:
        row = {"linkId": f"{_SCORE}{score.id}", "text": score.name}
        if score.value is not None:
            row["answer"] = [{"valueDecimal": score.value}]
        items.append(row)
    resource["item"] = items
    return resource


def parse_response(
    resource: Mapping[str, Any], library: QuestionnaireLibrary, person: Person, now_ns: int
) -> QuestionnaireResponse:
    """Parse a QuestionnaireResponse of this person. Raises ValueError, KeyError or TypeError for
    what cannot be understood for certain.
    """
    if resource.get("status") not in _STATUSES:
        raise ValueError(f"its status is {resource.get('status')}")
    if "modifierExtension" in resource or "implicitRules" in resource:
        raise ValueError("its modifierExtension or implicitRules may change what it means")
    reference = (resource.get("subject") or {}).get("reference")
    if reference is not None and str(reference).split("/")[-2:] != ["Patient", person.id]:
        raise ValueError("it is of another patient")
    found = _find(str(resource["questionnaire"]), library)
    answers: dict[str, int] = {}
    _read_items(resource.get("item") or [], found, answers)
    if not answers:
        raise ValueError("it has no answer")
    check_answers(found, answers)
    about = floor_to_microsecond(parse_time(str(resource["authored"])))
    if about > now_ns:
        raise ValueError("it is of a time that has not been yet")
    zone = person.zone
    for extension in (resource.get("_authored") or {}).get("extension", []):
        if extension.get("url") == terms.ZONE_EXTENSION:
            zone = validate_zone(str(extension.get("valueCode")))
    occasion = ""
    for extension in resource.get("extension", []):
        if extension.get("url") == OCCASION_EXTENSION:
            occasion = str(Occasion(extension.get("valueString")))
    language = str(resource.get("language") or found.languages[0])
    if language not in found.languages:
        language = found.languages[0]
    identifier = resource.get("identifier") or {}
    own = identifier.get("value") if identifier.get("system") == RESPONSE_ID else None
    labels = (resource.get("meta") or {}).get("security", [])
    is_test = any(item.get("code") == "HTEST" for item in labels)
    return ImportedAnswers(
        *(answers, about, zone, occasion, language, None if own is None else str(own), is_test)
    ).to_response(found, person, now_ns)


def _item(questionnaire: Questionnaire, item: Item, language: str) -> Resource:
    row: Resource = {
        "linkId": item.id,
        "text": item.text[language],
        "type": "choice",
        "answerOption": [
            {"valueCoding": _coding(option, language)} for option in questionnaire.options_of(item)
        ],
    }
    if item.loinc is not None:
        row["code"] = [{"system": terms.LOINC, "code": item.loinc}]
    return row


def _coding(option: Option, language: str) -> Resource:
    coded = {"system": terms.LOINC, "code": option.loinc}
    return {
        "extension": [{"url": _ORDINAL, "valueDecimal": option.value}],
        **(coded if option.loinc is not None else {"code": str(option.value)}),
        "display": option.text[language],
    }


def _url_of(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:ebbtide:questionnaire:{name}')}"


def _url(questionnaire: Questionnaire) -> str:
    return _url_of(questionnaire.id)


def _find(canonical: str, library: QuestionnaireLibrary) -> Questionnaire:
    url, _, version = canonical.partition("|")
    for item in library.newest:
        if url == _url(item):
            found = library.find(item.id, int(version)) if version.isdecimal() else item
            if found is None:
                raise ValueError(f"version {version} of {item.id} is not here")
            return found
        if item.loinc is not None and url.removeprefix(_LOINC_FORM) == item.loinc:
            return item
    raise ValueError("its questionnaire is none that is here")


def _read_items(items: Any, found: Questionnaire, answers: dict[str, int]) -> None:
    """Read the answers of items, and of those inside groups."""
    by_link = {item.id: item for item in found.items}
    by_link.update({item.loinc: item for item in found.items if item.loinc is not None})
    for row in items:
        if "modifierExtension" in row:
            raise ValueError("an item has a modifierExtension, which is not read")
        link = str(row["linkId"])
        given = row.get("answer") or []
        item = by_link.get(link.removeprefix("/"))
        if item is not None and given:
            if len(given) > 1:
                raise ValueError(f"item {item.id!r} has several answers")
            answers[item.id] = _value(given[0], item, found)
        elif item is None and given and not link.startswith(_SCORE):
            raise ValueError(f"{found.short_name} has no item {link!r}")
        _read_items(row.get("item") or [], found, answers)


def _value(given: Mapping[str, Any], item: Item, found: Questionnaire) -> int:
    for name in ("valueInteger", "valueDecimal"):
        if name in given:
            number = parse_number(given[name])
            if number != int(number):
                raise ValueError(f"the answer to item {item.id!r} is {number}")
            return int(number)
    coding = given["valueCoding"]
    for option in found.options_of(item):
        is_loinc = coding.get("system") == terms.LOINC and coding.get("code") == option.loinc
        if is_loinc or ("system" not in coding and coding.get("code") == str(option.value)):
            return option.value
    for extension in coding.get("extension", []):
        if extension.get("url") == _ORDINAL:
            return int(parse_number(extension["valueDecimal"]))
    raise ValueError(
        f"the answer {coding.get('code')!r} to item {item.id!r} is none of its answers"
    )
