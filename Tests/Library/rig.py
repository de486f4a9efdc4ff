"""A licetd of a test's own on a bus of its own, hosts of the library beside it, and what both are asked. Everything that is
started is ended by its pid."""

import getpass
import json
import mmap
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OWN = getpass.getuser()
IS_ROOT = os.getuid() == 0
IS_SLOW = os.environ.get("LICET_SLOW") == "1"

DENY, ASK, ALLOW = 0, 1, 2
SNAPSHOT, REMOTE, EMBEDDED = 0, 1, 2
E_NO_AUTHORITY, E_PROTOCOL, E_NOT_BOUND, E_UNKNOWN_OPERATOR, E_AMBIGUOUS = -5, -6, -7, -8, -9

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"""
PLATFORM = """licet: 1
layer: platform
name: rig
unknown: deny
attributes: {{request: {{count: int, label: string}}, user: {{role: string}}}}
behaviors:
  tool: {{default: deny, operators-may: allow, stakes: 0}}
  tool.ask: {{default: ask, operators-may: allow, stakes: 0}}
# {0}
"""


class Skipped(Exception):
    """What is needed isn't on this machine; the line says what."""


class Programs:
    """What is tested, built once."""

    def __init__(self, programs, library, folder):
        self.programs, self.library, self.folder = pathlib.Path(programs), pathlib.Path(library), folder
        self.host, self.loader = folder / "host", folder / "loader"
        strict = ["-O1", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "include"]
        self.compile(self.host, library, strict)
        subprocess.run(["gcc", *strict, HERE / "loader.c", "-o", self.loader, "-ldl"], check=True)

    def compile(self, target, library, strict=("-O1", "-std=gnu11", "-I", ROOT / "include")):
        # An RPATH, which set-user-ID programs keep.
        subprocess.run(["gcc", *strict, HERE / "host.c", "-o", target, "-L", library, "-llicet", "-lpthread",
                        f"-Wl,-rpath,{pathlib.Path(library).resolve()}"], check=True)

    def __getitem__(self, name):
        return self.programs / name


