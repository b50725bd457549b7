"""What measured a value: the ``device`` of each Observation, resolved inside the Bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.export.fhir.values import require_length, require_text
from api.services.imported_records import MAX_DEVICE
from store.models.imports import canonical_uri


def device_of(resource: Mapping[str, Any], devices: Mapping[str, str]) -> str:
    """What measured it. A reference is only a way to its Device: senders make a new one of the same
    device for each Bundle, and the same ``#device`` of different ones.
    """
    device = resource.get("device") or {}
    identifier = device.get("identifier") or {}
    reference = device.get("reference") or ""
    if isinstance(reference, str) and reference.startswith("#"):
        contained = [
            item for item in resource.get("contained", []) if f"#{item.get('id')}" == reference
        ]
        reference = next((name for name in map(_name_of_device, contained) if name), reference)
    text = device.get("display") or identifier.get("value")
    text = require_text(text or reference, "device")
    return require_length(devices.get(canonical_uri(text), text), MAX_DEVICE, "device")


def devices_of(entries: list[Any]) -> dict[str, str]:
    """Of each way to refer to a Device of the Bundle, what the device is called."""
    found: dict[str, str] = {}
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "Device":
            name = _name_of_device(resource)
            for way in (entry.get("fullUrl"), f"Device/{resource.get('id')}"):
                if name is not None and isinstance(way, str):
                    found[canonical_uri(way)] = name
    return found


def _name_of_device(device: Mapping[str, Any]) -> str | None:
    """The identifier of a Device, its serial number, or its name."""
    try:
        texts = [
            *(item.get("value") for item in device.get("identifier", [])),
            device.get("serialNumber"),
            *(item.get("name") for item in device.get("deviceName", [])),
        ]
    except (AttributeError, TypeError):
        return None
    return next((text for text in texts if isinstance(text, str) and text), None)
