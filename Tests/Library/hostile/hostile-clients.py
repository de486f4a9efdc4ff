#!/usr/bin/env python3
"""A licetd against clients that lie: hostile-clients.py PROGRAM-FOLDER [--seed N].

Noise, floods, cut messages, descriptors that nobody asked for, bodies that change, rings full of nonsense; by another user
where root runs this. Meanwhile somebody else asks, and is answered as ever; afterwards descriptors and memory are back. A
private bus, private folders; everything started is ended by its pid. Prints one line; exits 1 when something is wrong."""
import argparse
import array
import fcntl
import getpass
import mmap
import os
import pathlib
import random
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"""
ATTACH, REFRESH, CHECK, REFUSAL, RING, FLUSH, RECORD, OPEN, SESSION, CHANGE, ANSWER, SEALED = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x8000, 1
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
# Sources/Attach/Ring.swift
LANES, ENTRIES, RECORD_BYTES = 64, 16384, 256 << 10
RECORDS = 8192 + LANES * ENTRIES * 16
RING_SIZE = RECORDS + RECORD_BYTES
# What somebody else may wait for an answer while all this goes on, milliseconds; and what memory may stay taken.
LATENCY, MEMORY = 1500, 192 << 20


def text(value):
    return struct.pack("<I", len(value)) + value


def attach_body(operator=b"", flags=1, lowest=1, highest=3):
    return struct.pack("<HHHH", lowest, highest, flags, 0) + text(operator)


def check_body(names=(b"tool.mail",), attributes=(), flags=0, counts=None):
    many = counts or (len(names), len(attributes))
    body = struct.pack("<BBBBHH", flags, 3, 255, 0, *many) + b"\xff" * 8
    return body + b"".join(text(name) for name in names) + b"".join(text(name) + value for name, value in attributes)


def open_body(attributes=(), preferences=(), caps=(), behaviors=None, resources=(), parent=b"\0" * 16, dial=0, cost=0.0, lifetime=0,
              region=0, counts=None):
    lists = (attributes, preferences, caps, behaviors or (), resources)
    many = counts or tuple(map(len, lists))
    body = struct.pack("<Q", region) + parent + struct.pack("<HHHHHH", behaviors is not None, *many) + struct.pack("<IdQ", dial, cost, lifetime)
    body += b"".join(text(name) + value for name, value in attributes)
    body += b"".join(text(name) + bytes([effect]) for some in (preferences, caps) for name, effect in some)
    return body + b"".join(text(name) for some in (behaviors or (), resources) for name in some)


def change_body(session, what, effect=255, number=0, behavior=b""):
    return struct.pack("<Q", 0) + session + struct.pack("<BBHQ", what, effect, 0, number) + text(behavior)


class Client:
    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.serial = 0

    def send(self, kind, body=b"", flags=0, descriptors=()):
        self.serial += 1
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        self.socket.sendmsg([struct.pack("<HHI", kind, flags, self.serial) + body], ancillary)

    def receive(self):
        data, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(32))
        found = []
        for _, _, raw in ancillary:
            numbers = array.array("i")
            numbers.frombytes(raw)
            found += list(numbers)
        return data, found

    def ask(self, kind, body=b"", flags=0, descriptors=()):
        self.send(kind, body, flags, descriptors)
        return self.receive()

    def close(self):
        self.socket.close()


def memory_of(data, seals=0):
    memory = os.memfd_create("hostile", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(memory, data)
    if seals:
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)
    return memory


def quietly(body):
    """The daemon may let go whom it doesn't like."""
    try:
        return body()
    except (ConnectionError, BrokenPipeError, socket.timeout, BlockingIOError, OSError):
        return None


# what the hostile one does: each (path, random) in a process of its own


