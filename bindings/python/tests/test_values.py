"""Every kind of value, there and into a condition; what is none is refused, and nothing is decided without it."""

from __future__ import annotations

import enum
import json
import unittest
from collections import OrderedDict
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any

import licet
from support import image, needs_programs

UTC = timezone.utc
TYPES = {
    "flag": "bool", "number": "int", "size": "uint", "amount": "double", "text": "string", "data": "bytes",
    "when": "timestamp", "took": "duration", "numbers": "list<int>", "words": "list<string>",
    "args": '"map<string, dyn>"', "names": '"map<int, string>"', "switches": '"map<bool, int>"', "any": "dyn",
}  # fmt: skip


class Word(str):
    pass


class Level(enum.IntEnum):
    HIGH = 7


deep: Any = 1
for _ in range(16):
    deep = [deep]

# An attribute, a value, and what is true of it in CEL.
CASES: list[tuple[str, Any, str]] = [
    ("flag", True, "request.flag == true"),
    ("flag", False, "request.flag == false"),
    ("number", 0, "request.number == 0"),
    ("number", -1, "request.number == -1"),
    ("number", 2**63 - 1, "request.number == 9223372036854775807"),
    ("number", -(2**63), "request.number == -9223372036854775807 - 1"),
    ("number", Level.HIGH, "request.number == 7"),
    ("size", 3, "request.size == 3u"),
    ("size", 2**63, "request.size == 9223372036854775808u"),
    ("size", 2**64 - 1, "request.size == 18446744073709551615u"),
    ("amount", 2.5, "request.amount == 2.5"),
    ("amount", -0.0, "request.amount == 0.0"),
    ("amount", float("inf"), "request.amount > 1.7976931348623157e308"),
    ("amount", float("nan"), "request.amount != request.amount"),
    ("amount", 3, "request.amount == 3.0"),
    ("text", "", 'request.text == ""'),
    ("text", "plain", 'request.text == "plain"'),
    ("text", "zero\0inside", r'request.text == "zero\u0000inside"'),
    ("text", "é€😀", 'request.text == "é€😀" && size(request.text) == 3'),
    ("text", Word("own class"), 'request.text == "own class"'),
    ("text", "x" * 65536, "size(request.text) == 65536"),
    ("data", b"", "size(request.data) == 0"),
    ("data", b"\x00\xff\x80", r"request.data == b'\x00\xff\x80'"),
    ("when", datetime(1970, 1, 1, tzinfo=UTC), 'request.when == timestamp("1970-01-01T00:00:00Z")'),
    ("when", datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), 'request.when == timestamp("1969-12-31T23:59:59.999999Z")'),
    (
        "when",
        datetime(2024, 2, 29, 12, 0, 0, 1, timezone(timedelta(hours=5, minutes=30))),
        'request.when == timestamp("2024-02-29T06:30:00.000001Z")',
    ),
    ("when", datetime(1, 1, 1, tzinfo=UTC), 'request.when == timestamp("0001-01-01T00:00:00Z")'),
    ("when", datetime.max.replace(tzinfo=UTC), 'request.when == timestamp("9999-12-31T23:59:59.999999Z")'),
    ("took", timedelta(0), 'request.took == duration("0s")'),
    ("took", timedelta(seconds=1, microseconds=500000), 'request.took == duration("1.5s")'),
    ("took", timedelta(microseconds=-1), 'request.took == duration("-0.000001s")'),
    ("took", timedelta(seconds=-1, microseconds=-500000), 'request.took == duration("-1.5s")'),
    ("took", timedelta(days=-2), 'request.took == duration("-172800s")'),
    ("numbers", [], "size(request.numbers) == 0"),
    ("numbers", [1, 2, 3], "request.numbers == [1, 2, 3]"),
    ("numbers", tuple(range(5000)), "size(request.numbers) == 5000 && request.numbers[4999] == 4999"),
    ("words", ["a", "é", Word("c")], 'request.words == ["a", "é", "c"]'),
    ("args", {}, "size(request.args) == 0"),
    (
        "args",
        {"argv": ["rm", "-rf"], "env": {"A": None, "b": b"\x01"}, "n": 1.5, "t": timedelta(seconds=1)},
        'request.args.argv == ["rm", "-rf"] && request.args.env.A == null && request.args.env.b == b"\\x01" '
        '&& request.args.n == 1.5 && request.args.t == duration("1s")',
    ),
    ("args", OrderedDict(a=1), "request.args.a == 1"),
    ("names", {1: "one", -2: "minus two"}, 'request.names[-2] == "minus two"'),
    ("switches", {True: 1, False: 0}, "request.switches[true] == 1"),
    ("any", None, "request.any == null"),
    ("any", True, "request.any == true"),
    ("any", [1, "a", [None]], 'request.any[1] == "a" && request.any[2][0] == null'),
    ("any", deep, "size(request.any) == 1"),
    ("any", datetime(2024, 1, 1, tzinfo=UTC), 'request.any == timestamp("2024-01-01T00:00:00Z")'),
]


class Nowhere(tzinfo):
    """Naive in spite of a tzinfo."""

    def utcoffset(self, when: datetime | None) -> timedelta | None:
        return None

    def dst(self, when: datetime | None) -> timedelta | None:
        return None

    def tzname(self, when: datetime | None) -> str | None:
        return None


