"""Requests, decisions, explanations and errors, on an image."""

from __future__ import annotations

import copy
import errno
import gc
import pickle
import socket
import threading
import unittest
from datetime import datetime, timezone
from typing import Any

import licet
from licet import _types
from support import KEEPER, Rigged, image, scratch

EMBEDDED = licet.Mode.EMBEDDED


class Requests(Rigged):
    def test_by_name_and_by_handle(self) -> None:
        request = self.member()
        read = self.authority.behavior("rig.read")
        self.assertEqual(read.name, "rig.read")
        self.assertEqual(repr(read), "<licet.Behavior rig.read>")
        for said in ("rig.read", read):
            self.assertIs(request.check(said), licet.ALLOW)
            self.assertIs(request.decide(said).effect, licet.ALLOW)
        count = self.authority.attribute("request.count")
        request.set(count, 0)
        self.assertIs(request.check(read), licet.DENY)
        request.update({"request.count": 2})
        self.assertIs(request.check(read), licet.ALLOW)
        request.unset("request.count")
        self.assertIs(request.check(read), licet.DENY)

    def test_handles_are_equal_by_name(self) -> None:
        a, b = self.authority.behavior("rig.read"), self.authority.behavior("rig.read")
        self.assertEqual({a: 1}[b], 1)
        self.assertNotEqual(a, self.authority.behavior("rig"))
        self.assertNotEqual(a, "rig.read")
        self.assertNotEqual(self.authority.attribute("user.age"), self.authority.behavior("rig"))

    def test_an_action_of_several(self) -> None:
        request = self.member()
        self.assertIs(request.check("rig.read", self.authority.behavior("rig.write")), licet.ASK)
        self.assertIs(request.check("rig.read", "rig.unknown-one"), licet.DENY)
        self.assertEqual(request.decide("rig.read", "rig.write").behavior, "rig.write")
        with self.assertRaises(licet.NoBehaviorError):
            request.check()  # type: ignore[call-arg]
        self.assertIs(request.check(*["rig.read"] * 256), licet.ALLOW)
        with self.assertRaises(licet.TooManyError):
            request.check(*["rig.read"] * 257)
        for ask in (request.check, request.decide, request.explain):
            with self.assertRaises(TypeError):
                ask("rig.read", 3)  # type: ignore[arg-type]
            with self.assertRaises(licet.BadNameError):
                ask("Rig..read")

    def test_each(self) -> None:
        request = self.member()
        read = self.authority.behavior("rig.read")
        self.assertEqual(
            request.check_each(iter((read, "rig.write", "rig.unknown"))),
            [licet.ALLOW, licet.ASK, licet.DENY],
        )
        self.assertEqual(request.check_each([]), [])
        with self.assertRaises(licet.BadNameError):
            request.check_each([read, "Not a name"])
        with self.assertRaises(TypeError):
            request.check_each([read, None])  # type: ignore[list-item]

    def test_what_every_request_has(self) -> None:
        request = self.authority.request(source=licet.Source.USER, resource="/srv/a")
        self.assertIs(request.check("rig.write"), licet.ALLOW)
        request.set_source(licet.Source.OPERATOR)
        self.assertIs(request.check("rig.write"), licet.ASK)
        request.set_source(licet.Source.AGENT)
        request.set_resource("/etc/é")
        self.assertIs(request.check("rig.write"), licet.ASK)
        request.set_now(datetime(2029, 1, 1, tzinfo=timezone.utc))
        self.assertIs(request.check("rig.email"), licet.ALLOW)
        request.set_argument("it is urgent")
        self.assertIs(request.check("rig.email"), licet.DENY)
        request.reset()
        request.set_now(datetime(2031, 1, 1, tzinfo=timezone.utc))
        self.assertIs(request.check("rig.email"), licet.ASK)
        request.set_preference(licet.DENY)
        decision = request.decide("rig.email")
        self.assertEqual((decision.effect, decision.decided_by), (licet.DENY, licet.DecidedBy.PREFERENCE))
        self.assertIsNone(decision.statement)
        request.set_preference(None)
        self.assertIs(request.check("rig.email"), licet.ASK)
        lifted = self.authority.request(preference=licet.ALLOW)
        self.assertIs(lifted.check("rig.read"), licet.ALLOW)

    def test_parts_that_are_none_spoil_the_request(self) -> None:
        wrong: list[tuple[str, Any]] = [
            ("set_source", 7), ("set_source", True), ("set_source", "user"), ("set_source", None), ("set_source", -1),
            ("set_source", 2**70), ("set_preference", 3), ("set_preference", -1), ("set_preference", "deny"),
            ("set_resource", None), ("set_resource", b"x"), ("set_resource", "\udc80"), ("set_resource", "x" * 65537),
            ("set_argument", 3), ("set_argument", "\udc80"),
            ("set_now", datetime(2024, 1, 1)), ("set_now", 5), ("set_now", None),
        ]  # fmt: skip
        for setter, value in wrong:
            with self.subTest(setter, value=value if len(repr(value)) < 99 else "long"):
                request = self.member()
                with self.assertRaises(licet.LicetError):
                    getattr(request, setter)(value)
                with self.assertRaises(licet.LicetError):
                    request.check("rig.read")
                request.reset()
                request.update({"request.count": 1, "user.role": "member"})
                self.assertIs(request.check("rig.read"), licet.ALLOW)

    def test_attributes_that_are_none(self) -> None:
        request = self.authority.request()
        for bad in (3, None, self.authority.behavior("rig")):
            with self.assertRaises(TypeError):
                request.set(bad, 1)  # type: ignore[arg-type]
            with self.assertRaises(licet.LicetError):
                request.check("rig.read")
            request.reset()
            with self.assertRaises(TypeError):
                request.unset(bad)  # type: ignore[arg-type]
        with self.assertRaises(TypeError):
            request.set("request.count")  # type: ignore[call-arg]
        with self.assertRaises((TypeError, AttributeError)):
            request.update(3)  # type: ignore[arg-type]

    def test_a_decision(self) -> None:
        request = self.authority.request(resource="/srv/x", source=licet.Source.OPERATOR)
        decision = request.decide("rig.write")
        self.assertEqual(decision.effect, licet.ASK)
        self.assertFalse(decision)
        self.assertEqual(decision.behavior, "rig.write")
        self.assertEqual(decision.generation, 1)
        self.assertEqual(decision.decided_by, licet.DecidedBy.SAFETY)
        self.assertFalse(decision.lost)
        self.assertEqual(decision.obligations, ("log", "show-source", "tell"))
        statement = decision.statement
        assert statement
        self.assertEqual((statement.file, statement.form), ("platform.yaml", licet.Form.RULE))
        self.assertEqual(statement.clause, "book/1")
        self.assertEqual(statement.condition, 'request.source == "operator"')
        self.assertEqual(str(statement), f"platform.yaml:{statement.line} [book/1]")
        self.assertEqual(pickle.loads(pickle.dumps(decision)), decision)
        with self.assertRaises(AttributeError):
            decision.effect = licet.ALLOW  # type: ignore[misc]
        request.set_source(licet.Source.AGENT)
        self.assertTrue(request.decide("rig.write"))

    def test_only_allow_is_true(self) -> None:
        self.assertEqual([bool(effect) for effect in licet.Effect], [False, False, True])
        self.assertEqual([bool(truth) for truth in licet.Truth], [False, True, False])
        self.assertLess(licet.DENY, licet.ASK)

    def test_an_explanation(self) -> None:
        request = self.authority.request(resource="/srv/x", source=licet.Source.OPERATOR)
        explanation = request.explain("rig.write")
        self.assertEqual(explanation.decision, request.decide("rig.write"))
        self.assertFalse(explanation)
        self.assertEqual(explanation.way, licet.Way.PLATFORM)
        limit = next(step for step in explanation.steps if step.step is licet.StepKind.LIMIT)
        self.assertEqual((limit.tier, limit.says, limit.effect), (licet.Tier.SAFETY, licet.ASK, licet.ASK))
        self.assertEqual(explanation.changes[0].change, licet.ChangeKind.PLATFORM_LIMIT)
        self.assertEqual(explanation.changes[0].halt, "")
        self.assertIsNone(explanation.changes[0].since)
        text = str(explanation)
        self.assertIn("The way: it takes the platform", text)
        self.assertIn("platform.yaml", text)
        failed = self.authority.request({"request.count": 1}).explain("rig.read")
        step = next(step for step in failed.steps if step.truth is licet.Truth.FAILED)
        self.assertEqual((step.failure, step.attribute), ("missing-attribute", "user.role"))
        self.assertIn("missing-attribute user.role", str(failed))
        self.assertEqual(pickle.loads(pickle.dumps(explanation)), explanation)

    def test_as_licet_explain_says(self) -> None:
        """Each enumeration has a text: none falls through to a number."""
        requests = [
            self.member(), self.authority.request(), self.authority.request(preference=licet.ALLOW),
            self.authority.request(source=licet.Source.OPERATOR), self.authority.request(argument="urgent"),
        ]  # fmt: skip
        for request in requests:
            for name in ("rig", "rig.read", "rig.write", "rig.email", "unheard.of", "harm.csam", "transparency.admit-ai"):
                text = str(request.explain(name))
                self.assertTrue(text.startswith(("deny", "ask", "allow")), text)
                self.assertNotRegex(text, r"\b(step|change|decided by +)\d")


