#!/usr/bin/env python3
"""liblicet's figures (docs/performance.md): a licetd on a bus of its own, programs in C that attach to it, each figure beside its floor.

Usage: run.py PROGRAMS LIBRARY [--quick] [PART…]: the folders of licetd, licet-compiler and licet in release, and of
liblicet.so.1; PART: decide session random threads quiet record remote reload open python rust. Builds with gcc; everything it starts, it ends."""
import getpass
import importlib.util
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import policy as benchmark_policy

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PARTS = ["decide", "session", "random", "threads", "quiet", "record", "remote", "reload", "open", "python", "rust"]
BIND = f"bind: [{{user: {getpass.getuser()}}}]"


def neighbour(path, name):
    """daemon/run.py has the private bus and the processes on it."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


daemon = neighbour(HERE.parent / "daemon" / "run.py", "daemon_run")


class Figures:
    """The table, a line at a time."""

    def __init__(self):
        self.line("figure", "measured", "floor or peer in the same run", "ratio", "goal", "met?")

    def line(self, *cells):
        widths = (64, 22, 50, 6, 10, 6)
        print(" | ".join(f"{cell:{width}}" for cell, width in zip(cells, widths)).rstrip(), flush=True)

    def __call__(self, what, measured, peer="", ratio=None, goal="", is_met=None):
        self.line(what, measured, peer, "" if ratio is None else f"{ratio:.2f}", goal,
                  "" if is_met is None else "yes" if is_met else "MISSED")


class Machine:
    """What is built, and a licetd for each policy."""

    def __init__(self, folder, programs, library, quick):
        self.folder, self.programs, self.library, self.quick = folder, programs, library, quick
        self.stage = daemon.Stage(folder)
        self.running = {}
        # Where nothing is pinned these are all of them; else what was given.
        self.processors = sorted(os.sched_getaffinity(0))
        floor = HERE.parent / "Sources" / "CFloor"
        flags = ["gcc", "-O2", "-Wall", "-I", ROOT / "include"]
        linked = ["-L", library, "-llicet", f"-Wl,-rpath,{library}", "-pthread"]
        for name in ["decide", "remote", "reload", "open", "echo"]:
            extra = [floor / "floor.c", "-I", floor / "include"] if name == "decide" else []
            uses = linked if name in ("decide", "remote", "reload") else []
            subprocess.run([*flags, HERE / f"{name}.c", *extra, "-o", folder / name, *uses, "-ldl"], check=True)
        subprocess.run([*flags, "-shared", "-fPIC", HERE / "empty.c", "-o", folder / "empty.so"], check=True)

    def close(self):
        self.stage.close()

    def policy(self, behaviors, rules=20):
        folder = self.folder / f"policy-{behaviors}"
        if not folder.exists():
            benchmark_policy.write(folder, behaviors, rules, BIND)
        return folder

    def image(self, behaviors):
        file = self.folder / f"{behaviors}.image"
        if not file.exists():
            subprocess.run([self.programs / "licet", "compile", self.policy(behaviors), "-o", file], check=True,
                           stdout=subprocess.DEVNULL)
        return file

    def licetd(self, behaviors):
        """The attach socket of one that serves so many behaviours of 20 rules, and its process; one at a time."""
        if behaviors in self.running:
            return self.running[behaviors]
        # licetd gives a compile 10 s, which a busy machine may not have.
        for _ in range(5):
            for _, process in self.running.values():
                self.stage.end(process)
            self.running.clear()
            self.running[behaviors] = self.start(self.policy(behaviors))
            if " 0 operators" not in self.log():
                return self.running[behaviors]
        sys.exit(f"the benchmark's policy is not in force:\n{self.log()}")

    def log(self):
        return (self.folder / "licetd.log").read_text()

    def start(self, policy):
        state = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        attach, end = state / "attach", time.monotonic() + 60
        with open(self.folder / "licetd.log", "w") as log:
            # Nobody's share is measured here but what one caller can have.
            process = self.stage.start(
                [self.programs / "licetd", "--address", self.stage.address, "--policy", str(policy), "--state", str(state),
                 "--runtime", str(state), "--rate", "1000000", "--compiler", self.programs / "licet-compiler"], None, log=log)
        while not (attach.exists() and "ready, generation" in self.log()):
            if time.monotonic() > end or process.poll() is not None:
                sys.exit(f"licetd did not come up:\n{self.log()}")
            time.sleep(0.01)
        return attach, process

    def figures(self, *command, processors=None, errors=None):
        """What a program here printed: {figure: (least, median)}."""
        words = [str(word) for word in command]
        pinned = processors and ["taskset", "-c", ",".join(map(str, processors))] or []
        done = subprocess.run([*pinned, str(self.folder / words[0]), *words[1:]], stdout=subprocess.PIPE, stderr=errors, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)}: ended with {done.returncode}; licetd said:\n{self.log()}")
        lines = [line.split() for line in done.stdout.splitlines()]
        return {name: (float(least), float(median)) for name, least, median in lines}


def ns(pair, unit="ns", scale=1):
    """Least and median."""
    return " / ".join(f"{value / scale:.1f}" for value in pair) + f" {unit}"


# MARK: in the process

def decide(machine, row):
    attach, _ = machine.licetd(50)
    got = machine.figures("decide", attach, 50, "hot", machine.folder / "empty.so", processors=machine.processors[-1:])
    floor, empty = got["floor"], got["empty"]
    beside = f"C loop, by name: {ns(floor)}"
    row("check, hot, by handle, another behaviour each time", ns(got["in-turn"]), beside, got["in-turn"][0] / floor[0],
        "<= 60 ns", got["in-turn"][0] <= 60)
    row("check, hot, by handle, with an attribute set before each", ns(got["handle"]), beside, got["handle"][0] / floor[0],
        "<= 60 ns", got["handle"][0] <= 60)
    row("licet_request_set alone", ns(got["set"]), f"empty call by dlopen: {ns(empty)}", got["set"][0] / empty[0])
    row("check, hot, by name, with an attribute set before each", ns(got["name"]), beside, got["name"][0] / floor[0],
        "<= 120 ns", got["name"][0] <= 120)
    row("check, the same question again", ns(got["repeated"]), f"empty call by dlopen: {ns(empty)}",
        got["repeated"][0] / empty[0], "<= 20 ns", got["repeated"][0] <= 20)


def in_session(machine, row):
    attach, _ = machine.licetd(50)
    got = machine.figures("decide", attach, 50, "session", processors=machine.processors[-1:])
    none, again = got["none"], got["again-in-none"]
    for name, what in (("without-terms", "without terms"), ("with-terms", "with 5 caps and a scope of 3"), ("with-deadline", "with a deadline")):
        row(f"check, hot, by handle, in a session {what}", ns(got[name]), f"the same in none: {ns(none)}", got[name][0] / none[0],
            "<= 1.5 x", got[name][0] <= 1.5 * none[0])
    row("check, the same question again, in a session", ns(got["again-in-one"]), f"the same in none: {ns(again)}",
        got["again-in-one"][0] / again[0], "<= 30 ns", got["again-in-one"][0] <= 30)


def at_random(machine, row):
    attach, _ = machine.licetd(10_000)
    got = machine.figures("decide", attach, 10_000, "random", processors=machine.processors[-1:])
    floor, load = got["floor-random"], got["load"]
    row("check, random of 10,000, by handle", ns(got["random-handle"]), f"C loop, by name: {ns(floor)}",
        got["random-handle"][0] / floor[0], "<= 250 ns", got["random-handle"][0] <= 250)
    row("check, random of 10,000, by name", ns(got["random-name"]), f"C loop, by name: {ns(floor)}",
        got["random-name"][0] / floor[0], "<= 250 ns", got["random-name"][0] <= 250)
    row("  the same, in loads that wait for each other", "", f"a load out of 8 MiB: {ns(load)}", got["random-name"][0] / load[0])


def two_threads(machine, row):
    attach, _ = machine.licetd(50)
    if len(machine.processors) < 2:
        return row("check on two threads", "skipped: one processor")
    got = machine.figures("decide", attach, 50, "threads")
    one, two = got["one-thread"][0], got["two-threads"][0]
    row("check with a set, two threads (best of 300 turns)", f"{two / 1e6:.1f} M/s", f"one thread: {one / 1e6:.1f} M/s",
        two / one, ">= 1.9 x", two / one >= 1.9)


def quiet(machine, row):
    attach, _ = machine.licetd(10_000)
    got = machine.figures("decide", attach, 10_000, "quiet", errors=subprocess.DEVNULL)
    row("allocations in 1,000,000 decisions", f"{got['allocations'][0]:.0f}", goal="0", is_met=got["allocations"][0] == 0)
    if not shutil.which("strace"):
        return row("system calls in 1,000,000 decisions", "skipped: strace is not installed")
    trace = machine.folder / "trace"
    subprocess.run(["strace", "-f", "-o", trace, machine.folder / "decide", attach, "10000", "quiet"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lines = trace.read_text().splitlines()
    marks = [i for i, line in enumerate(lines) if 'write(2, "begin' in line or 'write(2, "end' in line]
    if len(marks) != 2:
        sys.exit("strace: the two marks are not in its output")
    calls = marks[1] - marks[0] - 1
    row("system calls in them", str(calls), goal="0", is_met=calls == 0)


def record(machine, row):
    attach, _ = machine.licetd(50)
    got = machine.figures("decide", attach, 50, "record")
    row("deny, recorded one by one: bursts of 500", ns(got["record-burst"]))
    least, middle = got["record-sustained"]
    row("deny, recorded without end until licetd has all on disk", ns(got["record-sustained"]), f"that is {1e9 / middle:,.0f} records/s (median)")


# MARK: with the daemon

def packet_sizes(machine, attach):
    """Of a check's question and its answer: by standing between a program and licetd."""
    path, sizes = machine.folder / "between", []
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen(1)
        listener.settimeout(10)

        def pass_on():
            client, _ = listener.accept()
            with client, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
                server.connect(str(attach))
                while question := client.recv(1 << 16):
                    server.send(question)
                    answer = server.recv(1 << 16)
                    sizes.append((len(question), len(answer)))
                    client.send(answer)

        between = threading.Thread(target=pass_on)
        between.start()
        machine.figures("remote", path)
        between.join(10)
    return sizes[-1]


