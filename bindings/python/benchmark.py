#!/usr/bin/env python3
"""What a check costs from Python: `benchmark.py IMAGE` prints "name nanoseconds" lines, the best of several rounds each.

IMAGE is of Benchmarks/library/policy.py's policy: `policy.py DIR 100 20`, `licet compile DIR -o IMAGE`: 100 behaviours of 20
rules with two conditions each. Pin it to a core (`taskset -c 0`) before comparing; `two-threads` is left out then.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import timeit

import licet
from licet import _licet

ROUNDS, CALLS = 7, 200_000


def measure(name: str, statement: str, names: dict[str, object], calls: int = CALLS, each: int = 1) -> None:
    """`each`: how many decisions one call makes."""
    # Ten in a row, so that the loop's own step is a tenth of itself.
    timer = timeit.Timer("; ".join([statement] * 10), globals=names)
    rounds = timer.repeat(ROUNDS, calls // 10)
    print(f"{name} {min(rounds) / calls / each * 1e9:.1f}")


def name_of(number: int) -> str:
    """As policy.py has it."""
    return f"area-{100 + number // 100}.subject-{100 + number // 10}.behavior-{10_000 + number}"


NAME = name_of(0)


def filled(authority: licet.Authority) -> licet.Request:
    return authority.request({"request.count": 1000, "user.role": "member"})


def on_threads(authority: licet.Authority, count: int, calls: int) -> float:
    """Nanoseconds a decision, of each thread's many at once: check_each gives the GIL back once for all of them."""
    behaviors = [authority.behavior(name_of(i % 100)) for i in range(10_000)]
    requests = [filled(authority) for _ in range(count)]
    barrier = threading.Barrier(count + 1)

    def run(request: licet.Request) -> None:
        barrier.wait()
        for _ in range(calls):
            request.check_each(behaviors)
        barrier.wait()

    threads = [threading.Thread(target=run, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = time.perf_counter()
    barrier.wait()
    taken = time.perf_counter() - start
    for thread in threads:
        thread.join()
    return taken / (calls * len(behaviors) * count) * 1e9


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with licet.open(sys.argv[1], mode=licet.Mode.EMBEDDED, operator="bench") as authority:
        request = filled(authority)
        behavior = authority.behavior(NAME)
        if request.check(behavior) is not licet.ALLOW:
            sys.exit("benchmark: this is not the benchmark's policy")
        names: dict[str, object] = {
            "check": request.check, "decide": request.decide, "explain": request.explain, "set": request.set,
            "each": request.check_each, "nothing": _licet.nothing, "behavior": behavior, "name": NAME,
            "count": authority.attribute("request.count"), "role": authority.attribute("user.role"),
            "other": authority.behavior(name_of(1)), "hundred": [authority.behavior(name_of(i)) for i in range(100)],
        }  # fmt: skip
        measure("empty-call", "nothing(behavior)", names)
        measure("check-handle", "check(behavior)", names)
        # Another question than the one before: no answer is at hand.
        measure("check-handles-in-turn", "check(behavior); check(other)", names, CALLS // 2, 2)
        measure("check-name", "check(name)", names)
        measure("set-two-and-check-handle", "set(count, 1000); set(role, 'member'); check(behavior)", names)
        measure("set-two-and-check-name", "set('request.count', 1000); set('user.role', 'member'); check(name)", names)
        measure("check-each-of-100", "each(hundred)", names, CALLS // 100, 100)
        measure("decide-handle", "decide(behavior)", names, CALLS // 10)
        measure("explain", "explain(behavior)", names, CALLS // 100)
        if len(os.sched_getaffinity(0)) > 1:
            print(f"one-thread {on_threads(authority, 1, 200):.1f}")
            print(f"two-threads {on_threads(authority, 2, 200):.1f}")


if __name__ == "__main__":
    main()
