"""A real Bluetooth strap, through bleak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError

from ebbtide import timestamps
from ebbtide.beats import GapReason, Origin
from ebbtide.errors import EbbtideError
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import SECOND
from ingest.straps.bluetooth.adapter import ADAPTER_ERRORS, BleAdapter, NotFoundError
from ingest.straps.bluetooth.device_info import DeviceInfo, read_device_info
from ingest.straps.heart_rate import (
    CHARACTERISTIC,
    HeartRateMeasurement,
    MalformedMeasurementError,
    decode,
)
from ingest.straps.polar import measurement
from ingest.straps.polar.control import PolarStream
from ingest.straps.polar.measurement import PPI_TICKS_PER_SECOND, Kind, PolarRefusedError
from ingest.straps.strap import (
    ConnectionChange,
    ConnectionState,
    RawEcg,
    RawMotion,
    RawNotification,
    SignalBreak,
    StrapEvent,
)

# Hours of notifications that may wait in memory while the disk is full, then it is a gap.
_MAX_QUEUED = 30_000
# Again and again dropped by the strap this soon after connecting: it may want to be paired.
_EARLY_DROP_S = 10 * SECOND
_DROPS_BEFORE_PAIRING = 3
_PAIRING_REQUIRED = ("authentication", "encryption", "authorization", "not paired", "0x05", "0x0f")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for what, in seconds.

    ``silence``: a heart-rate strap sends once a second; connected and silent for this long means
    that the link is dead, whatever the system says (bleak-retry-connector issue 228).
    """

    silence: float = 12.0
    look: float = 15.0
    connect: float = 20.0
    first_wait: float = 1.0
    longest_wait: float = 30.0
    disconnect: float = 5.0


@dataclass(frozen=True, slots=True)
class StreamSelection:
    """What to take from the strap. ``pulse_intervals`` instead of RR, for optical Polar devices
    that send no RR; acceleration where there is any; ECG only when asked for.
    """

    pulse_intervals: bool = False
    acceleration: bool = True
    ecg: bool = False


