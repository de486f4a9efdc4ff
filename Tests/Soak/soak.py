#!/usr/bin/env python3
"""licetd under load, reloads and faults: soak.py LICETD [--seconds N] [--seed N].

Callers ask without a pause while policy files are exchanged, broken and mended, the compiler and the daemon are killed,
the compiler is stopped, others flood or never read. It ends well if no answer was wrong, mixed or lost, each confirmed
reload decided the next question, and memory, descriptors and processes are back where they were. A private bus, private
folders; everything started is ended by its pid."""
import argparse
import getpass
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
<limit name="max_replies_per_connection">50000</limit>
</busconfig>"""
PLATFORM = """licet: 1
layer: platform
name: soak
unknown: deny
behaviors:
  soak: {{default: ask, operators-may: allow, stakes: 0}}
# {0}
"""
VARIANTS = {"a": ("allow", "variant-a"), "b": ("deny", "variant-b")}
RESTARTS_ALLOWED_MS = 5000


class Soak:
    def __init__(self, program, folder, seed):
        self.program, self.folder, self.random = program, folder, random.Random(seed)
        self.address = f"unix:path={folder}/bus"
        self.policy, self.state = folder / "policy", folder / "state"
        self.processes, self.variant, self.counts = [], "a", {}
        (self.policy / "operators.d").mkdir(parents=True)
        self.state.mkdir()
        self.put("platform.yaml", PLATFORM.format(0))
        self.put_variant("a")
        (folder / "bus.conf").write_text(BUS.format(path=folder / "bus"))
        self.bus = self.start(["dbus-daemon", "--nofork", "--config-file", folder / "bus.conf", "--print-address"], stdout=subprocess.PIPE)
        self.bus.stdout.readline()
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "dbus-1"], check=True, text=True, stdout=subprocess.PIPE)
        subprocess.run(["gcc", "-O2", HERE / "load.c", "-o", folder / "load", *flags.stdout.split(), "-lpthread"], check=True)
        self.daemon = None
        self.start_daemon()

    # what is in force

    def put(self, path, text):
        target = self.policy / path
        temporary = target.with_name(f".{target.name}.new")
        temporary.write_text(text)
        temporary.rename(target)

    def put_variant(self, variant, note=""):
        effect, obligation = VARIANTS[variant]
        self.put("operators.d/soak.yaml", f"licet: 1\nlayer: operator\nname: soak\nbind: [{{user: {getpass.getuser()}}}]\nrules:\n"
                 f"  - {{{effect}: soak, with: [{obligation}]}}\n# {note}\n")
        self.variant = variant

    # processes

    def start(self, command, **options):
        process = subprocess.Popen([str(word) for word in command], **options)
        self.processes.append(process)
        return process

    def start_daemon(self):
        log = open(self.folder / "licetd.log", "a")
        self.daemon = self.start([self.program, "--address", self.address, "--policy", self.policy, "--state", self.state,
                                  "--runtime", self.folder], stderr=log, stdout=log)
        self.wait_for_daemon()

    def wait_for_daemon(self):
        begin = time.monotonic()
        while self.call("Authority", "Check", "sasa{sv}", "soak", "1", "soak.x", "0", quiet=True) is None:
            assert self.daemon.poll() is None, f"licetd ended: {self.tail()}"
            assert time.monotonic() - begin < 15, f"licetd does not answer: {self.tail()}"
            time.sleep(0.01)

    def tail(self):
        return "".join((self.folder / "licetd.log").read_text().splitlines(keepends=True)[-20:])

    def children(self):
        """Every process below licetd."""
        parents = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parents.setdefault(int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]), []).append(int(entry.name))
                except (OSError, IndexError):
                    pass
        found, queue = [], [self.daemon.pid]
        while queue:
            queue += parents.get(queue[0], [])
            found += parents.get(queue.pop(0), [])
        return found

    # the bus

    def call(self, interface, method, *arguments, quiet=False):
        result = subprocess.run(["busctl", "--address", self.address, "--json=short", "--timeout=15", "call", "org.licet.Licet1",
                                 "/org/licet/Licet1", f"org.licet.Licet1.{interface}", method, *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if result.returncode == 0:
            return json.loads(result.stdout or "{\"data\": []}")["data"]
        assert quiet, f"{method}: {result.stderr.strip()}"
        return None

    def confirm(self):
        """After Reload has answered, the files decide."""
        self.call("Admin", "Reload")
        answer = self.call("Authority", "Check", "sasa{sv}", "soak", "1", "soak.x", "0")
        assert (answer[0], answer[1][0]) == VARIANTS[self.variant], f"after a reload: {answer}, wanted {self.variant}"

    # faults, each leaves a valid policy in force

    def flip(self):
        self.put_variant("b" if self.variant == "a" else "a")

    def burst(self):
        for i in range(20):
            self.put_variant(self.random.choice("ab"), i)
            time.sleep(0.001)

    def broken_operator(self):
        kept = self.variant
        self.put("operators.d/soak.yaml", "licet: 1\nlayer: operator\nname: soak\nrules: [{allow: soak, whne: true}]\n")
        time.sleep(0.1)
        self.put_variant(kept)

    def broken_platform(self):
        self.put("platform.yaml", "licet: 1\nlayer: platform\n  name: soak\n")
        time.sleep(0.1)
        self.put("platform.yaml", PLATFORM.format(self.random.random()))

    def kill_compiler(self):
        self.flip()
        for pid in self.random.sample(all := self.children(), min(1, len(all))):
            self.signal(pid, signal.SIGKILL)

    def stop_compiler(self):
        pids = self.children()
        for pid in pids:
            self.signal(pid, signal.SIGSTOP)
        self.flip()
        time.sleep(0.5)
        for pid in pids:
            self.signal(pid, signal.SIGCONT)

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.wait()
        self.processes.remove(self.daemon)
        self.start_daemon()

    def flood(self):
        subprocess.run([self.folder / "load", self.address, "flood", "20000"], stderr=subprocess.DEVNULL)

    def mute(self):
        subprocess.run([self.folder / "load", self.address, "mute", "1"], stderr=subprocess.DEVNULL)

    def hangup(self):
        self.signal(self.daemon.pid, signal.SIGHUP)

    def signal(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    # the whole

    def size(self):
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        memory = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
        return memory, len(os.listdir(f"/proc/{self.daemon.pid}/fd")), len(self.children())

    def run(self, seconds):
        callers = self.start([self.folder / "load", self.address, "steady", "3", str(seconds)], stdout=subprocess.PIPE, text=True)
        begin = time.monotonic()
        faults = [self.flip, self.burst, self.broken_operator, self.broken_platform, self.kill_compiler, self.stop_compiler,
                  self.flood, self.mute, self.hangup, self.flip, self.burst]
        # A restart starts memory anew: restarts in the first half only, so that the second shows what grows.
        baseline = None
        while (passed := time.monotonic() - begin) < seconds - 3:
            early = passed < seconds / 2
            if not early and baseline is None:
                self.confirm()
                baseline = self.size()
            fault = self.random.choice(faults + [self.kill_daemon] if early else faults)
            self.counts[fault.__name__] = self.counts.get(fault.__name__, 0) + 1
            fault()
            self.confirm()
            time.sleep(0.05)
        tally = json.loads(callers.communicate(timeout=60)[0])
        self.processes.remove(callers)
        self.confirm()
        time.sleep(1)
        end = self.size()
        print(f"faults: {json.dumps(self.counts)}")
        print(f"callers: {json.dumps(tally)}")
        print(f"licetd, half-way and at the end: resident {baseline[0]} and {end[0]} KiB, descriptors {baseline[1]} and {end[1]}, "
              f"processes {baseline[2]} and {end[2]}")
        assert tally["wrong"] == 0 and tally["lost"] == 0 and tally["answers"] > 0, f"wrong or lost answers: {self.tail()}"
        restarts = self.counts.get("kill_daemon", 0)
        assert tally["unavailable"] <= restarts * 3 * RESTARTS_ALLOWED_MS / 2, "unavailable without a restart"
        # What allocators keep: a quarter, and 4 MiB.
        assert end[0] <= baseline[0] * 1.25 + 4096, "memory grows"
        assert end[1] <= baseline[1] + 4 and end[2] <= baseline[2] + 1, "descriptors or processes are left"

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    print(f"soak: {arguments.seconds} s, seed {arguments.seed}")
    with tempfile.TemporaryDirectory(prefix="licet-soak-") as name:
        soak = None
        try:
            soak = Soak(os.path.realpath(arguments.program), pathlib.Path(name), arguments.seed)
            soak.run(arguments.seconds)
        except AssertionError as failure:
            sys.exit(f"soak: FAILED: {failure}")
        finally:
            if soak:
                soak.close()
    print("soak: passed")


main()
