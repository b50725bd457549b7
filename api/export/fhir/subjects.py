"""Whose data a Bundle holds: the ``subject`` of each Observation, resolved inside the Bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.export.fhir import terms


class TwoPatientsError(ValueError):
    """A Bundle of more than one patient."""


@dataclass(frozen=True, slots=True)
class SubjectCheck:
    """Who the entries of a Bundle are about: the one ``patient`` in it, None where there is none,
    and whether that is the person who is signed in.
    """

    patient: str | None
    is_person: bool

    def reason_against(self, resource: Mapping[str, Any]) -> str | None:
        """Why an Observation cannot be the person's, or None."""
        if self.is_person or self.patient is None:
            return None
        if resource.get("subject") is None:
            return f"it names no subject, and the others of this Bundle are of {self.patient}"
        return (
            f"its subject is {self.patient}, not the person who is signed in; if that is what they"
            " are called there, send it with ?subject="
        )


def check_subjects(entries: list[Any], person_id: str, alias: str | None) -> SubjectCheck:
    """Find the one patient of a Bundle, and whether it is this person, who may be called ``alias``
    in it. Raises TwoPatientsError.
    """
    patients = _patients(entries)
    found: dict[str, bool] = {}
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            continue
        if resource.get("resourceType") == "Patient":
            name = _name_of(entry, resource)
            found[name] = found.get(name, False) or _is_person(resource, name, person_id, alias)
        elif isinstance(resource.get("subject"), dict):
            reference, identified = _reference(resource["subject"])
            patient = patients.get(reference) or patients.get(_relative(reference))
            if patient is not None:
                continue  # counted by its entry
            is_person = identified == person_id or _is_called(reference, person_id, alias)
            name = person_id if is_person else reference or identified or "someone without a name"
            found[name] = found.get(name, False) or is_person
    if len(found) > 1 and not all(found.values()):
        names = " and ".join(sorted(found)[:3])
        raise TwoPatientsError(f"holds more than one patient ({names}): send one at a time")
    patient = next(iter(found), None)
    return SubjectCheck(patient, any(found.values()))


def _patients(entries: list[Any]) -> dict[str, str]:
    """Of each way to refer to a Patient of the Bundle, its name."""
    names: dict[str, str] = {}
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "Patient":
            name = _name_of(entry, resource)
            for way in (entry.get("fullUrl"), f"Patient/{resource.get('id')}"):
                if isinstance(way, str):
                    names[way] = name
    return names


def _name_of(entry: Mapping[str, Any], resource: Mapping[str, Any]) -> str:
    if isinstance(resource.get("id"), str):
        return f"Patient/{resource['id']}"
    return str(entry.get("fullUrl") or "Patient")


def _is_person(resource: Mapping[str, Any], name: str, person_id: str, alias: str | None) -> bool:
    if _is_called(name, person_id, alias):
        return True
    identifiers = resource.get("identifier")
    return isinstance(identifiers, list) and any(
        _identified(item) == person_id for item in identifiers
    )


def _identified(identifier: Any) -> str | None:
    """The id of a person of Ebbtide in an Identifier, or None."""
    if not isinstance(identifier, dict):
        return None
    system, value = identifier.get("system"), identifier.get("value")
    if not isinstance(system, str) or not isinstance(value, str):
        return None
    if terms.LEGACY.get(system, system) == terms.PERSON_ID:
        return value
    if system == terms.URI_SYSTEM:
        return value.removeprefix("urn:uuid:")
    return None


def _reference(subject: Mapping[str, Any]) -> tuple[str, str | None]:
    """The reference of a subject, and the person of Ebbtide that it identifies."""
    reference = subject.get("reference")
    return (
        reference if isinstance(reference, str) else "",
        _identified(subject.get("identifier")),
    )


def _relative(reference: str) -> str:
    """The last two segments of a URL, without a version: Patient/1."""
    parts = reference.split("/_history/")[0].split("/")
    return "/".join(parts[-2:])


def _is_called(reference: str, person_id: str, alias: str | None) -> bool:
    ways = (f"Patient/{person_id}", f"urn:uuid:{person_id}", f"urn:ebbtide:Patient:{person_id}")
    if reference in ways or _relative(reference) == ways[0]:
        return True
    return alias is not None and alias in (
        reference,
        _relative(reference),
        _relative(reference).removeprefix("Patient/"),
    )