def noise(path, rng):
    for _ in range(500):
        client = Client(path, 0.2)

        def some():
            if rng.random() < 0.7:
                client.ask(ATTACH, attach_body())
            for _ in range(60):
                body = rng.randbytes(rng.choice([0, 1, 7, 8, 20, 100, 3000, 60000]))
                if rng.random() < 0.5:
                    client.ask(rng.choice([1, 2, 3, 6, 7, 8, 9, 10]), body)
                else:
                    client.socket.send(rng.randbytes(rng.randrange(1, 64)))
        quietly(some)
        client.close()


def cut(path, rng):
    value = b"\x06" + text(b"member")
    bodies = [
        (ATTACH, attach_body(b"op")), (REFRESH, struct.pack("<QQ", 1, 1)),
        (CHECK, check_body(attributes=[(b"user.role", value), (b"request.tags", b"\x08" + struct.pack("<I", 1) + value)])),
        (RECORD, struct.pack("<I", 1) + rng.randbytes(200)),
        (OPEN, open_body([(b"user.role", value)], [(b"tool", 1)], [(b"tool.mail", 2)], [b"tool"], [b"/srv/**"], dial=300000, cost=2.5, lifetime=60000)),
        (SESSION, struct.pack("<Q", 0) + rng.randbytes(16)), (CHANGE, change_body(rng.randbytes(16), 0, 1, 0, b"tool.mail"))]
    for kind, body in bodies:
        for length in range(len(body)):
            client = Client(path, 2)
            quietly(lambda: kind == ATTACH or client.ask(ATTACH, attach_body()))
            quietly(lambda: client.ask(kind, body[:length]))
            # And a byte that is none of it.
            quietly(lambda: client.ask(kind, body[:length] + bytes([rng.randrange(256)]) + body[length + 1:]))
            client.close()


def absurd(path, rng):
    client = Client(path, 5)
    quietly(lambda: client.ask(ATTACH, attach_body()))
    deep = (b"\x08" + struct.pack("<I", 1)) * 5000
    lists = b"\x08" + struct.pack("<I", 0xFFFFFFFF)
    for body in [
        check_body(counts=(65535, 65535)), check_body(counts=(1, 4096)), check_body(names=[b"a" * 60000]),
        check_body(names=[b"tool.mail"] * 256), check_body(names=[b"tool.mail"] * 257), check_body(names=[b"\xff\x00"]),
        check_body(attributes=[(b"request.args", deep)]), check_body(attributes=[(b"request.args", lists)]),
        check_body(attributes=[(b"request.args", b"\x09" + struct.pack("<I", 0x80000001))]),
        check_body(attributes=[(b"user.role" * 6000, b"\x01")]), check_body(flags=255),
    ]:
        quietly(lambda: client.ask(CHECK, body))
    for body in [
        open_body(counts=(65535,) * 5), open_body(counts=(4096, 0, 0, 0, 0)), open_body(attributes=[(b"user.role", deep)]),
        open_body(attributes=[(b"request.args", lists)]), open_body(caps=[(b"\xff\x00", 1)] * 1024), open_body(caps=[(b"a", 1), (b"a", 1)]),
        open_body(behaviors=[b"tool.%d" % i for i in range(5000)]), open_body(resources=[b"*" * 1024] * 64), open_body(resources=[b"*" * 1025]),
        open_body(cost=float("nan")), open_body(cost=-1.0), open_body(cost=float("inf")), open_body(dial=1000000), open_body(lifetime=2**64 - 1),
        open_body(parent=b"x" * 16), open_body(region=2**64 - 2),
    ]:
        quietly(lambda: client.ask(OPEN, body))
    client.close()


