#!/usr/bin/env python3
"""The daemon's figures (docs/performance.md): a private bus, licetd on generated policies, a C echo service and polkitd beside it.

Usage: run.py LICETD [--quick]. Builds echo.c and ask.c with gcc; everything it starts, it ends."""
import getpass
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
<limit name="max_incoming_bytes">1000000000</limit><limit name="max_outgoing_bytes">1000000000</limit>
</busconfig>"""
# As many as one user may have open.
HELD = 20_000
PLATFORM = """licet: 1
layer: platform
name: bench
unknown: deny
attributes:
  user: {role: string}
  request: {count: int}
behaviors:
  bench: {default: deny, operators-may: allow, users-may: deny, stakes: 0}
""" + "".join(f"  bench.b{i}: {{default: deny, operators-may: allow}}\n" for i in range(20))


def operator(name, rules, last):
    """`rules` rules, five on a behaviour; of those on bench.b1 the last one written holds for the question."""
    lines = [f"licet: 1\nlayer: operator\nname: {name}\nbind: [{{user: {getpass.getuser()}}}]\nrules:\n"]
    for i in range(rules):
        behavior = i // 5 % 20
        lines.append(f"  - allow: bench.b{behavior}\n    when: request.count > {1000 + i} && user.role == \"role-{i}\"\n")
    lines.append(f"  - {last}: bench.b1\n    when: request.count > 7 && user.role == \"member\"\n")
    return "".join(lines)


class Stage:
    """A private bus and what runs on it."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        self.address = f"unix:path={folder}/bus"
        config = folder / "bus.conf"
        config.write_text(BUS_CONFIG.format(path=folder / "bus"))
        self.start(["dbus-daemon", "--nofork", "--config-file", str(config), "--print-address"], "unix:")

    def start(self, command, ready, environment=None, log=None):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log or subprocess.DEVNULL, text=True,
                                   env={**os.environ, **(environment or {})})
        self.processes.append(process)
        if ready:
            line = process.stdout.readline()
            assert line.startswith(ready), f"{command[0]} said {line!r}"
        return process

    def licetd(self, program, policy):
        """Until it has its name: told by the bus, so that nobody's polling takes its processor."""
        state = tempfile.mkdtemp(dir=self.folder)
        waiting = self.start([self.folder / "ask", self.address, "await", "org.licet.Licet1"], "watching")
        log = open(self.folder / "licetd.log", "a")
        begin = time.monotonic()
        process = self.start([program, "--address", self.address, "--policy", str(policy), "--state", state,
                              "--runtime", state], None, log=log)
        ready, _, _ = select.select([waiting.stdout], [], [], 60)
        if not ready or waiting.stdout.readline() != "owned\n":
            sys.exit(f"licetd did not come up:\n{(self.folder / 'licetd.log').read_text()}")
        took = time.monotonic() - begin
        waiting.wait()
        self.processes.remove(waiting)
        return process, took

    def ask(self, *arguments):
        words = subprocess.run([self.folder / "ask", self.address, *map(str, arguments)], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.split()
        return dict(zip(words[::2], map(float, words[1::2])))

    def end(self, process):
        process.terminate()
        process.wait(10)
        self.processes.remove(process)

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


def memory(process):
    for line in pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) / 1024


def place(pids, processors):
    """These, and what they start from now on, run on these processors alone."""
    for pid in pids:
        os.sched_setaffinity(pid, processors)


def row(what, goal, measured, met=None):
    print(f"{what:62} {goal:>12} {measured:>26} {'' if met is None else 'met' if met else 'MISSED'}", flush=True)


def write_policy(folder, operators):
    (folder / "operators.d").mkdir(parents=True)
    (folder / "platform.yaml").write_text(PLATFORM)
    for i in range(operators):
        (folder / "operators.d" / f"bench-{i}.yaml").write_text(operator(f"bench-{i}", 100, "allow"))


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