def remote(machine, row):
    attach, process = machine.licetd(50)
    question, answer = packet_sizes(machine, attach)
    path = machine.folder / "echo-socket"
    echo = machine.stage.start([machine.folder / "echo", str(path), str(question), str(answer)], "ready")
    first, last = machine.processors[:1], machine.processors[-1:]
    for caller, where in [(last, "on one processor"), (first, "on two processors")]:
        daemon.place([process.pid, echo.pid], last)
        got = machine.figures("remote", attach, path, question, answer, processors=caller)
        ratio = got["remote"][0] / got["ping-pong"][0]
        row(f"remote check, p50, caller and licetd {where}", ns(got["remote"], "us", 1000),
            f"ping-pong of {question} + {answer} bytes: {ns(got['ping-pong'], 'us', 1000)}", ratio, "<= 1.3 x", ratio <= 1.3)
    daemon.place([process.pid], machine.processors)
    machine.stage.end(echo)


def reload(machine, row):
    attach, process = machine.licetd(50)
    target = machine.policy(50) / "operators.d" / "bench.d" / "10.yaml"
    kept = target.read_text()
    a, b = machine.folder / "a.yaml", machine.folder / "b.yaml"
    a.write_text(kept)
    # Every rule's condition is another one.
    b.write_text(kept.replace("request.count > ", "request.count > 1"))
    rounds = 5 if machine.quick else 25
    for processes in (100, 1):
        got = machine.figures("reload", attach, target, a, b, processes, rounds, process.pid)
        last, idle, goal = got["last"], got["idle-last"], processes == 100
        row(f"a reload, until the last of {processes} mapped processes decides by it", ns(last, "ms", 1e6),
            f"the same processes woken for nothing: {ns(idle, 'ms', 1e6)}", last[1] / idle[1],
            "<= 5 ms" if goal else "", last[1] <= 5e6 if goal else None)
        row("  until the middle one does", ns(got["middle"], "ms", 1e6))
        row("  processor time of all of them until then", ns(got["work"], "ms", 1e6), f"of it licetd: {ns(got['work-licetd'], 'ms', 1e6)}")
    target.write_text(kept)


