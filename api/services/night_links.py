"""What goes together of nights and days: made once of the same nights and ratings, then cached."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.nights import (
    Agreement,
    days_around_nights,
    device_agreement,
    night_links,
)
from analytics.nights.links import METHOD
from api.schemas.nights import CAUTION, AgreementOut, NightLinkOut, NightLinksOut
from api.services.cache.analysis import AnalysisCache
from api.services.compute import compute
from api.services.nights import device_name, main_devices, own_nights
from api.services.single_flight import single_flight
from ebbtide.nights import Night, is_of_date
from ebbtide.timestamps import DAY, FOREVER, HOUR, SECOND
from store import Stores
from store.models import Person, StoredNight

# Seconds, as measured: of the three links, and of a night in them and in the agreement.
_LINKS_S, _NIGHT_S = 0.25, 2e-4


@dataclass(frozen=True, slots=True, eq=False)
class NightLinkInputs:
    """What the answers are made of: nights without their values, and ratings by moment."""

    stored: tuple[StoredNight, ...]
    rated_ns: IntArray
    pain: FloatArray
    stress: FloatArray

    def fingerprint(self) -> str:
        """Name all that the answers depend on."""
        digest = hashlib.sha256(METHOD.encode())
        for item in self.stored:
            digest.update(repr(item.night).encode())
        for column in (self.rated_ns, self.pain, self.stress):
            digest.update(column.tobytes())
        return digest.hexdigest()


def load_links_json(stores: Stores, cache: AnalysisCache, person: Person) -> str:
    """Load or make the answers as JSON: they are made anew where a night or a rating changed."""
    ratings = stores.records.ratings(person.id, *FOREVER)
    inputs = NightLinkInputs(
        tuple(stores.nights.nights(person.id, values=False)),
        np.array([rating.about_ns for rating in ratings], dtype=np.int64),
        np.array([rating.pain for rating in ratings], dtype=np.float64),
        np.array([rating.stress for rating in ratings], dtype=np.float64),
    )
    key = ("nights", person.subject_id, inputs.fingerprint())
    with single_flight(f"nights {person.id}"):
        cached = cache.responses.get(key)
        if cached is not None:
            return cached.decode()
        price_s = _LINKS_S + _NIGHT_S * len(inputs.stored)
        body = compute(price_s, night_links_json, inputs)
        cache.responses.put(key, body.encode())
        return body


def night_links_json(inputs: NightLinkInputs) -> str:
    """Make the answers as JSON. Pure: it reads no store."""
    own = own_nights(inputs.stored)
    pain, stress = (
        days_around_nights(
            own.starts_ns,
            own.ends_ns,
            inputs.rated_ns[~np.isnan(values)],
            values[~np.isnan(values)],
        )
        for values in (inputs.pain, inputs.stress)
    )
    return NightLinksOut(
        metric=own.metric,
        nights=len(own.nights),
        devices=list(own.series.devices),
        levels=len(set(own.series.level.tolist())),
        links=[
            NightLinkOut.from_record(link, question=str(link.question))
            for link in night_links(own.series, pain, stress, waking_hour=waking_hours(own.nights))
        ],
        agreement=[
            AgreementOut.from_record(found, first=one, second=other, metric=metric)
            for one, other, metric, found in agreements([item.night for item in inputs.stored])
        ],
        caution=CAUTION,
        method=METHOD,
    ).model_dump_json()


def waking_hours(nights: Sequence[Night]) -> FloatArray:
    """The local hour, 0 to 24, at which each night ended; NaN of those that only have a date."""
    hours = [
        np.nan if is_of_date(night) else (night.end_ns + night.offset_s * SECOND) % DAY / HOUR
        for night in nights
    ]
    return np.array(hours, dtype=np.float64)


def agreements(nights: Sequence[Night]) -> list[tuple[str, str, str, Agreement]]:
    """Compare each two sources: (first, second, metric, agreement), where any night is common."""
    by_device: dict[str, dict[str, Night]] = {}
    for night in main_devices(nights):
        by_device.setdefault(device_name(night), {})[night.day] = night
    names = sorted(by_device)
    found = []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            common = sorted(by_device[first].keys() & by_device[second].keys())
            for metric in ("rmssd_ms", "sdnn_ms", "mean_hr_bpm"):
                pairs = [
                    (
                        getattr(by_device[first][day], metric),
                        getattr(by_device[second][day], metric),
                    )
                    for day in common
                ]
                pairs = [pair for pair in pairs if None not in pair]
                if not pairs:
                    continue
                one, other = np.array(pairs, dtype=np.float64).T
                is_ratio = metric != "mean_hr_bpm"
                found.append(
                    (first, second, metric, device_agreement(one, other, is_ratio=is_ratio))
                )
    return found
