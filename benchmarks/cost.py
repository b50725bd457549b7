"""What one request may cost, and what others notice of it: the API in a process of its own.

``python -m benchmarks.cost`` prints the 95% quantile of one person's requests, quiet and while
another person sends the dearest requests that are allowed, all the time; and the memory of the
server. Takes a minute.
"""

from __future__ import annotations

import argparse
import threading
import time

import httpx
import numpy as np

from tests.support.cost import CostServer, running_server

PATHS = ("/v1/me", "/v1/ratings", "/v1/streams", "/v1/link", "/v1/live/now")


def _quantile_ms(server: CostServer, seconds: float) -> float:
    """95% quantile of the requests of a person who uses the pages."""
    took = []
    with server.client("eve") as client:
        for path in PATHS:
            client.get(path)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for path in PATHS:
                began = time.perf_counter()
                assert client.get(path).status_code == 200
                took.append((time.perf_counter() - began) * 1000)
            time.sleep(0.1)
    return float(np.quantile(took, 0.95))


def _attack(server: CostServer, stop: threading.Event) -> None:
    """Send a dear request again and again, each one another, so that no cache has it."""
    with server.client("ada") as client:
        turn = 0
        while not stop.is_set():
            turn += 1
            query = server.range_query(
                window_s=600 + turn % 300, step_s=300, domain=("frequency", "nonlinear")
            )
            try:
                client.get("/v1/hrv", params=query)
                client.get("/v1/link", params={"span": "night" if turn % 2 else "5 minutes"})
            except httpx.HTTPError:
                pass


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--attackers", type=int, default=6, help="Connections of the one attacker")
    options = parser.parse_args()
    with running_server(days=4, ratings=400) as server:
        quiet = _quantile_ms(server, options.seconds)
        stop = threading.Event()
        threads = [
            threading.Thread(target=_attack, args=(server, stop)) for _ in range(options.attackers)
        ]
        for thread in threads:
            thread.start()
        time.sleep(2)
        attacked = _quantile_ms(server, options.seconds)
        stop.set()
        for thread in threads:
            thread.join()
        print(
            f"quiet: p95 {quiet:.1f} ms; attacked: p95 {attacked:.1f} ms; {attacked / quiet:.2f}x"
        )
        print(f"memory of the server and its processes: {server.memory_mb():.0f} MB")


if __name__ == "__main__":
    main()