def opening(machine, row):
    library = machine.library / "liblicet.so.1"
    for behaviors in (50, 10_000):
        attach, _ = machine.licetd(behaviors)
        alone = machine.figures("open", attach, library, processors=machine.processors[-1:])
        neighbour = machine.stage.start([machine.folder / "open", attach, library, "hold"], "ready")
        got = machine.figures("open", attach, library, processors=machine.processors[-1:])
        machine.stage.end(neighbour)
        size, goal = f"{behaviors * 20:,} rules", behaviors == 50
        row(f"licet_open of a snapshot, {size}", ns(got["open"], "ms", 1e6), goal="<= 1 ms" if goal else "",
            is_met=got["open"][0] <= 1e6 if goal else None)
        row(f"a request's first check, {size}", ns(got["first"], "us", 1e3))
        own = got["memory"][0]
        row(f"memory of a process' own, {size}", f"{own:.0f} KiB", f"of the only process that is attached: {alone['memory'][0]:.0f} KiB",
            goal="<= 512 KiB", is_met=own <= 512)
        if goal:
            row("dlopen of the library", ns(got["load"][:1], "ms", 1e6))
    stripped = machine.folder / "stripped.so"
    subprocess.run(["strip", "-o", stripped, library], check=True)
    size = stripped.stat().st_size / 1024
    row("the library, stripped", f"{size:.0f} KiB", goal="<= 256 KiB", is_met=size <= 256)


