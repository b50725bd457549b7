"""Arrow streams to data frames."""

from __future__ import annotations

from typing import Any, Literal

from ebbtide.client._errors import ApiError

Frames = Literal["pandas", "polars"]


def read_frame(content: bytes, frames: Frames) -> Any:
    """Read an Arrow stream into a frame, with a time beside each column of nanoseconds.

    Parameters
    ----------
    content : bytes
        An Arrow IPC stream.
    frames : {"pandas", "polars"}
        Which library's frame to build.

    Returns
    -------
    pandas.DataFrame or polars.DataFrame
        For each column ``NAME_ns`` (int64, UTC nanoseconds) also ``NAME``, a UTC timestamp.

    Raises
    ------
    ApiError
        If ``frames`` is ``"polars"`` and polars is not installed.
    """
    import pyarrow as pa

    table = pa.ipc.open_stream(content).read_all()
    for name in table.column_names:
        if name.endswith("_ns") and name.removesuffix("_ns") not in table.column_names:
            moment = table[name].cast(pa.timestamp("ns", "UTC"))
            table = table.append_column(name.removesuffix("_ns"), moment)
    if frames == "pandas":
        return table.to_pandas()
    try:
        import polars
    except ImportError as error:
        raise ApiError("polars is not installed: pip install polars") from error
    return polars.from_arrow(table)


def add_rr_ms(frame: Any, frames: Frames) -> Any:
    """Add ``rr_ms``, milliseconds, computed from the strap's ticks.

    Parameters
    ----------
    frame : pandas.DataFrame or polars.DataFrame
        With ``rr_ticks`` and ``ticks_per_second``.
    frames : {"pandas", "polars"}
        Which of the two it is.

    Returns
    -------
    pandas.DataFrame or polars.DataFrame
        The frame with one more column; a pandas frame is changed in place.
    """
    milliseconds = frame["rr_ticks"] * 1000.0 / frame["ticks_per_second"]
    if frames == "pandas":
        frame["rr_ms"] = milliseconds
        return frame
    return frame.with_columns(milliseconds.alias("rr_ms"))