def measure(stage, program, quick):
    # The state folder's fsyncs go to the disk that /tmp is on.
    folder, rounds, calls = stage.folder, (3 if quick else 7), (2000 if quick else 5000)
    for name in ["echo", "ask"]:
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "dbus-1"], check=True, text=True, stdout=subprocess.PIPE)
        subprocess.run(["gcc", "-O2", HERE / f"{name}.c", "-o", folder / name, *flags.stdout.split(), "-lpthread"], check=True)
    echo = stage.start([folder / "echo", stage.address, "org.licet.Bench.Echo"], "ready")
    small = folder / "small"
    write_policy(small, 2)
    daemon, _ = stage.licetd(program, small)
    # Both services on one processor, bus and caller on another: where the scheduler puts them makes a factor of 1.7.
    processors = sorted(os.sched_getaffinity(0))
    callers, services = [os.getpid(), stage.processes[0].pid], [echo.pid, daemon.pid]
    place(callers, processors[:1])
    place(services, processors[-1:])
    pairs = [stage.ask("pair", calls) for _ in range(rounds)]
    sessions = [stage.ask("session", calls) for _ in range(rounds)]
    place(callers + services, processors)
    ratio = median([p["ratio"] for p in pairs])
    row("Check, to an echo service in C (p50)", "<= 1.15 x", f"{ratio:.2f} x ({median([p['licet-p50'] for p in pairs]) / 1000:.0f} us)", ratio <= 1.15)
    ratio = median([s["ratio"] for s in sessions])
    row("OpenSession, to the echo service (p50)", "<= 1.2 x", f"{ratio:.2f} x ({median([s['licet-p50'] for s in sessions]) / 1000:.0f} us)", ratio <= 1.2)
    before = memory(daemon)
    holder = stage.start([folder / "ask", stage.address, "hold", str(HELD)], "held")
    each = (memory(daemon) - before) / HELD
    row(f"memory of 100,000 sessions ({HELD:,} held)", "<= 64 MiB", f"{each * 100_000:.1f} MiB", each * 100_000 <= 64)
    holder.kill()
    holder.wait()
    stage.processes.remove(holder)
    many = {at_once: median([stage.ask("many", 60, 1000, at_once)["decisions-per-second"] for _ in range(rounds)])
            for at_once in (1, 4)}
    row("CheckMany, 1,000 requests with two attributes, one call waited for", "", f"{many[1]:,.0f}/s")
    row("CheckMany, the same, four calls under way", ">= 250,000/s", f"{many[4]:,.0f}/s", many[4] >= 250_000)
    polkit(stage, calls)
    a, b = folder / "a.yaml", folder / "b.yaml"
    a.write_text(operator("bench-1", 100, "deny"))
    b.write_text(operator("bench-1", 100, "allow"))
    target = small / "operators.d" / "bench-1.yaml"
    ratios = []
    for _ in range(rounds):
        still = stage.ask("storm", target, a, b, 0, 1 if quick else 3)
        storm = stage.ask("storm", target, a, b, 20, 1 if quick else 3)
        ratios.append(storm["p99"] / still["p99"])
    row("p99 of Check with a reload every 20 ms, to without", "<= 2 x", f"{median(ratios):.2f} x", median(ratios) <= 2)
    stage.end(daemon)
    examples = HERE.parent.parent / "examples"
    starts, sizes = [], []
    for _ in range(rounds):
        daemon, took = stage.licetd(program, examples)
        starts.append(took)
        sizes.append(memory(daemon))
        stage.end(daemon)
    row("cold start with examples/, to the name on the bus", "<= 50 ms", f"{median(starts) * 1000:.0f} ms", median(starts) <= 0.05)
    row("memory of licetd with examples/ (resident)", "<= 12 MiB", f"{median(sizes):.1f} MiB", median(sizes) <= 12)
    big = folder / "big"
    write_policy(big, 1000)
    starts = []
    for _ in range(3):
        daemon, took = stage.licetd(program, big)
        starts.append(took)
        if len(starts) < 3:
            stage.end(daemon)
    row("cold start with 1,000 operators x 100 rules", "<= 2 s", f"{median(starts):.2f} s", median(starts) <= 2)
    flips = stage.ask("flip", big / "operators.d" / "bench-1.yaml", a, b, 11 if quick else 41)
    row("a changed file among 1,000 operators is in force (p50)", "<= 10 ms", f"{flips['flip-p50'] / 1e6:.1f} ms (p90 {flips['flip-p90'] / 1e6:.1f})", flips["flip-p50"] <= 10e6)
    row("memory of licetd with 1,000 operators (resident)", "<= 64 MiB", f"{memory(daemon):.1f} MiB", memory(daemon) <= 64)
    stage.end(daemon)


def polkit(stage, calls):
    program = next((p for p in ["/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd"] if os.access(p, os.X_OK)), None)
    if program is None or os.getuid() != 0:
        row("polkitd, CheckAuthorization", "", "skipped: needs polkitd, and root")
        return
    # polkitd changes its user: it has to reach the socket.
    stage.folder.chmod(0o755)
    os.chmod(stage.folder / "bus", 0o777)
    daemon = stage.start([program, "--no-debug"], None, {"DBUS_SYSTEM_BUS_ADDRESS": stage.address})
    time.sleep(1.5)
    try:
        row("polkitd, CheckAuthorization on the same bus (p50)", "", f"{stage.ask('polkit', calls // 5)['polkit-p50'] / 1000:.0f} us")
    except subprocess.CalledProcessError:
        row("polkitd, CheckAuthorization", "", "skipped: it did not answer")
    stage.end(daemon)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="licet-bench-") as name:
        stage = Stage(pathlib.Path(name))
        try:
            measure(stage, sys.argv[1], "--quick" in sys.argv)
        finally:
            stage.close()


if __name__ == "__main__":
    main()