# MARK: bindings

def python(machine, row):
    """In an environment of its own, from its folder, as anybody installs it."""
    home = machine.folder / "python"
    told = {**os.environ, "LICET_LIB_DIR": str(machine.library), "LICET_INCLUDE_DIR": str(ROOT / "include")}
    package = machine.folder / "package"
    try:
        shutil.copytree(ROOT / "bindings" / "python", package, ignore=shutil.ignore_patterns("build"))
        subprocess.run([sys.executable, "-m", "venv", home], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([home / "bin" / "pip", "install", "-q", "--disable-pip-version-check", package], check=True, env=told)
    except subprocess.CalledProcessError:
        return row("check from Python", "skipped: the package can't be built here")
    command = ["taskset", "-c", str(machine.processors[-1]), home / "bin" / "python", ROOT / "bindings" / "python" / "benchmark.py",
               machine.image(100)]
    said = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
    got = {name: float(number) for name, number in (line.split() for line in said.splitlines())}
    empty = got["empty-call"]
    beside = f"empty call of an extension: {empty:.1f} ns"
    for name, what in [("check-handles-in-turn", "by handle, another question each time"), ("check-name", "by name"),
                       ("set-two-and-check-handle", "by handle, two attributes set before each")]:
        row(f"check from Python, {what}", f"{got[name]:.1f} ns", beside, got[name] / empty, "<= 500 ns", got[name] <= 500)


def rust(machine, row):
    if not shutil.which("cargo"):
        return row("check from Rust", "skipped: cargo is not installed")
    done = subprocess.run([ROOT / "bindings" / "rust" / "bench", machine.library, machine.programs, *(["3"] if machine.quick else [])],
                          text=True, stdout=subprocess.PIPE)
    lines = done.stdout.splitlines()
    if not lines or not lines[-1].startswith("within"):
        return row("check from Rust", f"failed: bindings/rust/bench ended with {done.returncode}")
    for line in lines[1:-1]:
        name, c, own, ratio, least_c, least_own, least = line.split()
        row(f"Rust, {name}", f"{least_own} / {own} ns", f"C: {least_c} / {c} ns", min(float(ratio), float(least)), "<= 1.05 x",
            min(float(ratio), float(least)) <= 1.05)


RUN = {"decide": decide, "session": in_session, "random": at_random, "threads": two_threads, "quiet": quiet, "record": record, "remote": remote,
       "reload": reload, "open": opening, "python": python, "rust": rust}


def main():
    words = [word for word in sys.argv[1:] if word != "--quick"]
    if len(words) < 2 or not set(words[2:]) <= set(PARTS):
        sys.exit(__doc__)
    programs, library = (pathlib.Path(word).resolve() for word in words[:2])
    with tempfile.TemporaryDirectory(prefix="licet-bench-") as name:
        machine = None
        try:
            machine = Machine(pathlib.Path(name), programs, library, "--quick" in sys.argv)
            print("liblicet: least / median of batches that take turns with their floor")
            row = Figures()
            for part in words[2:] or PARTS:
                RUN[part](machine, row)
        finally:
            if machine:
                machine.close()


if __name__ == "__main__":
    main()
