"""A Bluetooth strap, through Bleak: connect, subscribe, reconnect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError

from ebbtide import timestamps
from ebbtide.beats import LOW_BATTERY_PERCENT, GapReason, Origin
from ebbtide.errors import EbbtideError
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import SECOND
from ingest.straps.bluetooth.adapter import ADAPTER_ERRORS, BleAdapter, NotFoundError
from ingest.straps.bluetooth.device_info import BATTERY, DeviceInfo, read_device_info
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
# Dropped by the strap this soon after connecting, several times: it may need to be paired.
_EARLY_DROP_NS = 10 * SECOND
_DROPS_BEFORE_PAIRING = 3
# Heard and without a connection this often, and never unheard: something else is wrong than range.
_MIN_REFUSED = 2
_PAIRING_REQUIRED = ("authentication", "encryption", "authorization", "not paired", "0x05", "0x0f")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for each step.

    ``silence``: a heart-rate strap sends once a second; connected and silent for this long means
    that the connection is dead, whatever the system reports (bleak-retry-connector issue 228).
    ``first_pulse``: an optical Polar computes for about 25 s before its first pulse intervals
    (Polar BLE SDK, PPI).
    ``min_backoff`` and ``max_backoff`` bound the wait before the next connection.
    """

    silence: float = 12.0
    first_pulse: float = 60.0
    find: float = 15.0
    connect: float = 20.0
    min_backoff: float = 1.0
    max_backoff: float = 30.0
    disconnect: float = 5.0


@dataclass(frozen=True, slots=True)
class StreamSelection:
    """The measurements to subscribe to. ``pulse_intervals`` in place of RR, for optical Polar
    devices that send no RR; acceleration where there is any; ECG only on request.
    """

    pulse_intervals: bool = False
    acceleration: bool = True
    ecg: bool = False


@dataclass(frozen=True, slots=True)
class _Ended:
    """The system says that this connection (counted from 1) ended; or None: ``stop`` was called."""

    connection: int | None


