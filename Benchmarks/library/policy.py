"""The benchmark's policy: `policy.py DIR COUNT RULES`: COUNT behaviours with RULES rules of two conditions each, of which
the last one matches (the same as licet-bench's DecideWorkload)."""

import pathlib
import sys


def name(i):
    return f"area-{100 + i // 100}.subject-{100 + i // 10}.behavior-{10_000 + i}"


def write(folder, count, rules, bind=""):
    root = pathlib.Path(folder)
    (root / "operators.d" / "bench.d").mkdir(parents=True, exist_ok=True)
    head = "licet: 1\nlayer: platform\nname: bench\nattributes:\n  user: {role: string, age: int}\n"
    head += "  request: {count: int, amount: double}\nbehaviors:\n"
    (root / "platform.yaml").write_text(
        head + "".join(f"  {name(i)}: {{default: ask, operators-may: allow, stakes: 0.1}}\n" for i in range(count))
    )
    for start in range(0, count, 1000):
        lines = ["licet: 1", "layer: operator", "name: bench"] + ([bind] if bind and start == 0 else []) + ["rules:"]
        for i in range(start, min(count, start + 1000)):
            for rule in range(rules):
                last = rule == rules - 1
                verb, role = ("allow", "member") if last else ("deny", f"role-{(i * 7 + rule) % 1000}")
                lines.append(f"  - {{{verb}: {name(i)}, when: 'request.count > {rule} && user.role == \"{role}\"'}}")
        (root / "operators.d" / "bench.d" / f"{start // 1000 + 10}.yaml").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
