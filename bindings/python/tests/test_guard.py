"""Guards, and the example that shows them."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import threading
import unittest
from typing import Any

import licet
from support import ROOT, Rigged, compile_folder


class Guards(Rigged):
    def setUp(self) -> None:
        self.questions: list[licet.Question] = []
        self.ran: list[object] = []

    def yes(self, question: licet.Question) -> bool:
        self.questions.append(question)
        return True

    async def later(self, question: licet.Question) -> bool:
        await asyncio.sleep(0)
        return self.yes(question)

    def fill(self, request: licet.Request, path: str, count: int = 1) -> None:
        request.update({"request.count": count, "user.role": "member"})
        request.set_resource(path)

    def tool(self, *behaviors: str, **keywords: Any) -> Any:
        @licet.guard(self.authority, *behaviors, fill=self.fill, **keywords)
        def read(path: str, count: int = 1) -> str:
            """Reads."""
            self.ran.append(path)
            return path.upper()

        return read

    def async_tool(self, *behaviors: str, **keywords: Any) -> Any:
        @licet.guard(self.authority, *behaviors, fill=self.fill, **keywords)
        async def read(path: str, count: int = 1) -> str:
            self.ran.append(path)
            return path.upper()

        return read

    def test_allow_and_deny(self) -> None:
        read = self.tool("rig.read")
        self.assertEqual((read.__name__, read.__doc__), ("read", "Reads."))
        self.assertEqual(read("a"), "A")
        with self.assertRaises(licet.Denied) as raised:
            read("b", count=0)
        denied = raised.exception
        self.assertEqual(self.ran, ["a"])
        self.assertEqual(denied.decision.effect, licet.DENY)
        self.assertIsNotNone(denied.explanation)
        self.assertIn("The way: it takes", str(denied))
        again = pickle.loads(pickle.dumps(denied))
        self.assertEqual((str(again), again.decision), (str(denied), denied.decision))
        self.assertNotIsInstance(denied, licet.LicetError)

    def test_ask(self) -> None:
        write = self.tool("rig.ask", ask=self.yes)
        self.assertEqual(write("/etc/x", count=7), "/ETC/X")
        question = self.questions[0]
        self.assertEqual((question.tool, question.arguments), ("read", {"path": "/etc/x", "count": 7}))
        self.assertEqual(question.decision.effect, licet.ASK)
        self.assertIn("rig.ask", str(question.explanation))
        with self.assertRaises(licet.Denied) as raised:
            self.tool("rig.ask")("/etc/x")
        self.assertIn("nobody to ask", str(raised.exception))

    def test_only_true_is_a_yes(self) -> None:
        for answer in (False, None, 1, "yes", licet.ALLOW, [True]):
            with self.subTest(answer=answer), self.assertRaises(licet.Denied):
                self.tool("rig.ask", ask=lambda question, answer=answer: answer)("/etc/x")

        def failing(question: licet.Question) -> bool:
            raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError):
            self.tool("rig.ask", ask=failing)("/etc/x")
        with self.assertRaises(TypeError):
            self.tool("rig.ask", ask=self.later)
        with self.assertRaises(TypeError):
            self.tool("rig.ask", ask=lambda question: self.later(question))("/etc/x")
        self.assertEqual(self.ran, [])

    def test_obligations(self) -> None:
        with self.assertRaises(licet.Denied) as raised:
            self.tool("rig.write", honors=["log"])("/srv/x")
        self.assertIn("tell", raised.exception.reason)
        self.assertEqual(self.ran, [])
        self.tool("rig.write", honors=["log", "tell", "more"])("/srv/x")
        self.assertEqual(self.ran, ["/srv/x"])

    def test_an_action_of_several(self) -> None:
        with self.assertRaises(licet.Denied):
            self.tool("rig.read", "rig.write", honors=["log", "tell"])("/srv/x", count=0)
        self.tool("rig.read", "rig.write", honors=["log", "tell"])("/srv/x")
        with self.assertRaises(TypeError):
            licet.guard(self.authority)

    def test_what_fails_runs_nothing(self) -> None:
        def wrong(request: licet.Request, path: str) -> None:
            request.set("request.nothing", path)

        async def late(request: licet.Request, path: str) -> None:
            raise AssertionError("never run")

        for fill, kind in ((wrong, licet.UnknownAttributeError), (late, TypeError)):

            @licet.guard(self.authority, "rig.read", fill=fill)
            def tool(path: str) -> None:
                self.ran.append(path)

            with self.assertRaises(kind):
                tool("x")
        with self.assertRaises(licet.BadNameError):
            licet.guard(self.authority, "No Name")
        # One call's attributes are gone in the next: nothing is left of a request that is used again.
        counts = iter([1, None])

        def once(request: licet.Request) -> None:
            count = next(counts)
            if count is not None:
                request.update({"request.count": count, "user.role": "member"})

        guard = licet.guard(self.authority, "rig.read", fill=once)
        with guard as decision:
            self.assertTrue(decision)
        with self.assertRaises(licet.Denied), guard:
            self.ran.append("never")
        self.assertEqual(self.ran, [])

    def test_what_changed_while_a_human_thought(self) -> None:
        with licet.open(self.path, mode=licet.Mode.EMBEDDED) as authority:
            request: list[licet.Request] = []

            def keep(it: licet.Request) -> None:
                request[:] = [it]

            def think(question: licet.Question) -> bool:
                request[0].set_preference(licet.DENY)  # as a stop would
                return True

            with self.assertRaises(licet.Denied), licet.guard(authority, "rig.ask", fill=keep, ask=think):
                self.ran.append("never")
        self.assertEqual(self.ran, [])

    def test_a_closed_authority(self) -> None:
        authority = licet.open(self.path, mode=licet.Mode.EMBEDDED)
        guard = licet.guard(authority, "rig.ask", ask=self.yes)
        with guard:
            pass
        authority.close()
        with self.assertRaises(licet.InvalidError), guard:
            self.ran.append("never")
        self.assertEqual(self.ran, [])

    def test_async(self) -> None:
        async def run() -> None:
            self.assertEqual(await self.async_tool("rig.read")("a"), "A")
            with self.assertRaises(licet.Denied):
                await self.async_tool("rig.read")("a", count=0)
            for ask in (self.yes, self.later, lambda question: self.later(question)):
                self.assertEqual(await self.async_tool("rig.ask", ask=ask)("/etc/x"), "/ETC/X")
            self.assertEqual(len(self.questions), 3)
            with self.assertRaises(licet.Denied):
                await self.async_tool("rig.ask", ask=lambda question: 1)("/etc/x")
            async with licet.guard(self.authority, "rig.ask", ask=self.later) as decision:
                self.assertIs(decision.effect, licet.ASK)
            with self.assertRaises(licet.Denied):
                async with licet.guard(self.authority, "rig.ask"):
                    self.ran.append("never")

        asyncio.run(run())
        self.assertNotIn("never", self.ran)

    def test_async_asks_without_holding_up_the_loop(self) -> None:
        answered = threading.Event()

        def slow(question: licet.Question) -> bool:
            return answered.wait(10)

        async def run() -> None:
            task = asyncio.create_task(self.async_tool("rig.ask", ask=slow)("/etc/x"))
            await asyncio.sleep(0.05)
            self.assertEqual(self.ran, [])
            answered.set()
            await task
            # Many calls at once, on one guard.
            read = self.async_tool("rig.ask", ask=self.later)
            results = await asyncio.gather(*(read(f"/etc/{i}") for i in range(100)))
            self.assertEqual(results, [f"/ETC/{i}" for i in range(100)])
            # And one that is given up while a human thinks.
            never = asyncio.create_task(self.async_tool("rig.ask", ask=lambda q: asyncio.sleep(60, True))("/etc/never"))
            await asyncio.sleep(0.05)
            never.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await never

        asyncio.run(run())
        self.assertNotIn("/etc/never", self.ran)

    def test_threads(self) -> None:
        read = self.tool("rig.read")
        threads = [threading.Thread(target=lambda: [read("x") for _ in range(200)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(self.ran), 800)


class Example(Rigged):
    def run_example(self, answer: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, ROOT / "examples" / "guard_tool.py", *arguments], input=answer, capture_output=True,
            text=True, env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_on_its_image(self) -> None:
        image = compile_folder(ROOT.parent / "guard-policy")
        for answer, words in (("y\n", "done: To: ada@example.org"), ("n\n", "was not approved"), ("", "was not approved")):
            said = self.run_example(answer, "--image", str(image))
            self.assertIn("done: GNU GENERAL PUBLIC LICENSE", said)
            self.assertIn("obliges to show-recipients", said)
            self.assertIn(words, said)
            self.assertIn("tool.shell.exec is denied", said)
            self.assertIn("house-rules/no-shell-from-strangers", said)
            self.assertIn("The way: nobody can allow it", said)


if __name__ == "__main__":
    unittest.main()