class BleakStrap:
    """The strap with this Bluetooth address (on macOS: this identifier).

    It reconnects when the connection drops or is dead, or the adapter or Bluetooth daemon goes
    away, with waits that double from 1 to 30 s; each drop yields a SignalBreak. It repeats until
    ``stop``: each ConnectionChange says what is wrong. ``find_again`` gives the new address of a
    strap that is not heard, or raises BleakError.

    Whatever a callback has brought is yielded, also when it came while connecting failed half-way,
    while disconnecting, or from a connection that was given up: all share one queue.
    """

    def __init__(
        self,
        address: str,
        name: str | None = None,
        adapter: BleAdapter | None = None,
        *,
        selection: StreamSelection | None = None,
        timeouts: Timeouts | None = None,
        on_device_info: Callable[[DeviceInfo], None] | None = None,
        find_again: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._address = address
        self._name = name or address
        self._adapter = adapter or BleAdapter()
        self._selection = selection or StreamSelection()
        self._timeouts = timeouts or Timeouts()
        self._on_device_info = on_device_info
        self._find_again = find_again
        self._stopped = asyncio.Event()
        self._events: asyncio.Queue[StrapEvent | _Ended] = asyncio.Queue()
        self._connection = 0
        self._early_drops = 0
        self._pair = False
        self._battery_percent: int | None = None
        self._is_heard = self._is_connected = False  # in the attempt that is under way
        self._refused = self._unheard = 0  # attempts since something came

    @property
    def name(self) -> str:
        """The given name, or the address."""
        return self._name

    @property
    def origin(self) -> Origin:
        """An optical sensor's pulse intervals are kept apart from a strap's RR intervals."""
        return Origin.PULSE if self._selection.pulse_intervals else Origin.STRAP

    @property
    def ticks_per_second(self) -> int:
        """1024 for RR intervals, 1000 for Polar's pulse intervals."""
        return PPI_TICKS_PER_SECOND if self._selection.pulse_intervals else STRAP_TICKS_PER_SECOND

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        """Decode the bytes of a RawNotification."""
        if self._selection.pulse_intervals:
            return measurement.decode_ppi(payload)
        return decode(payload)

    def stop(self) -> None:
        """End ``events`` after what has already arrived."""
        self._stopped.set()
        self._events.put_nowait(_Ended(None))

    async def events(self) -> AsyncIterator[StrapEvent]:
        """Connect, subscribe, yield what arrives; reconnect until ``stop``."""
        wait = self._timeouts.min_backoff
        while not self._stopped.is_set():
            received = False
            failed: BaseException | None = None
            self._is_heard = self._is_connected = False
            yield ConnectionChange(ConnectionState.SEARCHING)
            try:
                async for event in self._one_connection():
                    received = received or isinstance(event, RawNotification)
                    yield event
            except ADAPTER_ERRORS as error:
                failed = error
                yield ConnectionChange(ConnectionState.TROUBLE, describe_error(error))
            self._count_attempt(received, failed)
            if self._stopped.is_set():
                break
            if received:
                wait = self._timeouts.min_backoff
            yield SignalBreak(self._why_lost())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), wait)
            wait = min(wait * 2, self._timeouts.max_backoff)
        for event in self._arrived():
            yield event

    def _count_attempt(self, received: bool, failed: BaseException | None) -> None:
        """Count what became of an attempt to connect."""
        if received:
            self._refused = self._unheard = 0
        elif (
            self._is_heard
            and not self._is_connected
            and isinstance(failed, BleakError | TimeoutError)
        ):
            self._refused += 1
        else:
            self._unheard += 1

    def _why_lost(self) -> GapReason:
        """Say why there are no beats, as far as that is known by now.

        A strap that another device holds is silent, as a rule, and so one that is out of range.
        Heard each time and without a connection, it is held or at the edge of its range. An empty
        one is not heard.
        """
        if self._refused >= _MIN_REFUSED and not self._unheard:
            return GapReason.CONNECTION_REFUSED
        if self._battery_percent is not None and self._battery_percent <= LOW_BATTERY_PERCENT:
            return GapReason.BATTERY_LOW
        return GapReason.LINK_LOST

    def _arrived(self) -> Iterator[StrapEvent]:
        """Yield what waits in the queue."""
        while not self._events.empty():
            event = self._events.get_nowait()
            if not isinstance(event, _Ended):
                yield event

    async def _one_connection(self) -> AsyncIterator[StrapEvent]:
        timeouts = self._timeouts
        device = await self._until_stopped(self._find())
        if device is None:
            return
        self._is_heard = True
        yield ConnectionChange(ConnectionState.CONNECTING)
        if self._stopped.is_set():
            return
        self._connection += 1
        client = await self._connect(device, self._connection)
        self._is_connected = True
        connected = timestamps.monotonic_ns()
        why = ConnectionChange(ConnectionState.LOST, "the strap or the radio ended it")
        reading_info: asyncio.Task[None] | None = None
        failed: BaseException | None = None
        try:
            await self._subscribe(client)
            yield ConnectionChange(ConnectionState.CONNECTED)
            reading_info = asyncio.create_task(self._read_device_info(client))
            allowed = timeouts.first_pulse if self._selection.pulse_intervals else timeouts.silence
            while not (self._stopped.is_set() and self._events.empty()):
                try:
                    event = await asyncio.wait_for(self._events.get(), allowed)
                except TimeoutError:
                    why = ConnectionChange(
                        ConnectionState.SILENT, f"nothing came for {allowed:.0f} s"
                    )
                    break
                if isinstance(event, _Ended):
                    if event.connection in (None, self._connection):
                        break
                    continue  # of a connection given up before
                allowed = timeouts.silence
                yield event
        except ADAPTER_ERRORS as error:
            failed = error
        finally:
            if reading_info is not None:
                reading_info.cancel()
                await asyncio.gather(reading_info, return_exceptions=True)
            with suppress(*ADAPTER_ERRORS):
                await asyncio.wait_for(client.disconnect(), timeouts.disconnect)
        for event in self._arrived():
            yield event
        if failed is not None:
            raise failed
        self._note_early_drop(timestamps.monotonic_ns() - connected, why.state)
        yield why

    async def _find(self) -> BLEDevice:
        try:
            return await self._adapter.find(self._address, self._timeouts.find)
        except NotFoundError as error:
            if self._find_again is None:
                raise
            try:
                self._address = await self._find_again()
            except (NotFoundError, EbbtideError):
                raise error from None
            return await self._adapter.find(self._address, self._timeouts.find)

    async def _read_device_info(self, client: BleakClient) -> None:
        """Read beside the notifications, which do not wait for it."""
        with suppress(*ADAPTER_ERRORS):
            info = await read_device_info(client)
            self._battery_percent = info.battery_percent
            if self._on_device_info is not None:
                self._on_device_info(info)
            level = client.services.get_characteristic(BATTERY)
            if level is not None and "notify" in level.properties:
                await client.start_notify(level, self._note_battery)

    def _note_battery(self, _: BleakGATTCharacteristic, payload: bytearray) -> None:
        if payload and payload[0] <= 100:
            self._battery_percent = payload[0]

    async def _connect(self, device: BLEDevice, connection: int) -> BleakClient:
        async with self._adapter.connecting():
            client = self._adapter.client(
                device,
                lambda: self._events.put_nowait(_Ended(connection)),
                self._timeouts.connect,
                pair=self._pair,
            )
            try:
                await client.connect()
            except ADAPTER_ERRORS:
                self._pair, self._early_drops = False, 0  # in case pairing was the cause
                raise
            return client

    async def _subscribe(self, client: BleakClient) -> None:
        queue = self._events

        def enqueue(event: StrapEvent) -> None:
            # While the disk is full they wait here; more than hours of them are a gap.
            if queue.qsize() < _MAX_QUEUED:
                queue.put_nowait(event)
            elif queue.qsize() == _MAX_QUEUED:
                queue.put_nowait(SignalBreak(GapReason.DISK_FULL))

        def on_heart_rate(_: BleakGATTCharacteristic, payload: bytearray) -> None:
            enqueue(RawNotification(bytes(payload), timestamps.now_ns(), timestamps.monotonic_ns()))

        def on_polar(_: BleakGATTCharacteristic, payload: bytearray) -> None:
            # Motion and ECG that cannot be decoded are left out; pulse intervals, like RR, are
            # decoded, and quarantined if malformed, by the recorder.
            with suppress(MalformedMeasurementError):
                self._handle_polar(bytes(payload), timestamps.now_ns(), enqueue, stream)

        stream = PolarStream(client)
        selection = self._selection
        if not selection.pulse_intervals:
            await self._subscribe_paired(
                client, lambda: client.start_notify(CHARACTERISTIC, on_heart_rate)
            )
        kinds = [
            kind
            for kind, wanted in (
                (Kind.PPI, selection.pulse_intervals),
                (Kind.ACCELERATION, selection.acceleration),
                (Kind.ECG, selection.ecg),
            )
            if wanted
        ]
        if not stream.present:
            if selection.pulse_intervals:
                raise BleakError("it has no pulse intervals: pair it again (ebbtide pair)")
            return
        try:
            await self._subscribe_paired(client, lambda: stream.open(on_polar))
            for kind in kinds:
                await stream.start(kind)
        except PolarRefusedError as error:
            if selection.pulse_intervals:
                raise BleakError(f"it gives no pulse intervals: {error}") from error
            # Beats are what matters: without acceleration they are recorded all the same.

    def _handle_polar(
        self,
        payload: bytes,
        received: int,
        enqueue: Callable[[StrapEvent], None],
        stream: PolarStream,
    ) -> None:
        kind = payload[0] if payload else -1
        if kind == Kind.PPI:
            enqueue(RawNotification(payload, received, timestamps.monotonic_ns()))
        elif kind == Kind.ACCELERATION:
            samples = measurement.decode_acceleration(payload)
            enqueue(RawMotion(received, stream.rate_hz(Kind.ACCELERATION), samples))
        elif kind == Kind.ECG:
            enqueue(RawEcg(received, stream.rate_hz(Kind.ECG), measurement.decode_ecg(payload)))

    async def _subscribe_paired(
        self, client: BleakClient, subscribe: Callable[[], Awaitable[None]]
    ) -> None:
        """Subscribe; when the strap requires pairing, pair and subscribe again."""
        try:
            await subscribe()
        except BleakError as error:
            if not any(word in str(error).lower() for word in _PAIRING_REQUIRED):
                raise
            await client.pair()
            await subscribe()

    def _note_early_drop(self, lasted_ns: int, ended: ConnectionState) -> None:
        """Pair next time after repeated early drops: a Polar H10 of firmware 4 and later drops
        an unpaired computer soon after connecting.
        """
        early = ended is ConnectionState.LOST and lasted_ns < _EARLY_DROP_NS
        self._early_drops = self._early_drops + 1 if early else 0
        self._pair = self._early_drops >= _DROPS_BEFORE_PAIRING

    async def _until_stopped(self, finding: Coroutine[None, None, BLEDevice]) -> BLEDevice | None:
        """The device, or None when stopped meanwhile."""
        searching = asyncio.ensure_future(finding)
        stopping = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait([searching, stopping], return_when=asyncio.FIRST_COMPLETED)
            return searching.result() if searching.done() else None
        finally:
            for task in (searching, stopping):
                task.cancel()
            await asyncio.gather(searching, stopping, return_exceptions=True)


def describe_error(error: BaseException) -> str:
    """Describe an error of the adapter or the connection for a person."""
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
    """Make the error that says that Bluetooth itself cannot be used."""
    return EbbtideError(
        f"Bluetooth cannot be used here: {error or type(error).__name__}.",
        "ebbtide doctor says what is wrong. To try Ebbtide without a strap: ebbtide demo.",
    )
