"""Processes for heavy computations: fair, bounded, and ended when nobody waits."""

from __future__ import annotations

import math
import os
import threading
import time

import pytest

from api.services.compute import (
    Computation,
    ComputationFailedError,
    ComputationStoppedError,
    WorkerPool,
    compute,
    running,
)
from api.services.compute.cancellation import Allowance


@pytest.fixture
def pool() -> WorkerPool:
    return WorkerPool(max_workers=2, max_memory_bytes=2**30)


def test_a_result_and_an_error_come_back(pool: WorkerPool) -> None:
    with running(Computation("ada")):
        assert pool.run(os.getpid) != os.getpid()
        with pytest.raises(ValueError, match="negative"):
            pool.run(math.factorial, -1)
        assert pool.run(math.factorial, 5) == 120
    assert pool.idle_processes == 1
    pool.close()
    assert pool.idle_processes == 0


def test_one_that_takes_too_much_memory_or_dies_harms_no_other(pool: WorkerPool) -> None:
    with running(Computation("ada")):
        with pytest.raises(ComputationFailedError, match="memory"):
            pool.run(bytes, 2**31)
        with pytest.raises(ComputationFailedError, match="ended"):
            pool.run(os._exit, 1)
        assert pool.run(math.factorial, 5) == 120
    pool.close()


def test_a_stopped_one_ends_at_once_and_its_process_too(pool: WorkerPool) -> None:
    computation = Computation("ada")
    with running(computation):
        process = pool.run(os.getpid)
        threading.Timer(0.3, computation.stop).start()
        began = time.monotonic()
        with pytest.raises(ComputationStoppedError):
            pool.run(time.sleep, 60)
        assert time.monotonic() - began < 10
        with pytest.raises(ComputationStoppedError):
            compute(0.0, math.factorial, 5)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    pool.close()


def test_another_person_does_not_wait_for_one_who_sends_much(pool: WorkerPool) -> None:
    stop = Computation("ada")

    def attack() -> None:
        with running(stop), pytest.raises(ComputationStoppedError):
            for _ in range(100):
                pool.run(time.sleep, 5)

    attacks = [threading.Thread(target=attack) for _ in range(6)]
    for thread in attacks:
        thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    with running(Computation("eve")):
        assert pool.run(math.factorial, 5) == 120
    assert time.monotonic() - began < 4  # a process must start; each attack sleeps for 5 s
    stop.stop()
    for thread in attacks:
        thread.join(20)
    pool.close()


def test_jobs_leave_a_process_to_what_is_waited_for(pool: WorkerPool) -> None:
    jobs = [Computation(f"person {number}", is_job=True) for number in range(3)]

    def work(job: Computation) -> None:
        with running(job), pytest.raises(ComputationStoppedError):
            pool.run(time.sleep, 60)

    threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    with running(Computation("eve")):
        assert pool.run(math.factorial, 5) == 120
    for job in jobs:
        job.stop()
    for thread in threads:
        thread.join(20)
    pool.close()


def test_an_allowance_is_of_each_person_and_comes_back() -> None:
    allowance = Allowance(burst_s=1.0, share=50.0)
    assert allowance.take("ada", 0.9)
    assert not allowance.take("ada", 0.9)
    assert allowance.take("eve", 0.9)
    time.sleep(0.1)
    assert allowance.take("ada", 0.9)
