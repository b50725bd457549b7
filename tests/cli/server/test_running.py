"""Who has the port: another copy that is still starting is waited for."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import cli.server.running as running
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings


def test_a_copy_that_is_still_starting_is_not_taken_for_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = threading.Event()

    class Starting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            started.wait(60)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "ok", "version": "1"}')

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(running, "_SOON_S", 0.1)
    with HTTPServer(("127.0.0.1", 0), Starting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(EbbtideError, match="Another Ebbtide runs"):
            running.ask_running(Settings(data_dir=tmp_path), url, started.set)
        server.shutdown()
    assert started.is_set()