def sessions(path, rng):
    """Chains and crowds of sessions, changed, given up, asked about by who doesn't own them."""
    clients = [Client(path, 5) for _ in range(4)]
    known = [b"\0" * 16]

    def some(client):
        client.ask(ATTACH, attach_body())
        for _ in range(400):
            choice, session = rng.random(), rng.choice(known)
            if choice < 0.5:
                parent = session if rng.random() < 0.7 else b"\0" * 16
                caps = [(b"tool.%d" % rng.randrange(50), rng.randrange(3))] if rng.random() < 0.3 else []
                data, found = client.ask(OPEN, open_body(caps=caps, parent=parent, region=rng.choice([0, 2**64 - 1])))
                for fd in found:
                    os.close(fd)
                if struct.unpack_from("<H", data)[0] == OPEN | ANSWER:
                    known.append(data[8:24])
            elif choice < 0.7:
                _, found = client.ask(SESSION, struct.pack("<Q", rng.randrange(3)) + session)
                for fd in found:
                    os.close(fd)
            elif choice < 0.95:
                what = rng.choice([0, 1, 2, 3])
                _, found = client.ask(CHANGE, change_body(session, what, rng.choice([0, 1, 2, 255]), rng.getrandbits(64), b"tool.mail"))
                for fd in found:
                    os.close(fd)
            else:
                client.ask(CHECK, struct.pack("<BBBBHH", 2, 3, 255, 0, 1, 0) + session + struct.pack("<Q", 0) + b"\xff" * 8 + text(b"tool.mail"))

    for turn in range(6):
        for client in clients:
            quietly(lambda: some(client))
        clients[turn % 4].close()
        clients[turn % 4] = Client(path, 5)
    for client in clients:
        client.close()


def bodies(path, rng):
    """In memory: of four megabytes of values, unsealed, without a size, changing while they are read."""
    many = check_body(attributes=[(b"request.tags", b"\x08" + struct.pack("<I", (4 << 20) - 200) + b"\x01" * ((4 << 20) - 200))])
    many = many[:4 << 20]
    for seals, data in [(SEALS, many), (SEALS, b""), (0, check_body()), (fcntl.F_SEAL_WRITE, check_body()),
                        (SEALS, check_body()), (SEALS, b"\0" * (5 << 20))] * 2:
        client = Client(path, 3)
        memory = memory_of(data, seals)
        quietly(lambda: client.ask(ATTACH, attach_body()))
        quietly(lambda: client.ask(CHECK, b"", SEALED, [memory]))
        quietly(lambda: client.ask(CHECK, b"", SEALED))
        os.close(memory)
        client.close()
    for descriptor in [os.open("/", os.O_RDONLY), os.open("/dev/zero", os.O_RDONLY), os.pipe()[0], os.open("/proc/version", os.O_RDONLY)]:
        client = Client(path, 1)
        quietly(lambda: client.ask(ATTACH, attach_body(), SEALED, [descriptor]))
        client.close()
    # Cut under its feet, if it believed it.
    end = time.monotonic() + 1
    while time.monotonic() < end:
        memory = memory_of(check_body() + b"\0" * 8192, fcntl.F_SEAL_WRITE)
        client = Client(path, 1)
        quietly(lambda: client.ask(ATTACH, attach_body()))
        quietly(lambda: client.send(CHECK, b"", SEALED, [memory]))
        os.ftruncate(memory, 0)
        quietly(client.receive)
        os.close(memory)
        client.close()


def stuffed(path, rng):
    """Descriptors with everything, of which it wants none; kept by who never reads."""
    ends = os.pipe()
    kept = []
    for many in [1, 2, 3, 4, 5, 8, 9, 100, 253] * 12:
        client = Client(path, 2)
        client.socket.setblocking(False)
        quietly(lambda: client.send(ATTACH, attach_body()))
        for _ in range(20):
            quietly(lambda: client.send(rng.choice([REFRESH, CHECK, RING]), rng.randbytes(8), 0, [ends[0]] * many))
        kept.append(client)
    time.sleep(0.3)


def mute(path, rng):
    """Asks and never reads, on many connections."""
    kept = []
    for _ in range(200):
        client = Client(path, 2)
        client.socket.setblocking(False)
        for _ in range(300):
            if quietly(lambda: client.send(ATTACH, attach_body()) or 1) is None:
                break
        kept.append(client)
    time.sleep(0.5)


def crowd(path, rng):
    kept = []
    for _ in range(5000):
        client = quietly(lambda: Client(path, 0.5))
        if client is None:
            break
        kept.append(client)
    time.sleep(0.5)
    for client in kept:
        client.close()


