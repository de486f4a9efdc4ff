#!/usr/bin/env python3
"""Writes Tests/Fixtures/cel/own.jsonl: random expressions that stand in no list, with what Google's C++ implementation
of CEL makes of them (pip install cel-expr-python). One row a line: `expr`, `kind` (value or error), and `assert_expr`, which must be true for a
value row and must fail for an error row. Run it by hand; the tests only read its output.

    generate-cel-rows.py COUNT SEED > own.jsonl
"""
import json
import math
import random
import re
import sys

from cel_expr_python import cel

ENV = cel.NewEnv()


def pick(*items):
    return random.choice(items)


INTS = ["0", "1", "2", "-1", "7", "-13", "42", "9223372036854775807", "-9223372036854775808", "4611686018427387904"]
UINTS = ["0u", "1u", "3u", "42u", "18446744073709551615u", "9223372036854775808u"]
DOUBLES = ["0.0", "1.5", "-2.25", "1e3", "3.0", "-0.5", "1e308", "1e-7", "9007199254740993.0"]
STRINGS = ['""', '"a"', '"abc"', '"ä"', '"😀x"', '"12"', '"-7"', '"1.5"', '"true"', '"a,b,c"', '"AbC"', '" pad "', '"2024-02-29T12:30:00Z"', '"90s"']
BYTES = ['b""', 'b"ab"', 'b"\\xff"', 'b"a"']
TIMES = ['timestamp("2024-02-29T12:30:15.5Z")', 'timestamp("1970-01-01T00:00:00Z")', 'timestamp("9999-12-31T23:59:59Z")', 'timestamp("1969-12-31T23:59:59.999Z")']
DURATIONS = ['duration("1h30m")', 'duration("-1.5s")', 'duration("0s")', 'duration("100ms")', 'duration("2562047h")']


def boolean(d):
    if d <= 0:
        return pick("true", "false")
    t = pick("int", "uint", "double", "string", "bytes", "timestamp", "duration")
    op = pick("==", "!=", "<", "<=", ">", ">=")
    return pick(
        lambda: f"({make(t, d - 1)} {op} {make(t, d - 1)})",
        lambda: f"(dyn({make(numeric(), d - 1)}) {op} dyn({make(numeric(), d - 1)}))",
        lambda: f"({boolean(d - 1)} && {boolean(d - 1)})",
        lambda: f"({boolean(d - 1)} || {boolean(d - 1)})",
        lambda: f"!{boolean(d - 1)}",
        lambda: f"({boolean(d - 1)} ? {boolean(d - 1)} : {boolean(d - 1)})",
        lambda: f"{make('string', d - 1)}.{pick('startsWith', 'endsWith', 'contains')}({make('string', d - 1)})",
        lambda: f"({make('int', d - 1)} in {ints(d - 1)})",
        lambda: f"{ints(d - 1)}.{pick('all', 'exists', 'exists_one')}(x, x {op} {make('int', d - 1)})",
        lambda: f"({ints(d - 1)} == {ints(d - 1)})",
        lambda: f"({mapping(d - 1)} == {mapping(d - 1)})",
        lambda: f"({make('string', 0)} in {mapping(d - 1)})",
        lambda: f"(type({make(t, d - 1)}) == type({make(pick('int', 'uint', 'double', 'string'), d - 1)}))",
        lambda: f"{make('string', d - 1)}.matches({pick(*PATTERNS)})",
        lambda: f"bool({make('string', d - 1)})",
        lambda: f"has({mapping(d - 1)}.{pick('a', 'abc', 'b')})",
    )()


PATTERNS = ["'^a'", "'[a-c]+$'", "'(?i)ABC'", "'\\\\d+'", "'^$'", "'a.*c'", "'(a|b)*c'", "'\\\\pL'", "'^.$'", "'x{2,3}'", "'\\\\bpad\\\\b'"]


def numeric():
    return pick("int", "uint", "double")


def ints(d):
    if d <= 0:
        return "[" + ", ".join(pick(*INTS) for _ in range(random.randrange(4))) + "]"
    return pick(
        lambda: "[" + ", ".join(make("int", d - 1) for _ in range(random.randrange(4))) + "]",
        lambda: f"{ints(d - 1)}.filter(x, x {pick('<', '>', '!=')} {make('int', d - 1)})",
        lambda: f"{ints(d - 1)}.map(x, x {pick('+', '-', '*', '/', '%')} {make('int', d - 1)})",
        lambda: f"({ints(d - 1)} + {ints(d - 1)})",
    )()


def mapping(d):
    keys = ['"a"', '"abc"', '"b"', '"12"']
    return "{" + ", ".join(f"{pick(*keys)}: {make('int', d - 1)}" for _ in range(random.randrange(4))) + "}"