class Rig:
    def __init__(self, programs, daemon=None):
        self.programs, self.daemon_program = programs, daemon or programs["licetd"]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="licet-library-"))
        self.folder.chmod(0o755)
        self.policy, self.runtime, self.state = self.folder / "policy", self.folder / "run", self.folder / "state"
        self.address, self.socket = f"unix:path={self.folder}/bus", self.runtime / "attach"
        self.processes, self.revision, self.daemon = [], 0, None
        (self.policy / "operators.d").mkdir(parents=True)
        self.state.mkdir()
        self.put("platform.yaml", PLATFORM.format(0))
        self.put_keeper(1)
        self.put("operators.d/other.yaml", self.operator("other", "{user: daemon}", "other-secret"))
        (self.folder / "bus.conf").write_text(BUS.format(path=self.folder / "bus"))
        self.bus = self.start(["dbus-daemon", "--nofork", "--config-file", self.folder / "bus.conf", "--print-address"],
                              stdout=subprocess.PIPE)
        self.bus.stdout.readline()
        self.start_daemon()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                self.signal(process.pid, signal.SIGCONT)
                process.kill()
                process.wait()
        if kind is not None and kind is not Skipped:
            print(f"  licetd's last words: {self.tail()}")
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- policy

    def put(self, path, text):
        target = self.policy / path
        temporary = target.with_name(f".{target.name}.new")
        temporary.write_text(text)
        temporary.chmod(0o644)
        temporary.rename(target)

    @staticmethod
    def operator(name, bind, obligation, effect="allow"):
        return (f"licet: 1\nlayer: operator\nname: {name}\nbind: [{bind}]\nrules:\n"
                f"  - {{{effect}: tool.read, with: [{obligation}]}}\n  - {{allow: tool.ask, when: request.count > 3}}\n")

    def put_keeper(self, revision, bind=f"{{user: {OWN}}}", effect="allow"):
        """The decision of `tool.read` says by which revision of the file it was made."""
        self.revision = revision
        self.put("operators.d/keeper.yaml", self.operator("keeper", bind, f"rev-{revision}", effect))

    def reload(self, quiet=False):
        """After this has answered, the files decide. The generation; `quiet`: None where nobody answers."""
        answer = self.call("Admin", "Reload", quiet=quiet)
        return answer and answer[0]

    def next_revision(self):
        self.put_keeper(self.revision + 1)
        return self.reload()

    def image(self, name="policy.licet"):
        """The folder as an image file."""
        target = self.folder / name
        subprocess.run([self.programs["licet"], "compile", self.policy, "-o", target], check=True, stdout=subprocess.DEVNULL)
        return target

    # ---- processes

    def start(self, command, **options):
        process = subprocess.Popen([str(word) for word in command], **options)
        self.processes.append(process)
        return process

    def start_daemon(self, isAwaited=True):
        with open(self.folder / "licetd.log", "a") as log:
            self.daemon = self.start(
                [self.daemon_program, "--address", self.address, "--policy", self.policy, "--state", self.state, "--runtime",
                 self.runtime, "--compiler", self.programs["licet-compiler"], "--rate", "1000000"], stderr=log, stdout=log)
        if isAwaited:
            self.wait_for(lambda: self.call("Authority", "Check", "sasa{sv}", "keeper", "1", "tool.read", "0", quiet=True) is not None,
                          "licetd serves")

    def kill_daemon(self, number=signal.SIGKILL):
        self.signal(self.daemon.pid, number)
        self.daemon.wait()
        self.processes.remove(self.daemon)

    def restart(self):
        self.kill_daemon()
        self.start_daemon()

    def signal(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    def tail(self):
        return "".join((self.folder / "licetd.log").read_text().splitlines(keepends=True)[-12:])

    def wait_for(self, is_done, what, seconds=15):
        end = time.monotonic() + seconds
        while not is_done():
            assert time.monotonic() < end, f"not within {seconds} s: {what}\n{self.tail()}"
            time.sleep(0.01)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def resident(self):
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    # ---- the bus

    def call(self, interface, method, *arguments, quiet=False):
        result = subprocess.run(["busctl", "--address", self.address, "--json=short", "--timeout=15", "call", "org.licet.Licet1",
                                 "/org/licet/Licet1", f"org.licet.Licet1.{interface}", method, *map(str, arguments)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if result.returncode == 0:
            return json.loads(result.stdout or '{"data": []}')["data"]
        assert quiet, f"{method}: {result.stderr.strip()}"
        return None

    # ---- hosts

    def run(self, *words, program=None, prefix=(), seconds=120, environment=None, wanted=0):
        """A host to its end; its standard output."""
        command = [str(word) for word in (*prefix, program or self.programs.host, *words)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds, env=environment,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == wanted, f"{' '.join(command[-4:])}: ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def host(self, *words, program=None, prefix=()):
        """A host that goes on; see `say` and `end`."""
        return self.start([*prefix, program or self.programs.host, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)

    def ready(self, host):
        line = host.stdout.readline()
        assert line == "ready\n", f"a host said {line!r}: {host.stderr.read() if not line else ''}"
        return host

    def end(self, host, text="go\n", seconds=120):
        output, errors = host.communicate(text, timeout=seconds)
        self.processes.remove(host)
        assert host.returncode == 0, f"a host ended with {host.returncode}: {output}{errors}"
        return output

    def agent(self, mode=SNAPSHOT, stale_ms=0, timeout_ms=1000, loss=DENY, operator="keeper", wanted=0, **options):
        agent = Agent(self, **options)
        opened = agent.say(f"open {self.socket} {mode} {stale_ms} {timeout_ms} {loss} {operator}")
        assert int(opened["code"]) == wanted, f"open: {opened}"
        agent.opened = opened
        return agent


class Agent:
    """A process that opens an authority and asks, as it is told."""

    def __init__(self, rig, **options):
        self.rig, self.process = rig, rig.host("agent", **options)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"{line}: the agent ended with {self.process.wait()}: {self.process.stderr.read()}"
        head, _, message = answer.strip().partition(" message=")
        found = dict(part.split("=", 1) for part in head.split(" ") if "=" in part)
        found["message"] = message
        return found

    def check(self, *names):
        """(effect, obligations or "", lost)"""
        answer = self.say("check " + " ".join(names or ["tool.read"]))
        self.last = answer
        return int(answer["effect"]), answer["obligations"], int(answer["lost"])

    def is_allowed(self, revision):
        found = self.check()
        assert found == (ALLOW, f"rev-{revision}", 0), f"{found}, wanted rev-{revision}: {self.last}"

    def end(self):
        self.rig.end(self.process, "")


class Floor:
    """Which revision was confirmed when, in memory that hosts read (`struct floor` in host.c)."""

    def __init__(self, rig):
        self.path = rig.folder / "floor"
        self.path.write_bytes(b"\0" * (24 + 16 * 65000))
        self.file = open(self.path, "r+b")
        # Words, so that each is stored at once.
        self.words = memoryview(mmap.mmap(self.file.fileno(), 0)).cast("Q")
        self.count = 0
        self.announce(rig.revision)
        self.confirm(rig.revision)

    def announce(self, revision):
        self.words[0] = revision

    def end(self):
        """Hosts that look at it end."""
        self.words[1] = 1

    def confirm(self, revision):
        self.words[3 + 2 * self.count] = time.monotonic_ns()
        self.words[4 + 2 * self.count] = revision
        self.count += 1
        self.words[2] = self.count


def numbers(text):
    """'name: a 1 b 2' -> {"a": 1, "b": 2}"""
    words = text.strip().splitlines()[-1].split(": ", 1)[1].split()
    return {name: int(value) for name, value in zip(words[::2], words[1::2])}


__all__ = [name for name in dir() if not name.startswith("_")]