def comers_and_goers(path, rng):
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        clients = [quietly(lambda: Client(path, 1)) for _ in range(50)]
        for client in clients:
            if client is not None:
                quietly(lambda: client.send(ATTACH, attach_body()))
                client.close()


def ring_of(client, flags=1, descriptors=()):
    answer = quietly(lambda: client.ask(ATTACH, attach_body(flags=flags), 0, descriptors))
    if answer is None:
        return None
    for descriptor in answer[1]:
        if os.fstat(descriptor).st_size == RING_SIZE:
            ring = mmap.mmap(descriptor, RING_SIZE)
            for other in answer[1]:
                os.close(other)
            return ring
    for other in answer[1]:
        os.close(other)
    return None


def rings(path, rng):
    """Any bytes where its processes count and record, changing while they are read."""
    for turn in range(12):
        client = Client(path, 3)
        ring = ring_of(client)
        if ring is None:
            continue

        def word(index, value):
            struct.pack_into("<Q", ring, index * 8, value & (1 << 64) - 1)

        def spoil():
            for lane in range(LANES):
                head = 512 + lane * 8
                for at in range(4):
                    word(head + at, rng.choice([0, 1, 2, 3, 4, ENTRIES, ENTRIES + 1, 1 << 40, 1 << 63, (1 << 64) - 1]))
            start = RECORDS + rng.randrange(RECORD_BYTES // 8 - 64) * 8
            ring[start:start + 512] = rng.randbytes(512)
            struct.pack_into("<II", ring, RECORDS, rng.choice([0, 8, 16, 72, 4096, 1 << 31, (1 << 32) - 8]), rng.randrange(4))
            word(32, rng.choice([0, 8, 16, 72, 4096, RECORD_BYTES, RECORD_BYTES + 8, 1 << 63, (1 << 64) - 8]))
            word(rng.choice([2, 16, 17, 33]), rng.choice([0, 1, 1 << 63, (1 << 64) - 1]))
        end = time.monotonic() + 0.15
        while time.monotonic() < end:
            spoil()
            quietly(lambda: client.send(RING))
        quietly(lambda: client.ask(FLUSH))
        client.close()


def largest_counts(path, rng):
    """What adds up to more than a word holds."""
    client = Client(path, 5)
    ring = ring_of(client)
    if ring is None:
        return
    key = 1 << 63 | 1 << 58
    for lane in range(2):
        for entry in range(8):
            struct.pack_into("<QQ", ring, (1024 + (lane * ENTRIES + entry) * 2) * 8, key, (1 << 64) - 1)
        struct.pack_into("<QQQQ", ring, (512 + lane * 8) * 8, 2, 1, 1, 8)
    struct.pack_into("<Q", ring, 33 * 8, (1 << 64) - 1)
    quietly(lambda: client.ask(FLUSH))
    client.close()


def fullest_rings(path, rng):
    """As much as a ring can say, all of it new each time."""
    clients = [Client(path, 5) for _ in range(4)]
    all_rings = [ring_of(client) for client in clients]
    for turn in range(3):
        for ring in all_rings:
            if ring is None:
                continue
            entries = b"".join(struct.pack("<QQ", 1 << 63 | rng.getrandbits(58), turn + 1) for _ in range(ENTRIES))
            for lane in range(LANES):
                at = (1024 + lane * ENTRIES * 2) * 8
                ring[at:at + len(entries)] = entries
                struct.pack_into("<QQQQ", ring, (512 + lane * 8) * 8, 2, 1, 1, ENTRIES)
        for client in clients:
            quietly(lambda: client.send(RING))
        time.sleep(0.3)
    for client in clients:
        client.close()


def brought_rings(path, rng):
    for turn in range(40):
        size = rng.choice([RING_SIZE, RING_SIZE, RING_SIZE, 4096, RING_SIZE + 4096])
        memory = os.memfd_create("hostile", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(memory, size)
        words = [0x474E525443494C | 0, 1, rng.getrandbits(64)]
        words[0] = 0x474E52544543494C
        os.pwrite(memory, struct.pack("<QQQ", *words), 0)
        os.pwrite(memory, struct.pack("<QQ", rng.getrandbits(64), 1), 16 * 8)
        os.pwrite(memory, struct.pack("<QQ", rng.getrandbits(64), rng.getrandbits(20)), 32 * 8)
        os.pwrite(memory, rng.randbytes(4096), 4096)
        if rng.random() < 0.9:
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        client = Client(path, 3)
        quietly(lambda: client.ask(ATTACH, attach_body(flags=3), 0, [memory]))
        quietly(lambda: client.send(RING))
        quietly(lambda: client.ask(FLUSH))
        os.close(memory)
        client.close()


def large_records(path, rng):
    client = Client(path, 3)
    if ring_of(client) is None:
        return
    memory = memory_of(struct.pack("<I", 1) + struct.pack("<I", 3 << 20) + rng.randbytes(3 << 20), SEALS)
    end = time.monotonic() + 1
    client.socket.setblocking(False)
    while time.monotonic() < end:
        if quietly(lambda: client.send(RECORD, b"", SEALED, [memory]) or 1) is None:
            quietly(client.receive)
    client.close()


def nothing(path, rng):
    """What is kept for everybody once somebody has asked: images, files, the words of sessions."""
    client = Client(path, 5)
    ring_of(client)
    client.ask(OPEN, open_body())
    client.ask(FLUSH)
    client.close()


HOSTILE = [noise, cut, absurd, sessions, bodies, stuffed, mute, crowd, comers_and_goers, rings, largest_counts, fullest_rings, brought_rings, large_records]


class Trial:
    def __init__(self, programs, folder, seed):
        self.programs, self.folder, self.seed, self.failures = programs, folder, seed, []
        self.path = f"{folder}/run/attach"
        self.processes = []
        self.is_root = os.getuid() == 0
        policy = folder / "policy"
        (policy / "operators.d").mkdir(parents=True)
        (policy / "platform.yaml").write_text((HERE / "policy/platform.yaml").read_text())
        rules = (HERE / "policy/operators.d/op.yaml").read_text()
        own = getpass.getuser()
        (policy / "operators.d/op.yaml").write_text(rules.replace("name: op\n", f"name: op\nbind: [{{user: {own}}}]\n"))
        if self.is_root:
            (policy / "operators.d/hostile.yaml").write_text(
                rules.replace("name: op\n", "name: hostile\nbind: [{user: nobody}]\n"))
        (folder / "state").mkdir()
        os.chmod(folder, 0o755)
        (folder / "bus.conf").write_text(BUS.format(path=folder / "bus"))
        self.start(["dbus-daemon", "--nofork", "--config-file", folder / "bus.conf", "--print-address"],
                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.readline()
        self.daemon = self.start(
            [programs / "licetd", "--address", f"unix:path={folder}/bus", "--policy", policy, "--state", folder / "state",
             "--runtime", folder / "run", "--compiler", programs / "licet-compiler"],
            stderr=open(folder / "log", "w"), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000)))
        self.wait_until(lambda: quietly(lambda: self.is_answered(Client(self.path))), "licetd serves", 20)

    def start(self, command, **options):
        process = subprocess.Popen([str(word) for word in command], **options)
        self.processes.append(process)
        return process

    def wait_until(self, condition, what, seconds):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or self.daemon.poll() is not None:
                raise SystemExit(f"hostile-clients: {what}: not within {seconds} s; licetd said:\n{(self.folder / 'log').read_text()[-3000:]}")
            time.sleep(0.02)

    def is_answered(self, client):
        first, descriptors = client.ask(ATTACH, attach_body(b"op", flags=0))
        for one in descriptors:
            os.close(one)
        kind, _, _ = struct.unpack_from("<HHI", client.ask(CHECK, check_body())[0])
        client.close()
        return kind == CHECK | ANSWER

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def memory(self):
        fields = dict(line.split(":", 1) for line in open(f"/proc/{self.daemon.pid}/status") if ":" in line)
        return int(fields["RssAnon"].split()[0]) << 10

    def meanwhile(self, stop, found):
        """Somebody else's questions, each answered and timed, milliseconds."""
        try:
            client = Client(self.path, 20)
            client.ask(ATTACH, attach_body(b"op", flags=0))
            while not stop.is_set():
                before = time.monotonic()
                kind, _, _ = struct.unpack_from("<HHI", client.ask(CHECK, check_body())[0])
                found.append((time.monotonic() - before) * 1000)
                # Of one's own user the bounds are one's own.
                if kind != CHECK | ANSWER and self.is_root:
                    self.failures.append(f"somebody else got message {kind:#x}")
                    return
                time.sleep(0.002)
            client.close()
        except OSError as error:
            self.failures.append(f"somebody else is no longer answered: {error}")

    def put_up_with(self, hostile):
        stop, found = threading.Event(), []
        before = self.descriptors()
        other = threading.Thread(target=self.meanwhile, args=(stop, found))
        other.start()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                if self.is_root:
                    os.setgroups([])
                    os.setgid(65534)
                    os.setuid(65534)
                hostile(self.path, random.Random(self.seed))
                code = 0
            except BaseException as error:  # pylint: disable=broad-except
                print(f"hostile-clients: {hostile.__name__} itself: {error!r}", file=sys.stderr, flush=True)
            os._exit(code)
        end = time.monotonic() + 60
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                os.kill(child, 9)
                self.failures.append(f"{hostile.__name__}: not answered for 60 s")
            time.sleep(0.02)
        if status:
            self.failures.append(f"{hostile.__name__}: ended with {status}")
        stop.set()
        other.join()
        if self.daemon.poll() is not None:
            raise SystemExit(f"hostile-clients: {hostile.__name__} ended licetd ({self.daemon.returncode}):\n{(self.folder / 'log').read_text()[-3000:]}")
        slowest = max(found, default=-1)
        if not found or slowest > LATENCY:
            self.failures.append(f"{hostile.__name__}: somebody else waited {slowest:.0f} ms, at most {LATENCY}")
        end = time.monotonic() + 8
        while self.descriptors() > before and time.monotonic() < end:
            time.sleep(0.05)
        after = self.descriptors()
        if after > before:
            self.failures.append(f"{hostile.__name__}: {after - before} descriptors stay open")
        return len(found), slowest, self.memory()

    def run(self):
        self.put_up_with(nothing)
        self.failures = []
        start = self.memory()
        asked, slowest, memory = 0, 0.0, 0
        for hostile in HOSTILE:
            before = time.monotonic()
            many, slow, memory = self.put_up_with(hostile)
            if os.environ.get("HOSTILE_VERBOSE"):
                print(f"  {hostile.__name__}: {time.monotonic() - before:.1f} s, somebody else: {many} answers, slowest {slow:.0f} ms; "
                      f"memory {memory >> 20} MiB", flush=True)
            asked, slowest = asked + many, max(slowest, slow)
        if not self.is_answered(Client(self.path)):
            self.failures.append("it doesn't answer any more")
        if memory - start > MEMORY:
            self.failures.append(f"{memory - start >> 20} MiB stay taken, at most {MEMORY >> 20}")
        for failure in self.failures:
            print(f"hostile-clients: {failure}", file=sys.stderr)
        if not self.failures:
            print(f"hostile-clients: {len(HOSTILE)} kinds of them; somebody else got {asked} answers meanwhile, the slowest in "
                  f"{slowest:.0f} ms; descriptors are back, {max(0, memory - start) >> 20} MiB stay")
        return 1 if self.failures else 0

    def end(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
    with tempfile.TemporaryDirectory(prefix="licet-hostile-") as folder:
        trial = None
        try:
            trial = Trial(arguments.programs.resolve(), pathlib.Path(folder), arguments.seed)
            return trial.run()
        finally:
            if trial is not None:
                trial.end()


if __name__ == "__main__":
    sys.exit(main())
