"""Send OpenTelemetry spans, where it is installed (``ebbtide[tracing]``) and turned on by its own
environment variable ``OTEL_EXPORTER_OTLP_ENDPOINT``.
"""

from __future__ import annotations

import os
from typing import Any

from fastapi import FastAPI

from ebbtide.errors import EbbtideError


def trace(app: FastAPI, exporter: Any = None) -> bool:
    """Send spans of this application where it is turned on; returns whether it is.

    Raises EbbtideError where it is turned on and not installed.
    """
    if exporter is None and "OTEL_EXPORTER_OTLP_ENDPOINT" not in os.environ:
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise EbbtideError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed.",
            "In the source folder: uv sync --extra tracing; or unset it.",
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "ebbtide-api"}))
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=provider, server_request_hook=_without_person
    )
    app.state.trace_provider = provider
    return True


def _without_person(span: Any, _: dict[str, Any]) -> None:
    """Remove path, query and address of the client; the route template stays."""
    if span is not None and span.is_recording():
        for name in ("http.target", "http.url", "url.full", "url.path", "url.query"):
            span.set_attribute(name, "")
        for name in ("net.peer.ip", "net.peer.port", "client.address", "http.user_agent"):
            span.set_attribute(name, "")
