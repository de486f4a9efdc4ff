"""Sessions: who is served, and how far an agent may go until when; by snapshot and call by call."""

from __future__ import annotations

import gc
import math
import threading
import time
import unittest
from collections.abc import Iterator

import licet
from licet import ALLOW, ASK, DENY, Mode, Oversight
from support import KEEPER, Daemon, bound, image, needs_programs
from test_threads import in_child


@needs_programs
class Sessions(unittest.TestCase):
    daemon: Daemon

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = Daemon({"keeper": bound(KEEPER)})

    @classmethod
    def tearDownClass(cls) -> None:
        cls.daemon.end()

    def both(self) -> Iterator[licet.Authority]:
        for mode in (Mode.SNAPSHOT, Mode.REMOTE):
            with self.subTest(mode=mode), licet.open(self.daemon.socket, mode=mode) as authority:
                yield authority

    def test_who_is_served_and_how_far(self) -> None:
        for authority in self.both():
            with authority.session(
                {"user.role": "member"}, behaviors=["rig.read", "rig.write"], caps={"rig.write": DENY}, resources=["/srv/*"]
            ) as session:
                self.assertEqual(len(session.id), 32)
                self.assertIs(session.authority, authority)
                request = authority.request({"request.count": 1}, session=session, resource="/srv/x")
                self.assertIs(request.session, session)
                self.assertIs(request.check("rig.read"), ALLOW)
                decision = request.decide("rig.email")
                self.assertEqual((decision.effect, decision.oversight), (DENY, Oversight.SESSION))
                explanation = request.explain("rig.email")
                holds = [step.hold for step in explanation.steps if step.hold and step.truth]
                self.assertEqual(holds, [licet.Hold(licet.HoldKind.SCOPE, "")])
                self.assertIn("outside of the session's scope", str(explanation))
                self.assertIn(licet.ChangeKind.SESSION, [change.change for change in explanation.changes])
                request.set_resource("/etc/x")
                self.assertIs(request.check("rig.read"), DENY)
                with self.assertRaises(licet.BadRequestError):
                    request.set("user.role", "guest")
                with self.assertRaises(licet.BadRequestError):
                    request.check("rig.read")
                request.reset()
                self.assertIsNone(request.session)
                request.update({"request.count": 1, "user.role": "guest"})
                self.assertIs(request.check("rig.read"), DENY)
                request.session = session
                with self.assertRaises(licet.BadRequestError):
                    request.check("rig.read")
                request.session = None
                self.assertIs(request.check("rig.read"), DENY)
            request = authority.request(session=session)
            with self.assertRaises(licet.UnknownSessionError):
                request.check("rig.read")

    def test_what_changes_is_seen(self) -> None:
        for authority in self.both():
            for other in self.both():
                session = authority.session({"user.role": "member"}, cost=2)
                joined = other.join_session(session.id)
                request = other.request({"request.count": 1}, session=joined)
                self.assertIs(request.check("rig.read"), ALLOW)
                session.set_preference("rig.read", ASK)
                self.assertIs(request.check("rig.read"), ASK)
                joined.set_preference("rig.read", None)
                self.assertIs(request.check("rig.read"), ALLOW)
                session.set_dial(0.05)
                child = session.delegate(caps={"rig": ASK}, dial=0.01)
                own = authority.request({"request.count": 1}, session=child)
                self.assertIs(own.check("rig.read"), ASK)
                self.assertEqual(joined.spend(0.5), 1.5)
                self.assertEqual(child.spend(1.5), 0)
                decision = request.decide("rig.read")
                self.assertEqual((decision.effect, decision.oversight), (DENY, Oversight.HALT))
                change = request.explain("rig.read").changes[-1]
                self.assertEqual((change.halt, change.session), ("session-spent", session.id))
                joined.close()
                for one in (request, own):
                    with self.assertRaises(licet.UnknownSessionError):
                        one.check("rig.read")
                with self.assertRaises(licet.UnknownSessionError):
                    session.close()
        endless = authority.session() if not authority.closed else licet.open(self.daemon.socket).session()
        self.assertEqual(endless.spend(1), math.inf)

    def test_terms_that_can_not_be(self) -> None:
        for authority in self.both():
            for keywords, kind in (
                ({"dial": 1}, licet.BadDialError), ({"dial": 0}, licet.BadDialError), ({"cost": -1}, licet.BadCostError),
                ({"cost": 0}, licet.BadCostError), ({"caps": {"Rig": ASK}}, licet.BadNameError),
                ({"caps": {"rig": 7}}, TypeError), ({"caps": ["rig"]}, (TypeError, AttributeError)), ({"behaviors": "rig"}, TypeError),
                ({"behaviors": [1]}, TypeError), ({"lifetime": 0}, ValueError), ({"lifetime": "x"}, TypeError),
                ({"resources": [""]}, licet.BadRequestError), ({"attributes": {"user.nobody": 1}}, licet.UnknownAttributeError),
                ({"attributes": {"user.age": "x"}}, licet.WrongTypeError), ({"attributes": {"user.age": object()}}, licet.BadRequestError),
                ({"attributes": {"request.count": 1}}, licet.BadRequestError), ({"attributes": {1: 1}}, TypeError),
            ):  # fmt: skip
                with self.subTest(keywords=keywords), self.assertRaises(kind):
                    authority.session(**keywords)
            session = authority.session()
            for call in (
                lambda: session.set_dial(2), lambda: session.spend(math.nan), lambda: session.set_preference("Rig", ASK),
                lambda: authority.join_session("no"), lambda: session.delegate(behaviors=["Rig"]),
            ):  # fmt: skip
                with self.assertRaises(licet.LicetError):
                    call()
            with self.assertRaises(TypeError):
                session.delegate({"user.role": "guest"})  # type: ignore[call-arg, dict-item]
            with self.assertRaises(TypeError):
                authority.request(session="x")  # type: ignore[arg-type]
            with licet.open(self.daemon.socket) as other, self.assertRaises(licet.InvalidError):
                other.request(session=session)
        with licet.open(image(), mode=Mode.EMBEDDED) as embedded, self.assertRaises(licet.NoAuthorityError):
            embedded.session()

    def test_threads_children_and_time(self) -> None:
        for authority in self.both():
            session = authority.session({"user.role": "member"})
            wrong: list[object] = []

            def decide(session: licet.Session = session, authority: licet.Authority = authority) -> None:
                request = authority.request({"request.count": 1}, session=session)
                for round_ in range(200):
                    if request.check("rig.read") is not ALLOW:
                        wrong.append(request)
                    if round_ % 50 == 0:
                        session.set_preference("rig.write", ASK)

            threads = [threading.Thread(target=decide) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(wrong, [])
            request = authority.request({"request.count": 1}, session=session)
            self.assertEqual(in_child(lambda: self.assertIs(request.check("rig.read"), ALLOW)), 0)
            # The request keeps it, and so does licetd.
            del session
            gc.collect()
            self.assertIs(request.check("rig.read"), ALLOW)
            short = authority.request(session=authority.session(lifetime=0.02))
            time.sleep(0.04)
            self.assertEqual(short.decide("rig.read").oversight, Oversight.HALT)


if __name__ == "__main__":
    unittest.main()
