"""Images and daemons of a test's own. The programs are in the folder that LICET_PROGRAMS names."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

import licet

PROGRAMS = os.environ.get("LICET_PROGRAMS", "")
ROOT = Path(__file__).resolve().parents[1]
needs_programs = unittest.skipUnless(PROGRAMS, "LICET_PROGRAMS names no folder of programs")

PLATFORM = """\
licet: 1
layer: platform
name: rig
unknown: deny
attributes:
  user: {role: {enum: [guest, member]}, age: int}
  request: {count: int, text: string, tags: list<string>, secret: {type: string, verified: true}}
behaviors:
  rig: {default: deny, operators-may: allow, users-may: ask, stakes: 0}
  rig.read: {default: deny, operators-may: allow, users-may: allow, stakes: 0}
  rig.write: {default: ask, operators-may: allow, stakes: 0}
  rig.email: {default: ask, operators-may: allow, stakes: 0}
  rig.ask: {default: ask}
rules:
  - {limit: rig.write, to: ask, tier: safety, when: request.source == "operator", with: [show-source], clause: "book/1"}
  - {limit: rig.email, to: deny, tier: ethics, when: argument.contains("urgent")}
"""

KEEPER = """\
licet: 1
layer: operator
name: keeper
rules:
  - {allow: rig.read, when: request.count > 0 && user.role == "member"}
  - {allow: rig.write, when: request.resource.startsWith("/srv/"), with: [log, tell]}
  - {allow: rig.email, when: 'now < timestamp("2030-01-01T00:00:00Z")'}
"""

_folder = tempfile.mkdtemp(prefix="licet-python-")
_owner = os.getpid()


def _remove() -> None:
    if os.getpid() == _owner:
        shutil.rmtree(_folder, ignore_errors=True)


atexit.register(_remove)


def scratch() -> Path:
    return Path(tempfile.mkdtemp(dir=_folder))


def clean_environment() -> dict[str, str]:
    """Programs in Swift don't want the sanitizer that Python's is preloaded with."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def write_policy(folder: Path, platform: str, operators: dict[str, str]) -> Path:
    (folder / "operators.d").mkdir(parents=True)
    (folder / "platform.yaml").write_text(platform)
    for name, text in operators.items():
        (folder / "operators.d" / f"{name}.yaml").write_text(text)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    return folder


def compile_folder(folder: Path) -> Path:
    image = scratch() / "image.licet"
    done = subprocess.run(
        [f"{PROGRAMS}/licet", "compile", folder, "-o", image], capture_output=True, text=True, env=clean_environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return image


def image(platform: str = PLATFORM, operators: dict[str, str] | None = None) -> Path:
    return compile_folder(
        write_policy(scratch() / "policy", platform, {"keeper": KEEPER} if operators is None else operators)
    )


class Rigged(unittest.TestCase):
    """Tests on one image, PLATFORM's and KEEPER's."""

    path: Path
    authority: licet.Authority

    @classmethod
    def setUpClass(cls) -> None:
        if not PROGRAMS:
            raise unittest.SkipTest("LICET_PROGRAMS names no folder of programs")
        cls.path = image()
        cls.authority = licet.open(cls.path, mode=licet.Mode.EMBEDDED)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.authority.close()

    def member(self) -> licet.Request:
        return self.authority.request({"request.count": 1, "user.role": "member"})


def waits(is_done: Callable[[], object], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_done():
            return True
        time.sleep(0.005)
    return bool(is_done())


class Daemon:
    """A licetd on a bus of its own, both ended with it, by their process ids."""

    def __init__(self, operators: dict[str, str], platform: str = PLATFORM) -> None:
        self.root = scratch()
        self.policy = write_policy(self.root / "policy", platform, operators)
        self.socket = self.root / "run" / "attach"
        self._bus_address = f"unix:path={self.root}/bus"
        (self.root / "bus.conf").write_text(
            '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"\n'
            ' "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">\n'
            f"<busconfig><listen>{self._bus_address}</listen><auth>EXTERNAL</auth>"
            '<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>'
            '<allow receive_sender="*"/></policy></busconfig>\n'
        )
        for name in ("state", "run"):
            (self.root / name).mkdir()
        self._log = (self.root / "log").open("wb")
        self._bus = self._start("dbus-daemon", "--nofork", "--nopidfile", f"--config-file={self.root}/bus.conf")
        assert waits((self.root / "bus").exists), self.said()
        self.start()

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=clean_environment()
        )

    def start(self) -> None:
        self._daemon = self._start(
            f"{PROGRAMS}/licetd", "--address", self._bus_address, "--policy", str(self.policy),
            "--state", f"{self.root}/state", "--runtime", f"{self.root}/run",
            "--compiler", f"{PROGRAMS}/licet-compiler",
        )  # fmt: skip
        assert waits(self._answers), self.said()

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as one:
                one.connect(str(self.socket))
        except OSError:
            return False
        return self.licet("status").returncode in (0, 1)

    def licet(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [f"{PROGRAMS}/licet", *arguments, "--address", self._bus_address],
            capture_output=True, text=True, env=clean_environment(),
        )  # fmt: skip

    def said(self) -> str:
        return (self.root / "log").read_text(errors="replace")

    def pause(self) -> None:
        self._daemon.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._daemon.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._daemon.send_signal(signal.SIGKILL)
        self._daemon.wait()

    def end(self) -> None:
        for process in (self._daemon, self._bus):
            process.kill()
            process.wait()
        self._log.close()


def bound(operator: str) -> str:
    """An operator's file, for whoever runs the tests."""
    return operator.replace("rules:", f"bind: [{{user: {pwd.getpwuid(os.getuid()).pw_name}}}]\nrules:", 1)
