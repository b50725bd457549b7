"""The demo with its pages: it goes on, and it ends cleanly."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.support.running_demo import RunningDemo


def _alive(url: str) -> bool:
    try:
        httpx.get(url, timeout=20)
    except httpx.ConnectError:
        return False
    return True


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_strap_plays_on_and_everything_ends(how: signal.Signals, tmp_path: Path) -> None:
    with RunningDemo(temporary=tmp_path) as demo:
        pages = demo.words["The pages"]
        api = demo.words["The API"].removesuffix("/openapi.json")
        assert _alive(pages) and _alive(demo.words["The API"])
        assert len(list(tmp_path.glob("ebbtide-demo-*"))) == 1
        credentials = {"email": demo.words["Sign in with"], "password": demo.words["Password"]}
        signed_in = httpx.post(f"{api}/v1/sign-in", json=credentials, timeout=60)
        while signed_in.status_code == 503:  # a busy machine: another password is being checked
            time.sleep(1)
            signed_in = httpx.post(f"{api}/v1/sign-in", json=credentials, timeout=60)
        signed_in.raise_for_status()
        headers = {"Authorization": f"Bearer {signed_in.json()['token']}"}

        def live_beats() -> int:
            streams = httpx.get(f"{api}/v1/streams", headers=headers, timeout=60).json()["streams"]
            return sum(s["beats"] for s in streams if s["source"].endswith("live"))

        deadline = time.monotonic() + 30
        while live_beats() < 3:
            assert time.monotonic() < deadline, "the live strap does not reach the store"
            time.sleep(0.3)
        assert demo.end(how) == 0
        assert not _alive(pages)
        assert not _alive(f"{api}/v1/health")
    assert "Ended." in "".join(demo.output)
    assert "Traceback" not in "".join(demo.output)
    assert list(tmp_path.glob("ebbtide-*")) == []


def test_a_port_in_use_is_named() -> None:
    with RunningDemo() as demo:
        port = demo.words["The API"].removesuffix("/openapi.json").rsplit(":", 1)[1]
        second = RunningDemo("--api-port", port)
        assert second.process.wait(timeout=60) == 1
        second._reader.join(10)
        assert second.process.stdout is not None
        second.process.stdout.close()
        printed = " ".join("".join(second.output).split())
        assert f"Port {port} cannot be used" in printed
        assert "Traceback" not in printed
