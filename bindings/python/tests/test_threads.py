"""Threads, processes, interpreters: many at once on one authority; a request belongs to one at a time."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
import unittest
import warnings

import licet
from support import Rigged


def in_child(function: object) -> int:
    """Exit status of a forked child that runs it: 0 is well."""
    assert callable(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads, and a fork: on purpose
        child = os.fork()
    if child == 0:
        status = 1
        try:
            function()
            status = 0
        except BaseException as error:
            print("in the child:", repr(error), file=sys.stderr)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def worker(path: str, answers: multiprocessing.SimpleQueue[int]) -> None:
    with licet.open(path, mode=licet.Mode.EMBEDDED) as authority:
        request = authority.request({"request.count": 1, "user.role": "member"})
        answers.put(int(request.check("rig.read")))


class Threads(Rigged):
    def test_many_threads_on_one_authority(self) -> None:
        wrong: list[object] = []
        start = threading.Barrier(8)

        def run(number: int) -> None:
            start.wait()
            for i in range(300):
                request = self.authority.request({"request.count": number % 2, "user.role": "member"})
                name = self.authority.behavior(f"rig.read.t{number}-{i}")
                wanted = licet.ALLOW if number % 2 else licet.DENY
                got = {request.check(name), request.check("rig.read"), request.decide(name).effect,
                       request.check_each([name])[0], request.explain(name).decision.effect}  # fmt: skip
                if got != {wanted}:
                    wrong.append((number, i, got))

        threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_a_request_that_two_threads_use_is_an_error_and_no_crash(self) -> None:
        request = self.member()
        many = [self.authority.behavior("rig.read")] * 200_000
        counts = {"refused": 0, "allowed": 0}
        errors: list[BaseException] = []
        done = threading.Event()

        def poke() -> None:
            while not done.is_set():
                try:
                    request.set("request.text", "x" * 100)
                    request.check("rig.read")
                    request.set_resource("/srv/" + "y" * 50)
                    request.unset("request.text")
                    counts["allowed"] += 1
                except licet.InvalidError:
                    counts["refused"] += 1
                except BaseException as error:
                    errors.append(error)
                    return

        threads = [threading.Thread(target=poke) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            try:
                self.assertEqual(set(request.check_each(many)), {licet.ALLOW})
            except licet.InvalidError:
                counts["refused"] += 1
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertGreater(counts["refused"], 0)
        self.assertIs(request.check("rig.read"), licet.ALLOW)

    def test_an_authority_that_is_closed_while_it_is_used(self) -> None:
        for _ in range(50):
            authority = licet.open(self.path, mode=licet.Mode.EMBEDDED)
            stopped: list[int] = []

            def use(authority: licet.Authority = authority, stopped: list[int] = stopped) -> None:
                for i in range(10_000):
                    try:
                        authority.behavior(f"rig.b{i % 50}")
                        authority.request().close()
                        authority.flush()
                    except licet.InvalidError:
                        stopped.append(i)
                        return

            threads = [threading.Thread(target=use) for _ in range(2)]
            for thread in threads:
                thread.start()
            time.sleep(0.002)
            authority.close()
            for thread in threads:
                thread.join()
            self.assertEqual(len(stopped), 2)

    def test_other_threads_run_while_liblicet_decides(self) -> None:
        """The GIL is given back: another thread's plain Python goes on during one long call."""
        request = self.member()
        many = [self.authority.behavior("rig.read")] * 3_000_000
        old = sys.getswitchinterval()
        sys.setswitchinterval(60)  # nobody is asked to give the GIL up
        ticks: list[float] = []
        done = threading.Event()

        def tick() -> None:
            while not done.is_set():
                ticks.append(time.perf_counter())
                time.sleep(0.001)

        thread = threading.Thread(target=tick)
        thread.start()
        try:
            start = time.perf_counter()
            request.check_each(many)
            end = time.perf_counter()
        finally:
            done.set()
            thread.join()
            sys.setswitchinterval(old)
        self.assertGreater(sum(start < at < end for at in ticks), 5)

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "two threads need two processors")
    @unittest.skipIf(os.environ.get("LICET_SLOW_BUILD"), "instrumented: no measure")
    def test_two_threads_decide_side_by_side(self) -> None:
        """The best of several rounds: the machine may have other things to do."""
        many = [self.authority.behavior("rig.read")] * 300_000

        def run(count: int) -> float:
            requests = [self.member() for _ in range(count)]
            threads = [threading.Thread(target=request.check_each, args=(many,)) for request in requests]
            start = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return time.perf_counter() - start

        speedups: list[float] = []
        for _ in range(20):
            speedups.append(2 * min(run(1), run(1)) / run(2))
            if speedups[-1] > 1.4:
                return
        if os.getloadavg()[0] > 1.5:
            self.skipTest(f"this machine is busy: {max(speedups):.2f} times")
        self.fail(f"two threads do at most {max(speedups):.2f} times what one does")


class Processes(Rigged):
    def test_in_a_child(self) -> None:
        request = self.member()
        request.check("rig.read")

        def use() -> None:
            assert request.check("rig.read") is licet.ALLOW
            request.set("request.count", 0)
            assert request.check("rig.read") is licet.DENY
            assert self.authority.request().check("rig.read") is licet.DENY
            self.authority.close()

        for _ in range(20):
            self.assertEqual(in_child(use), 0)
        self.assertIs(request.check("rig.read"), licet.ALLOW)

    def test_a_request_that_was_in_use_at_the_fork_stays_so(self) -> None:
        request = self.member()
        many = [self.authority.behavior("rig.read")] * 5_000_000
        thread = threading.Thread(target=request.check_each, args=(many,))
        thread.start()
        try:
            while True:
                try:
                    request.set("user.age", 1)
                except licet.InvalidError:
                    break
                self.assertTrue(thread.is_alive())

            def use() -> None:
                try:
                    request.check("rig.read")
                except licet.InvalidError:
                    assert self.member().check("rig.read") is licet.ALLOW
                else:
                    raise AssertionError("a request in use was given to the child")

            self.assertEqual(in_child(use), 0)
        finally:
            thread.join()

    def test_multiprocessing(self) -> None:
        for context in (multiprocessing.get_context("fork"), multiprocessing.get_context("spawn")):
            answers: multiprocessing.SimpleQueue[int] = context.SimpleQueue()
            process = context.Process(target=worker, args=(str(self.path), answers))
            process.start()
            self.assertEqual(answers.get(), licet.ALLOW)
            process.join()
            self.assertEqual(process.exitcode, 0)

    def test_subinterpreters(self) -> None:
        """In a process of its own; each interpreter has its own module, types and members."""
        program = f"""
import sys
try:
    import _interpreters as interpreters
    create = lambda: interpreters.create("isolated")
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        sys.exit(77)
    create = interpreters.create
script = '''
import licet
with licet.open({str(self.path)!r}, mode=licet.Mode.EMBEDDED) as authority:
    request = authority.request({{"request.count": 1, "user.role": "member"}})
    assert request.check("rig.read") is licet.ALLOW
    assert request.explain("rig.read").decision.effect is licet.ALLOW
'''
import licet
for _ in range(3):
    one = create()
    failure = interpreters.run_string(one, script)
    if failure: sys.exit(str(failure))
    interpreters.destroy(one)
exec(script)
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        if done.returncode == 77:
            self.skipTest("this Python makes no interpreters")
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
