"""Bundles and OperationOutcomes, of resources that are ready."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.services.imported_records import ImportReport

_METHODS = ("POST",)


def search_bundle(
    base: str,
    matches: Sequence[Mapping[str, Any]],
    included: Sequence[Mapping[str, Any]],
    links: Mapping[str, str],
    total: int | None = None,
) -> dict[str, Any]:
    """Build a searchset; ``base`` is the URL below which its resources are served."""
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        bundle["total"] = total
    bundle["link"] = [{"relation": relation, "url": url} for relation, url in links.items()]
    entries = [
        {
            "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": mode},
        }
        for mode, resources in (("match", matches), ("include", included))
        for resource in resources
    ]
    if entries:
        bundle["entry"] = entries
    return bundle


def operation_outcome(issues: Iterable[tuple[str, str]], severity: str = "error") -> dict[str, Any]:
    """Build an OperationOutcome of issues: their code and what is wrong."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": severity, "code": code, "diagnostics": text} for code, text in issues
        ],
    }


def reasons_against_requests(entries: Sequence[Any]) -> dict[int, str]:
    """Find the entries of a batch or transaction that ask for something else than to create an
    Observation, and why each is refused.
    """
    found = {}
    for number, entry in enumerate(entries):
        request = entry.get("request") if isinstance(entry, dict) else None
        if not isinstance(request, dict):
            found[number] = "it has no request"
        elif request.get("method") not in _METHODS:
            found[number] = f"{request.get('method')} is not served in a Bundle, only POST"
        elif not _is_of(request.get("url"), entry.get("resource")):
            found[number] = f"its request is to {request.get('url')}, not to its resource's type"
        elif any(name in request for name in ("ifNoneExist", "ifMatch", "ifNoneMatch")):
            found[number] = (
                "conditions are not read: the same identifier, or device and moment, is the same"
                " resource"
            )
    return found


def _is_of(url: Any, resource: Any) -> bool:
    """Whether the address of a creation, if there is one, is that of the resource's type."""
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    return url is None or (isinstance(url, str) and url.rstrip("/").split("/")[-1] == kind)


def response_bundle(
    kind: str, entries: Sequence[Any], report: ImportReport, locations: Mapping[int, str]
) -> dict[str, Any]:
    """Build the answer to a batch or transaction: an entry for each, in its order."""
    reasons = {item.entry: item.reason for item in report.skipped}
    answers = []
    for number in range(len(entries)):
        if number in reasons:
            issues = [("processing", reasons[number])]
            answer: dict[str, Any] = (
                {"status": "202 Accepted", "outcome": operation_outcome(issues, "warning")}
                if number in report.waiting
                else {"status": "422 Unprocessable Entity", "outcome": operation_outcome(issues)}
            )
        else:
            status = "201 Created" if number in report.new_entries else "200 OK"
            answer = {"status": status}
            if number in locations:
                answer["location"] = locations[number]
        answers.append({"response": answer})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": f"{kind}-response"}
    if answers:
        bundle["entry"] = answers
    return bundle