class Errors(Rigged):
    def raised(self, kind: type[licet.LicetError], code: int, function: Any, *arguments: Any, **keywords: Any) -> str:
        with self.assertRaises(licet.LicetError) as caught:
            function(*arguments, **keywords)
        self.assertIs(type(caught.exception), kind, caught.exception)
        self.assertEqual(caught.exception.code, code)
        self.assertTrue(str(caught.exception))
        return str(caught.exception)

    def test_opening(self) -> None:
        path = scratch()
        self.raised(licet.SystemCallError, -3, licet.open, path / "none", mode=EMBEDDED)
        try:
            licet.open(path / "none", mode=EMBEDDED)
        except licet.SystemCallError as error:
            self.assertEqual(error.system, errno.ENOENT)
        (path / "bad").write_bytes(b"no image at all")
        self.raised(licet.ImageError, -4, licet.open, path / "bad", mode=EMBEDDED)
        self.raised(licet.UnknownOperatorError, -8, licet.open, self.path, mode=EMBEDDED, operator="nobody")
        two = image(operators={"keeper": KEEPER, "other": KEEPER.replace("keeper", "other")})
        self.raised(licet.AmbiguousOperatorError, -9, licet.open, two, mode=EMBEDDED)
        licet.open(two, mode=EMBEDDED, operator="other").close()
        self.raised(licet.InvalidError, -1, licet.open, mode=EMBEDDED)
        self.raised(licet.InvalidError, -1, licet.open, self.path, mode=7)
        self.raised(licet.InvalidError, -1, licet.open, self.path, mode=EMBEDDED, on_authority_loss=licet.ALLOW)
        for mode in (licet.Mode.SNAPSHOT, licet.Mode.REMOTE):
            self.assertIn("licetd", self.raised(licet.NoAuthorityError, -5, licet.open, path / "none", mode=mode))
        for wrong in (0, -1, float("nan"), float("inf")):
            with self.assertRaises(ValueError):
                licet.open(self.path, mode=EMBEDDED, timeout=wrong)
        with self.assertRaises(ValueError):
            licet.open("with\0zero", mode=EMBEDDED)

    def test_what_is_no_licetd(self) -> None:
        path = scratch() / "attach"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
            server.bind(str(path))
            server.listen()

            def answer() -> None:
                one, _ = server.accept()
                with one:
                    one.recv(65536)
                    one.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            self.raised(licet.ProtocolError, -6, licet.open, path, timeout=2)
            thread.join()

    def test_a_request(self) -> None:
        request = self.member()
        self.assertIs(request.check("rig.read"), licet.ALLOW)
        self.raised(licet.UnknownAttributeError, -10, request.set, "request.nothing", 1)
        self.raised(licet.UnknownAttributeError, -10, request.check, "rig.read")
        request.unset("request.nothing")
        self.raised(licet.VerifiedAttributeError, -11, request.set, "request.secret", "x")
        request.unset("request.secret")
        self.raised(licet.WrongTypeError, -12, request.set, "user.role", "stranger")
        request.set("user.role", "member")
        self.assertIs(request.check("rig.read"), licet.ALLOW)
        self.raised(licet.NoBehaviorError, -13, request.check)
        self.raised(licet.BadNameError, -14, request.check, "")
        self.raised(licet.BadNameError, -14, self.authority.behavior, "Bad Name")
        self.raised(licet.UnknownAttributeError, -10, self.authority.attribute, "")
        self.raised(licet.UnknownAttributeError, -10, request.set, "with\0zero", 1)
        request.reset()

    def test_other_authorities_handles(self) -> None:
        with licet.open(self.path, mode=EMBEDDED) as other:
            request = self.member()
            self.raised(licet.InvalidError, -1, request.check, other.behavior("rig.read"))
            self.raised(licet.InvalidError, -1, request.set, other.attribute("request.count"), 5)
            self.raised(licet.BadRequestError, -15, request.check, "rig.read")
            request.set("request.count", 5)
            self.assertIs(request.check("rig.read"), licet.ALLOW)

    def test_every_code_has_a_class(self) -> None:
        self.assertEqual(sorted(_types.ERRORS), list(range(-22, 0)))
        for code, kind in _types.ERRORS.items():
            error = _types.make_error(code, "", 5)
            self.assertIs(type(error), kind)
            self.assertEqual((error.code, error.system), (code, 5))
            self.assertTrue(str(error))
            again = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(again), str(again), again.system), (kind, str(error), 5))
        later = _types.make_error(-99, "of tomorrow", 0)
        self.assertEqual((type(later), later.code), (licet.UnknownError, -99))
        self.assertIsInstance(later, licet.LicetError)


