"""A licetd on a bus of its own: by snapshot and call by call; changed, stopped, killed, and back again."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
import unittest
from datetime import datetime, timezone

import licet
from support import KEEPER, Daemon, bound, needs_programs, waits
from test_guard import Example
from test_threads import in_child


@needs_programs
class Daemons(unittest.TestCase):
    daemon: Daemon

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = Daemon({"keeper": bound(KEEPER), "strange": KEEPER.replace("keeper", "strange")})

    @classmethod
    def tearDownClass(cls) -> None:
        cls.daemon.end()

    def open(self, mode: licet.Mode = licet.Mode.SNAPSHOT, **keywords: object) -> licet.Authority:
        return licet.open(self.daemon.socket, mode=mode, **keywords)  # type: ignore[arg-type]

    def member(self, authority: licet.Authority) -> licet.Request:
        return authority.request({"request.count": 1, "user.role": "member"})

    def test_the_same_answers(self) -> None:
        for mode in (licet.Mode.SNAPSHOT, licet.Mode.REMOTE):
            with self.subTest(mode=mode), self.open(mode) as authority:
                self.assertIs(authority.mode, mode)
                request = self.member(authority)
                read = authority.behavior("rig.read")
                self.assertIs(request.check(read), licet.ALLOW)
                self.assertIs(request.check("rig.read", "rig.write"), licet.ASK)
                self.assertEqual(request.check_each([read, "rig.write"]), [licet.ALLOW, licet.ASK])
                request.set_resource("/srv/x")
                request.set_source(licet.Source.OPERATOR)
                decision = request.decide("rig.write")
                self.assertEqual(decision.obligations, ("log", "show-source", "tell"))
                self.assertEqual(decision.generation, authority.generation)
                assert decision.statement
                self.assertEqual(decision.statement.clause, "book/1")
                explanation = request.explain("rig.write")
                self.assertEqual(explanation.decision, decision)
                self.assertEqual(explanation.way, licet.Way.PLATFORM)
                with self.assertRaises(licet.InvalidError):
                    request.set_now(datetime.now(timezone.utc))
                request.reset()
                with self.assertRaises(licet.UnknownAttributeError):
                    request.set("request.nothing", 1)
                    request.check(read)
                authority.flush()

    def asserted(self) -> int:
        return int(json.loads(self.daemon.licet("status", "--json").stdout)["asserted"])

    def test_what_is_decided_here_is_counted_there(self) -> None:
        before = self.asserted()
        with self.open() as authority:
            request = self.member(authority)
            for _ in range(100):
                request.check("rig.read")
            request.check_each(["rig.read"] * 50)
            request.decide("rig.write")
            request.explain("rig.write")  # of which nothing is counted
            authority.flush(5)
        self.assertEqual(self.asserted() - before, 151)

    def test_what_can_not_be_recorded_is_not_decided(self) -> None:
        """licetd stands still; what is denied has to be recorded, until there is no room; meanwhile other threads run."""
        with self.open(timeout=0.3) as authority:
            request = authority.request()
            denied = [authority.behavior("rig.read")] * 1000
            self.assertEqual(set(request.check_each(denied)), {licet.DENY})
            authority.flush(5)
            self.daemon.pause()
            ticks: list[float] = []
            done = threading.Event()

            def tick() -> None:
                while not done.wait(0.005):
                    ticks.append(time.monotonic())

            thread = threading.Thread(target=tick)
            thread.start()
            try:
                with self.assertRaises(licet.NotRecordedError):
                    for _ in range(2000):
                        start = time.monotonic()
                        request.check_each(denied)
                end = time.monotonic()
                with self.assertRaises(licet.NotRecordedError):
                    authority.flush(0.1)
            finally:
                done.set()
                thread.join()
                self.daemon.go_on()
            self.assertGreater(end - start, 0.25)
            self.assertGreater(sum(start < at < end for at in ticks), 5)

            def is_recorded() -> bool:
                try:
                    return request.check_each(denied[:1]) == [licet.DENY]
                except licet.NotRecordedError:
                    return False

            self.assertTrue(waits(is_recorded))

    def test_whom_one_may_speak_for(self) -> None:
        for mode in (licet.Mode.SNAPSHOT, licet.Mode.REMOTE):
            with self.assertRaises(licet.NotBoundError):
                self.open(mode, operator="strange")
            with self.assertRaises(licet.LicetError):
                self.open(mode, operator="nobody")

    def test_a_change_is_seen(self) -> None:
        file = self.daemon.policy / "operators.d" / "keeper.yaml"
        before = file.read_text()
        with self.open() as authority, self.open(licet.Mode.REMOTE) as remote:
            requests = [self.member(authority), self.member(remote)]
            read = authority.behavior("rig.read")
            held = requests[0]
            held.set("request.text", "".join(["kept ", "over ", "generations"]))
            self.assertIs(held.check(read), licet.ALLOW)
            generation = authority.generation
            try:
                file.write_text(before.replace("allow: rig.read", "deny: rig.read"))
                self.assertTrue(waits(lambda: held.check(read) is licet.DENY))
                self.assertTrue(waits(lambda: requests[1].check("rig.read") is licet.DENY))
                self.assertGreater(authority.generation, generation)
            finally:
                file.write_text(before)
            self.assertTrue(waits(lambda: all(request.check("rig.read") for request in requests)))

    def test_a_stop(self) -> None:
        with self.open() as authority:
            request = self.member(authority)
            self.assertIs(request.check("rig.read"), licet.ALLOW)
            self.assertEqual(self.daemon.licet("stop", "--operator", "keeper").returncode, 0)
            try:
                self.assertTrue(waits(lambda: request.check("rig.read") is licet.DENY))
                self.assertEqual(request.decide("rig.read").decided_by, licet.DecidedBy.OVERSIGHT)
                explanation = request.explain("rig.read")
                halt = next(change for change in explanation.changes if change.change is licet.ChangeKind.HALT)
                self.assertEqual((halt.halt, halt.user), ("operator-stop", os.getuid()))
                assert halt.since
                self.assertLess(abs(time.time() - halt.since), 60)
                self.assertIn("it was stopped", str(explanation))
            finally:
                self.daemon.licet("resume", "--operator", "keeper")
            self.assertTrue(waits(lambda: request.check("rig.read") is licet.ALLOW))

    def test_in_a_child(self) -> None:
        for mode in (licet.Mode.SNAPSHOT, licet.Mode.REMOTE):
            with self.open(mode) as authority:
                request = self.member(authority)
                request.check("rig.read")

                def use(request: licet.Request = request) -> None:
                    for _ in range(10):
                        assert request.check("rig.read") is licet.ALLOW

                for _ in range(5):
                    self.assertEqual(in_child(use), 0)
                    use()

    def test_a_lost_authority(self) -> None:
        for mode in (licet.Mode.SNAPSHOT, licet.Mode.REMOTE):
            for loss in (licet.DENY, licet.ASK):
                with self.subTest(mode=mode, loss=loss):
                    authority = self.open(mode, timeout=0.2, stale_after=0.3, on_authority_loss=loss)
                    request = self.member(authority)
                    self.assertIs(request.check("rig.read"), licet.ALLOW)
                    self.daemon.kill()
                    try:
                        self.assertTrue(waits(lambda: request.decide("rig.read").lost))
                        wanted = loss if mode is licet.Mode.SNAPSHOT else licet.DENY
                        decision = request.decide("rig.read")
                        self.assertEqual(decision.effect, wanted)
                        self.assertFalse(decision)
                        self.assertIn("licetd is reached again", str(request.explain("rig.read")))
                    finally:
                        self.daemon.start()
                    self.assertTrue(waits(lambda: request.check("rig.read") is licet.ALLOW))
                    authority.close()

    def test_an_async_tool(self) -> None:
        for mode in (licet.Mode.SNAPSHOT, licet.Mode.REMOTE):
            with self.open(mode) as authority:

                async def yes(question: licet.Question) -> bool:
                    return question.decision.behavior == "rig.ask"

                @licet.guard(authority, "rig.ask", ask=yes)
                async def write(number: int) -> int:
                    return number

                async def run() -> list[int]:
                    return await asyncio.gather(*(write(i) for i in range(20)))

                self.assertEqual(asyncio.run(run()), list(range(20)))


@needs_programs
class ExampleWithDaemon(Example):
    def test_on_its_image(self) -> None:
        from support import ROOT

        folder = ROOT.parent / "guard-policy"
        daemon = Daemon(
            {"assistant": bound((folder / "operators.d" / "assistant.yaml").read_text())},
            (folder / "platform.yaml").read_text(),
        )
        try:
            said = self.run_example("y\n", "--socket", str(daemon.socket))
        finally:
            daemon.end()
        self.assertIn("done: GNU GENERAL PUBLIC LICENSE", said)
        self.assertIn("done: To: ada@example.org", said)
        self.assertIn("tool.shell.exec is denied", said)


if __name__ == "__main__":
    unittest.main()
