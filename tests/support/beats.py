"""Beats for tests: a recording in the past, and a strap that is worn now."""

from __future__ import annotations

import numpy as np

from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, SECOND
from store.models import Person
from store.stores import Stores

MIDNIGHT = 20_700 * DAY


def put_beats(stores: Stores, person: Person, start_ns: int, count: int, seed: int = 1) -> str:
    rng = np.random.default_rng(seed)
    rr = 850 + 40 * np.sin(np.arange(count) * 1.3) + rng.normal(0, 12, count)
    ticks = np.round(rr * 1.024).astype(int)
    times = start_ns + np.cumsum(ticks) * (SECOND // 1024)
    stream = new_id()
    stores.beats.put_stream(person.subject_id, Stream(stream, Origin.STRAP, "a strap", start_ns))
    stores.beats.append(
        person.subject_id,
        stream,
        [
            Notification(k + 1, int(t), 70, (int(n),), (int(t),))
            for k, (t, n) in enumerate(zip(times, ticks, strict=True))
        ],
    )
    return stream
