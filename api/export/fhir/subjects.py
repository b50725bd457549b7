"""Whose data a Bundle holds: the ``subject`` of each Observation, resolved inside the Bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.export.fhir import terms
from store.models.imports import canonical_uri

NAMELESS = "someone without a name"
_PERSON = f"{terms.PERSON_ID}|"


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
        if self.patient == NAMELESS:
            return "its subject has neither a reference nor an identifier, so it may be anybody's"
        return (
            f"its subject is {self.patient}, not the person who is signed in; if that is what they"
            " are called there, send it with ?subject="
        )


@dataclass(slots=True)
class _Patient:
    """What a Bundle says of one patient: the URL or reference by which it is told apart, the
    identifiers as ``system|value``, and the reference inside of its server, such as Patient/12.
    """

    name: str
    identifiers: set[str] = field(default_factory=set)
    relative: str = ""

    def is_person(self, person_id: str, alias: str | None) -> bool:
        """Whether this is the person of Ebbtide with this id, who may be called ``alias``."""
        ours = {i.partition("|")[2] for i in self.identifiers if i.startswith(_PERSON)}
        kind, slash, _ = self.relative.partition("/")
        if ours - {person_id} or (slash and kind != "Patient"):
            return False
        own = f"urn:uuid:{person_id}"
        names = {self.name, self.relative, *self.identifiers}
        return bool(
            ours
            or names & {f"Patient/{person_id}", own, f"urn:ebbtide:Patient:{person_id}"}
            or f"{terms.URI_SYSTEM}|{own}" in self.identifiers
            or self.is_called(alias)
        )

    def is_called(self, alias: str | None) -> bool:
        """Whether ``alias`` names this patient: as URL, Patient/12, 12 or system|value."""
        return alias in (self.name, *self.identifiers) or self.is_called_relatively(alias)

    def is_called_relatively(self, alias: str | None) -> bool:
        """Whether ``alias`` is what the patient's own server calls it; others may use the same."""
        return alias in (self.relative, self.relative.removeprefix("Patient/"))


def check_subjects(entries: list[Any], person_id: str, alias: str | None) -> SubjectCheck:
    """Find the one patient of a Bundle, and whether it is this person, who may be called ``alias``
    in it. Raises TwoPatientsError.
    """
    alias = None if alias is None else canonical_uri(alias)
    listed = _listed_patients(entries)
    found = {patient.name: patient for patient in listed}
    for number, entry in enumerate(entries):
        resource = _resource(entry)
        subject = resource.get("subject")
        if resource.get("resourceType") == "Patient" or not isinstance(subject, dict):
            continue
        patient = _find_subject(subject, resource, entry, number, listed)
        found.setdefault(patient.name, patient).identifiers |= patient.identifiers
    # Patient/1 and http://a/Patient/1 are the same unless there are several such URLs.
    for short in [item for item in found.values() if item.relative and not _is_url(item.name)]:
        longer = [
            item
            for item in found.values()
            if _is_url(item.name) and item.relative == short.relative
        ]
        if len(longer) == 1:
            longer[0].identifiers |= found.pop(short.name).identifiers
    persons = [item for item in found.values() if item.is_person(person_id, alias)]
    guessed = [
        item
        for item in persons
        if alias not in (item.name, *item.identifiers) and not item.is_person(person_id, None)
    ]
    if len(guessed) > 1 or (len(found) > 1 and len(persons) < len(found)):
        names = " and ".join(sorted(found)[:3])
        raise TwoPatientsError(f"holds more than one patient ({names}): send one at a time")
    return SubjectCheck(next(iter(found), None), bool(persons))


def _listed_patients(entries: list[Any]) -> list[_Patient]:
    """The Patients that have an entry of their own; several entries of one are one."""
    patients: dict[str, _Patient] = {}
    for number, entry in enumerate(entries):
        resource = _resource(entry)
        if resource.get("resourceType") != "Patient":
            continue
        url, own_id = entry.get("fullUrl"), resource.get("id")
        relative = f"Patient/{own_id}" if isinstance(own_id, str) else None
        name = canonical_uri(_unversioned(url)) if isinstance(url, str) and url else relative
        name = name or f"the Patient of entry {number}"
        patient = patients.setdefault(name, _Patient(name, set(), relative or _relative(name)))
        patient.identifiers |= _identifiers(resource.get("identifier"))
    return list(patients.values())


def _find_subject(
    subject: Mapping[str, Any],
    resource: Mapping[str, Any],
    entry: Any,
    number: int,
    listed: list[_Patient],
) -> _Patient:
    """Resolve the subject of an Observation as section 2.36.4 of FHIR says."""
    reference = subject.get("reference")
    reference = canonical_uri(_unversioned(reference)) if isinstance(reference, str) else ""
    identifiers = _identifiers([subject.get("identifier")])
    if reference.startswith("#"):
        contained = resource.get("contained")
        for item in contained if isinstance(contained, list) else []:
            if isinstance(item, dict) and f"#{item.get('id')}" == reference:
                identifiers |= _identifiers(item.get("identifier"))
        reference = ""
        if not identifiers:
            return _Patient(f"a Patient contained in entry {number}")
    if not reference:
        return _Patient(min(identifiers, default=NAMELESS), identifiers)
    url = entry.get("fullUrl")
    if _is_relative(reference) and isinstance(url, str) and _is_url(url):
        reference = f"{'/'.join(_unversioned(url).split('/')[:-2])}/{reference}"
    for patient in listed:
        if reference == patient.name or reference == patient.relative:
            return _Patient(patient.name, identifiers, patient.relative)
    return _Patient(reference, identifiers, _relative(reference))


def _resource(entry: Any) -> Mapping[str, Any]:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return resource if isinstance(resource, dict) else {}


def _identifiers(items: Any) -> set[str]:
    """Identifiers as ``system|value``; what is none is left out."""
    found = set()
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict):
            continue
        system, value = item.get("system", ""), item.get("value")
        if isinstance(system, str) and isinstance(value, str) and value:
            system = terms.LEGACY.get(system, system)
            found.add(f"{system}|{canonical_uri(value)}" if system else value)
    return found


def _unversioned(reference: str) -> str:
    return reference.split("/_history/")[0]


def _is_url(reference: str) -> bool:
    return reference.startswith(("http://", "https://"))


def _is_relative(reference: str) -> bool:
    return ":" not in reference and reference.count("/") == 1


def _relative(reference: str) -> str:
    """The last two segments of a URL: Patient/1."""
    return "/".join(reference.split("/")[-2:]) if _is_url(reference) else reference