class Failing(Nowhere):
    def utcoffset(self, when: datetime | None) -> timedelta:
        raise ArithmeticError("no offset")


cycle: list[Any] = []
cycle.append(cycle)

BAD: list[tuple[str, Any, type[Exception], str]] = [
    ("any", object(), licet.BadRequestError, "`object`"),
    ("any", {1, 2}, licet.BadRequestError, "`set`"),
    ("any", bytearray(b"x"), licet.BadRequestError, "`bytearray`"),
    ("any", date(2024, 1, 1), licet.BadRequestError, "date"),
    ("any", [1, object()], licet.BadRequestError, "`object`"),
    ("any", {"a": {2.5: 1}}, licet.BadRequestError, "key"),
    ("any", {b"a": 1}, licet.BadRequestError, "key"),
    ("number", 2**64, licet.BadRequestError, "64 bits"),
    ("number", -(2**63) - 1, licet.BadRequestError, "64 bits"),
    ("text", "\ud800", licet.BadRequestError, "surrogates"),
    ("text", "x" * 65537, licet.TooManyError, "65537"),
    ("data", b"x" * 65537, licet.TooManyError, "65537"),
    ("any", ["x" * 65537], licet.TooManyError, "65537"),
    ("any", [deep], licet.TooManyError, "deep"),
    ("any", cycle, licet.TooManyError, "deep"),
    ("when", datetime(2024, 1, 1), licet.BadRequestError, "time zone"),
    ("when", datetime(2024, 1, 1, tzinfo=Nowhere()), licet.BadRequestError, "time zone"),
    ("when", datetime(2024, 1, 1, tzinfo=Failing()), ArithmeticError, "no offset"),
    ("when", datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), licet.BadRequestError, "request.when"),
    ("took", timedelta.max, licet.BadRequestError, "request.took"),
    ("number", "one", licet.WrongTypeError, "request.number"),
    ("flag", 1, licet.WrongTypeError, "request.flag"),
    ("amount", 2**53 + 1, licet.WrongTypeError, "request.amount"),
    ("text", b"bytes", licet.WrongTypeError, "request.text"),
    ("numbers", [1, "a"], licet.WrongTypeError, "request.numbers"),
]


@needs_programs
class Values(unittest.TestCase):
    authority: licet.Authority

    @classmethod
    def setUpClass(cls) -> None:
        platform = "licet: 1\nlayer: platform\nname: values\nattributes:\n  request:\n"
        platform += "".join(f"    {name}: {kind}\n" for name, kind in TYPES.items())
        platform += "behaviors:\n  free: {default: allow, stakes: 0}\n  v: {default: deny, operators-may: allow, stakes: 0}\n"
        operator = "licet: 1\nlayer: operator\nname: values\nrules:\n"
        for i, (_, _, condition) in enumerate(CASES):
            platform += f"  v.c{i}: {{default: deny, operators-may: allow, stakes: 0}}\n"
            operator += f"  - {{allow: v.c{i}, when: {json.dumps(condition, ensure_ascii=False)}}}\n"
        cls.authority = licet.open(image(platform, {"values": operator}), mode=licet.Mode.EMBEDDED)

    def test_each_kind_reaches_its_condition(self) -> None:
        request = self.authority.request()
        for i, (name, value, condition) in enumerate(CASES):
            attribute = f"request.{name}"
            for said in (attribute, self.authority.attribute(attribute)):
                with self.subTest(condition, said=said):
                    request.reset()
                    self.assertEqual(request.check(f"v.c{i}"), licet.DENY)
                    request.set(said, value)
                    self.assertEqual(request.check(f"v.c{i}"), licet.ALLOW, request.explain(f"v.c{i}"))
                    request.unset(said)
                    self.assertEqual(request.check(f"v.c{i}"), licet.DENY)

    def test_set_before_the_first_check(self) -> None:
        for i, (name, value, condition) in enumerate(CASES):
            with self.subTest(condition):
                request = self.authority.request({f"request.{name}": value})
                self.assertEqual(request.check(f"v.c{i}"), licet.ALLOW)

    def test_what_is_no_value_is_refused_and_nothing_is_decided_without_it(self) -> None:
        for name, value, kind, words in BAD:
            for is_laid in (False, True):
                with self.subTest(name, value=type(value), is_laid=is_laid):
                    request = self.authority.request()
                    if is_laid:
                        self.assertEqual(request.check("free"), licet.ALLOW)
                        with self.assertRaises(kind) as raised:
                            request.set(f"request.{name}", value)
                        self.assertIn(words, str(raised.exception))
                    else:
                        try:
                            request.set(f"request.{name}", value)
                        except (licet.LicetError, ArithmeticError) as error:
                            self.assertIsInstance(error, kind)
                    for ask in (request.check, request.decide, request.explain):
                        with self.assertRaises(licet.LicetError):
                            ask("free")
                    with self.assertRaises(licet.LicetError):
                        request.check_each(["free"])
                    request.unset(f"request.{name}")
                    self.assertEqual(request.check("free"), licet.ALLOW)


if __name__ == "__main__":
    unittest.main()