class BleakStrap:
    """The strap with this Bluetooth address (on macOS: this identifier).

    It comes back by itself when the link drops, is dead, or the adapter or Bluetooth daemon goes
    away, with waits that grow from 1 to 30 s; each drop is told as an Interruption. It never gives
    up: the person at the screen is told what is the matter, and may stop it.
    """

    origin = Origin.STRAP

    def __init__(
        self,
        address: str,
        name: str | None = None,
        radio: BleAdapter | None = None,
        *,
        wishes: StreamSelection | None = None,
        patience: Timeouts | None = None,
        on_facts: Callable[[DeviceInfo], None] | None = None,
    ) -> None:
        self._address = address
        self._name = name or address
        self._radio = radio or BleAdapter()
        self._wishes = wishes or StreamSelection()
        self._patience = patience or Timeouts()
        self._on_facts = on_facts
        self._stopped = asyncio.Event()
        self._arrivals: asyncio.Queue[StrapEvent | None] = asyncio.Queue()
        self._early_drops = 0
        self._pair = False

    @property
    def name(self) -> str:
        """The given name, or the address."""
        return self._name

    @property
    def ticks_per_second(self) -> int:
        """1024 for RR intervals, 1000 for Polar's pulse intervals."""
        return PPI_TICKS_PER_SECOND if self._wishes.pulse_intervals else STRAP_TICKS_PER_SECOND

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        """The measurement in an Arrival's bytes."""
        if self._wishes.pulse_intervals:
            return measurement.decode_ppi(payload)
        return decode(payload)

    def stop(self) -> None:
        """End ``events`` after what has already arrived."""
        self._stopped.set()
        self._arrivals.put_nowait(None)

    async def events(self) -> AsyncIterator[StrapEvent]:
        """Connect, subscribe, yield what arrives; reconnect until told to stop."""
        wait = self._patience.first_wait
        while not self._stopped.is_set():
            heard = False
            yield ConnectionChange(ConnectionState.LOOKING)
            try:
                async for event in self._one_connection():
                    heard = heard or isinstance(event, RawNotification)
                    yield event
            except ADAPTER_ERRORS as error:
                yield ConnectionChange(ConnectionState.TROUBLE, describe_error(error))
            if self._stopped.is_set():
                break
            if heard:
                wait = self._patience.first_wait
            yield SignalBreak(GapReason.LINK_LOST)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), wait)
            wait = min(wait * 2, self._patience.longest_wait)

    async def _one_connection(self) -> AsyncIterator[StrapEvent]:
        patience = self._patience
        device = await self._until_stopped(self._radio.find(self._address, patience.look))
        if device is None:
            return
        yield ConnectionChange(ConnectionState.CONNECTING)
        # Each connection has a queue of its own: a late callback of the last one is of the past.
        arrivals = self._arrivals = asyncio.Queue()
        if self._stopped.is_set():
            return
        client = await self._connected(device, arrivals)
        connected = timestamps.monotonic_ns()
        why = ConnectionChange(ConnectionState.LOST, "the strap or the radio ended it")
        asking: asyncio.Task[None] | None = None
        try:
            await self._subscribe(client, arrivals)
            yield ConnectionChange(ConnectionState.CONNECTED)
            asking = asyncio.create_task(self._ask_for_facts(client))
            while not (self._stopped.is_set() and arrivals.empty()):
                try:
                    event = await asyncio.wait_for(arrivals.get(), patience.silence)
                except TimeoutError:
                    why = ConnectionChange(
                        ConnectionState.SILENT, f"nothing came for {patience.silence:.0f} s"
                    )
                    break
                if event is None:
                    break
                yield event
        finally:
            if asking is not None:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            with suppress(*ADAPTER_ERRORS):
                await asyncio.wait_for(client.disconnect(), patience.disconnect)
        self._learn_from(timestamps.monotonic_ns() - connected, why.link)
        yield why

    async def _ask_for_facts(self, client: BleakClient) -> None:
        """Beside the beats: they do not wait for it."""
        if self._on_facts is not None:
            with suppress(*ADAPTER_ERRORS):
                self._on_facts(await read_device_info(client))

    async def _connected(
        self, device: BLEDevice, arrivals: asyncio.Queue[StrapEvent | None]
    ) -> BleakClient:
        async with self._radio.turn():
            client = self._radio.client(
                device,
                lambda: arrivals.put_nowait(None),
                self._patience.connect,
                pair=self._pair,
            )
            try:
                await client.connect()
            except ADAPTER_ERRORS:
                self._pair, self._early_drops = False, 0  # if that was why, the next is without
                raise
            return client

    async def _subscribe(
        self, client: BleakClient, arrivals: asyncio.Queue[StrapEvent | None]
    ) -> None:
        def took(event: StrapEvent) -> None:
            # While the disk is full they wait here; more than hours of them are a gap.
            if arrivals.qsize() < _MAX_QUEUED:
                arrivals.put_nowait(event)
            elif arrivals.qsize() == _MAX_QUEUED:
                arrivals.put_nowait(SignalBreak(GapReason.DISK_FULL))

        def beats(_: BleakGATTCharacteristic, payload: bytearray) -> None:
            took(RawNotification(bytes(payload), timestamps.now_ns(), timestamps.monotonic_ns()))

        def polar(_: BleakGATTCharacteristic, payload: bytearray) -> None:
            # Motion and ECG that cannot be read are left out; pulse intervals, like RR, are
            # decoded, and if need be set aside, by the recorder.
            with suppress(MalformedMeasurementError):
                self._take_polar(bytes(payload), timestamps.now_ns(), took, stream)

        stream = PolarStream(client)
        wished = self._wishes
        if not wished.pulse_intervals:
            await self._paired_if_asked(client, lambda: client.start_notify(CHARACTERISTIC, beats))
        kinds = [
            kind
            for kind, wanted in (
                (Kind.PPI, wished.pulse_intervals),
                (Kind.ACCELERATION, wished.acceleration),
                (Kind.ECG, wished.ecg),
            )
            if wanted
        ]
        if not stream.present:
            if wished.pulse_intervals:
                raise BleakError("it has no pulse intervals: pair it again (ebbtide pair)")
            return
        try:
            await self._paired_if_asked(client, lambda: stream.open(polar))
            for kind in kinds:
                await stream.start(kind)
        except PolarRefusedError as error:
            if wished.pulse_intervals:
                raise BleakError(f"it gives no pulse intervals: {error}") from error
            # Beats are what matters: without acceleration they are recorded all the same.

    def _take_polar(
        self,
        payload: bytes,
        received: int,
        took: Callable[[StrapEvent], None],
        stream: PolarStream,
    ) -> None:
        kind = payload[0] if payload else -1
        if kind == Kind.PPI:
            took(RawNotification(payload, received, timestamps.monotonic_ns()))
        elif kind == Kind.ACCELERATION:
            samples = measurement.decode_acceleration(payload)
            took(RawMotion(received, stream.rate_hz(Kind.ACCELERATION), samples))
        elif kind == Kind.ECG:
            took(RawEcg(received, stream.rate_hz(Kind.ECG), measurement.decode_ecg(payload)))

    async def _paired_if_asked(
        self, client: BleakClient, subscribe: Callable[[], Awaitable[None]]
    ) -> None:
        """Subscribe; when the strap wants to be paired first, pair and subscribe again."""
        try:
            await subscribe()
        except BleakError as error:
            if not any(word in str(error).lower() for word in _PAIRING_REQUIRED):
                raise
            await client.pair()
            await subscribe()

    def _learn_from(self, lasted_ns: int, ended: ConnectionState) -> None:
        """Polar H10 of firmware 4 and up drop whoever is not paired, soon after connecting."""
        early = ended is ConnectionState.LOST and lasted_ns < _EARLY_DROP_S
        self._early_drops = self._early_drops + 1 if early else 0
        self._pair = self._early_drops >= _DROPS_BEFORE_PAIRING

    async def _until_stopped(self, finding: Coroutine[None, None, BLEDevice]) -> BLEDevice | None:
        """The device, or None when told to stop meanwhile."""
        looking = asyncio.ensure_future(finding)
        stopping = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait([looking, stopping], return_when=asyncio.FIRST_COMPLETED)
            return looking.result() if looking.done() else None
        finally:
            for task in (looking, stopping):
                task.cancel()
            await asyncio.gather(looking, stopping, return_exceptions=True)


def describe_error(error: BaseException) -> str:
    """What an error of the radio means for a person."""
    if isinstance(error, NotFoundError):
        return (
            f"{error}. Wet its electrodes and wear it; a strap that a phone or watch holds is not "
            "heard either"
        )
    if isinstance(error, TimeoutError):
        return "it was heard but did not answer in time"
    if isinstance(error, OSError | EOFError):
        return f"Bluetooth cannot be used here ({error or 'it went away'}); see ebbtide doctor"
    return str(error) or type(error).__name__


def adapter_error(error: BaseException) -> EbbtideError:
    """Bluetooth itself cannot be used."""
    return EbbtideError(
        f"Bluetooth cannot be used here: {error or type(error).__name__}.",
        "ebbtide doctor says what is wrong. To try Ebbtide without a strap: ebbtide demo.",
    )