class Lifetimes(Rigged):
    def test_closing(self) -> None:
        with licet.open(self.path, mode=EMBEDDED) as authority:
            self.assertEqual((authority.mode, authority.generation, authority.closed), (EMBEDDED, 1, False))
            authority.flush()
            authority.flush(timeout=0)
            request = authority.request({"request.count": 1, "user.role": "member"})
            read = authority.behavior("rig.read")
        self.assertTrue(authority.closed)
        authority.close()
        for use in (authority.request, authority.flush, lambda: authority.mode, lambda: authority.generation):
            with self.assertRaises(licet.InvalidError):
                use()
        with self.assertRaises(licet.InvalidError):
            authority.behavior("rig")
        # Requests go on, and so do their names.
        self.assertIs(request.check(read), licet.ALLOW)
        request.set("user.age", 3)
        with request:
            self.assertFalse(request.closed)
        self.assertTrue(request.closed)
        request.close()
        for call in (lambda: request.check(read), lambda: request.set("user.age", 3), request.reset):
            with self.assertRaises(licet.InvalidError):
                call()
        with self.assertRaises(ValueError):
            self.authority.flush(-1)

    def test_what_was_set_stays_while_it_is_needed(self) -> None:
        request = self.authority.request()
        noise: list[bytes] = []
        for i in range(3000):
            request.set("request.text", f"text {i} {'x' * (i % 300)}")
            request.set("user.role", "".join(["mem", "ber"]))
            request.set("request.tags", [f"{i}", "y" * (i % 50)])
            request.set("request.count", i + 1)
            request.set_resource("".join(["/srv/", str(i)]))
            request.set_argument(f"because {i}")
            noise = [bytes([i % 256]) * (i % 400)] * 20
            if i % 500 == 0:
                gc.collect()
            self.assertIs(request.check("rig.read"), licet.ALLOW)
            self.assertIs(request.check("rig.write"), licet.ALLOW)
            if i % 7 == 0:
                request.reset()
        del noise

    def test_many_that_come_and_go(self) -> None:
        for i in range(300):
            authority = licet.open(self.path, mode=EMBEDDED)
            requests = [authority.request({"request.tags": ["a"] * i, "request.count": i}) for _ in range(3)]
            handles = [authority.behavior(f"rig.n{k}") for k in range(5)]
            del authority
            self.assertIs(requests[1].check(handles[0]), licet.DENY)
        gc.collect()

    def test_answers_need_nothing(self) -> None:
        with licet.open(self.path, mode=EMBEDDED) as authority, authority.request() as request:
            explanation = request.explain("rig.write")
            decision = request.decide("rig.write")
        gc.collect()
        self.assertIn("rig.write", str(explanation))
        self.assertEqual(decision.behavior, "rig.write")

    def test_a_collector_in_the_midst(self) -> None:
        """Finalizers that ask, run by the collector in the midst of answers."""
        request = self.member()
        seen: set[object] = set()

        class Asker:
            def __del__(self) -> None:
                try:
                    seen.add(request.check("rig.read"))
                except licet.InvalidError:
                    seen.add("refused")

        old = gc.get_threshold()
        gc.set_threshold(1)
        try:
            for _ in range(300):
                a = Asker()
                a.me = a  # type: ignore[attr-defined]
                del a
                self.assertIs(request.explain("rig.read").decision.effect, licet.ALLOW)
        finally:
            gc.set_threshold(*old)
        self.assertIn(licet.ALLOW, seen)

    def test_no_copies(self) -> None:
        things = [self.authority, self.member(), self.authority.behavior("rig"), self.authority.attribute("user.age")]
        for thing in things:
            with self.assertRaises(TypeError):
                pickle.dumps(thing)
            with self.assertRaises(TypeError):
                copy.copy(thing)
            with self.assertRaises(TypeError):
                type(thing)()
            with self.assertRaises(TypeError):
                type("Sub", (type(thing),), {})
            with self.assertRaises(AttributeError):
                setattr(thing, "anything", 1)

    def test_nothing_leaks(self) -> None:
        import tracemalloc

        def work() -> None:
            request = self.authority.request()
            for i in range(200):
                request.set("request.tags", ["a", "b" * 100, str(i)])
                request.set("request.text", f"t{i}")
                request.decide("rig.write")
                request.explain("rig.write")
                request.check_each(["rig.read"] * 10)
                for bad in (object(), 2**70, ["\ud800"]):
                    try:
                        request.set("request.tags", bad)  # type: ignore[arg-type]
                    except licet.LicetError:
                        pass

        work()
        gc.collect()
        tracemalloc.start()
        work()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(5):
            work()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.assertLess(after - before, 20_000)

    def test_version(self) -> None:
        self.assertRegex(licet.version(), r"^\d+\.\d+\.\d+$")


if __name__ == "__main__":
    unittest.main()