def make(t, d):
    if t == "bool":
        return boolean(d)
    leaves = dict(int=INTS, uint=UINTS, double=DOUBLES, string=STRINGS, bytes=BYTES, timestamp=TIMES, duration=DURATIONS)
    if d <= 0 or random.random() < 0.25:
        return pick(*leaves[t])
    if t == "int":
        return pick(
            lambda: f"({make('int', d - 1)} {pick('+', '-', '*', '/', '%')} {make('int', d - 1)})",
            lambda: f"-({make('int', d - 1)})",
            lambda: f"int({make(pick('uint', 'double', 'string', 'timestamp'), d - 1)})",
            lambda: f"size({make(pick('string', 'bytes'), d - 1)})",
            lambda: f"{ints(d - 1)}[{make('int', 0)}]",
            lambda: f"{mapping(d - 1)}[{make('string', 0)}]",
            lambda: f"({boolean(d - 1)} ? {make('int', d - 1)} : {make('int', d - 1)})",
            lambda: f"{make('timestamp', d - 1)}.{pick('getFullYear', 'getMonth', 'getDate', 'getDayOfYear', 'getDayOfWeek', 'getHours', 'getMinutes', 'getSeconds', 'getMilliseconds')}({pick('', '', chr(39) + '+05:30' + chr(39), chr(39) + 'America/New_York' + chr(39))})",
            lambda: f"{make('duration', d - 1)}.{pick('getHours', 'getMinutes', 'getSeconds')}()",
        )()
    if t == "uint":
        return pick(
            lambda: f"({make('uint', d - 1)} {pick('+', '-', '*', '/', '%')} {make('uint', d - 1)})",
            lambda: f"uint({make(pick('int', 'double', 'string'), d - 1)})",
        )()
    if t == "double":
        return pick(
            lambda: f"({make('double', d - 1)} {pick('+', '-', '*', '/')} {make('double', d - 1)})",
            lambda: f"double({make(pick('int', 'uint', 'string'), d - 1)})",
        )()
    if t == "string":
        return pick(
            lambda: f"({make('string', d - 1)} + {make('string', d - 1)})",
            lambda: f"string({make(pick('int', 'uint', 'bytes', 'timestamp', 'bool'), d - 1)})",
            lambda: f"({boolean(d - 1)} ? {make('string', d - 1)} : {make('string', d - 1)})",
        )()
    if t == "bytes":
        return pick(lambda: f"bytes({make('string', d - 1)})", lambda: f"({make('bytes', d - 1)} + {make('bytes', d - 1)})")()
    if t == "timestamp":
        return pick(
            lambda: f"({make('timestamp', d - 1)} {pick('+', '-')} {make('duration', d - 1)})",
            lambda: f"timestamp({make('string', 0)})",
            lambda: f"timestamp({make('int', d - 1)})",
        )()
    return pick(
        lambda: f"({make('duration', d - 1)} {pick('+', '-')} {make('duration', d - 1)})",
        lambda: f"({make('timestamp', d - 1)} - {make('timestamp', d - 1)})",
        lambda: f"duration({make('string', 0)})",
    )()


def text(value):
    """A CEL literal for what an expression came to; None where one can't be written exactly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return None
        r = repr(value)
        return r if "." in r or "e" in r else r + ".0"
    return None


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    random.seed(seed)
    seen = set()
    while len(seen) < count:
        t = pick("bool", "bool", "bool", "int", "uint", "double", "string", "bytes")
        expression = make(t, 3)
        if len(expression) > 400 or expression in seen:
            continue
        try:
            compiled = ENV.compile(expression)
        except Exception:
            continue
        seen.add(expression)
        try:
            value = compiled.eval(data={})
            failed = "ERROR" in repr(value.type())
        except RuntimeError as error:
            # There a duplicate key ends the whole evaluation; here it is an error that && and || absorb, as the
            # specification says of errors.
            if "ALREADY_EXISTS" in str(error):
                continue
            failed = True
        if failed:
            print(json.dumps({"expr": expression, "kind": "error", "assert_expr": f"({expression}) == ({expression})"}, ensure_ascii=False))
            continue
        plain = value.plain_value()
        # There a fraction has three, six or nine digits; here as few as say it (as in the Go implementation).
        shown = plain.decode("latin-1") if isinstance(plain, bytes) else str(plain)
        if "Z" in shown and re.search(r"\.\d*0Z", shown) or "timestamp(" in expression and "string(" in expression and "size(" in expression:
            continue
        if t == "bool":
            want = f"({expression}) == {text(plain)}"
        elif t == "int":
            want = f"({expression}) == {plain}"
        elif t == "uint":
            want = f"({expression}) == {plain}u"
        elif t == "double":
            literal = text(float(plain))
            if literal is None:
                continue
            want = f"({expression}) == {literal}"
        elif t == "string":
            want = f"({expression}) == {json.dumps(plain, ensure_ascii=False)}"
        else:
            want = f"({expression}) == b'{''.join(f'{chr(92)}x{b:02x}' for b in plain)}'"
        print(json.dumps({"expr": expression, "kind": "value", "assert_expr": want}, ensure_ascii=False))


main()
