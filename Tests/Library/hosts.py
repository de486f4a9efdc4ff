"""Where liblicet has to live: beside other runtimes, in forked children, threads, signals, without descriptors, memory or a
root of its own."""

from rig import *


def loading(rig):
    """RTLD_LOCAL, RTLD_GLOBAL, twice, closed and still there, and a second copy under another name."""
    library = rig.programs.library / "liblicet.so.1"
    copy = rig.folder / "plugin-licet.so"
    shutil.copy(library, copy)
    for how in ("local", "global", "copy"):
        rig.run(library, rig.socket, how, copy, program=rig.programs.loader)


def inside_python(rig):
    """A process with a runtime and threads of its own, through nothing but the C ABI."""
    done = subprocess.run([sys_python(), HERE / "inside_python.py", rig.programs.library / "liblicet.so.1", rig.socket],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def sys_python():
    return "/usr/bin/python3"


def forks(rig):
    """Children to the fourth generation attach anew and leave their parents' connections alone."""
    print(" ", rig.run("fork", rig.socket).strip())


def forks_beside_threads(rig):
    """200 forks while other threads decide, and while generations change."""
    host = rig.host("fork-threads", rig.socket, "1000" if IS_SLOW else "200")
    changes = 0
    while host.poll() is None:
        rig.next_revision()
        changes += 1
    print(" ", rig.end(host, None).strip(), f"{changes} reloads")


def threads(rig):
    """10,000 threads that come and go leave nothing behind."""
    print(" ", rig.run("threads", rig.socket, 10_000).strip())


def leaks(rig):
    """Authorities, requests and explanations that come and go leave nothing behind, here or in licetd."""
    image = rig.image()
    rig.run("leak", rig.socket, image)
    time.sleep(0.3)
    before, resident = rig.descriptors(), rig.resident()
    print(" ", rig.run("leak", rig.socket, image).strip())
    rig.wait_for(lambda: rig.descriptors() == before, f"licetd's descriptors are {before} again, not {rig.descriptors()}")
    assert rig.resident() <= resident + 2048, f"licetd grew from {resident} to {rig.resident()} KiB"


def signals(rig):
    """A signal every 100 µs, without SA_RESTART, while it attaches, refreshes and asks."""
    host = rig.host("signals", rig.socket, 3000)
    while host.poll() is None:
        rig.next_revision()
    print(" ", rig.end(host, None).strip())


def signals_and_a_mute_daemon(rig):
    """Signals don't prolong a time-out."""
    host = rig.ready(rig.host("signals-mute", rig.socket))
    rig.signal(rig.daemon.pid, signal.SIGSTOP)
    try:
        print(" ", rig.end(host, seconds=20).strip())
    except subprocess.TimeoutExpired:
        raise AssertionError("a check under signals goes on for 20 s, its time-out is 300 ms") from None
    finally:
        rig.signal(rig.daemon.pid, signal.SIGCONT)


def full_table(rig):
    """EMFILE: opening fails and says so; who was open goes on until it is stale; free descriptors mend it."""
    host = rig.ready(rig.host("descriptors", rig.socket))
    rig.next_revision()
    output = rig.end(host)
    print(" ", output.replace("\n", "; "))
    full = numbers(output.splitlines()[0].replace(",", "").replace("rev-", "rev ").replace(" was rev ", " was ").replace(
        "changed in", "changed").replace(" of 60", ""))
    assert full["lost"] == 1 and full["changed"] == 0 and full["mode"] == SNAPSHOT, \
        f"with a full table it is to decide on until it is stale, then deny: {full}"


def no_root(rig):
    """A chroot without the socket, and a mount name space with nothing else."""
    if not IS_ROOT:
        raise Skipped("chroot(2) needs root")
    empty = rig.folder / "empty"
    empty.mkdir()
    host = rig.ready(rig.host("chroot", rig.socket, empty))
    rig.next_revision()
    assert rig.end(host) == f"chroot: rev-{rig.revision}\n"
    rig.run("mounts", rig.socket, empty)


def environment(rig):
    """LICET_SOCKET counts, but not in set-user-ID programs."""
    mine = {"PATH": "/usr/bin:/bin", "LICET_SOCKET": str(rig.socket)}
    found = rig.run("environment", environment=mine)
    assert found == "secure 0 code 0 open\n", found
    if not IS_ROOT:
        raise Skipped("a set-user-ID program for somebody else needs root")
    copy = rig.folder / "secure-host"
    # Linked with a copy of the library that others may read.
    rig.programs.compile(copy, link_folder(rig))
    os.chown(copy, 0, 0)
    copy.chmod(0o4755)
    prefix = ("/usr/bin/setpriv", "--reuid", "daemon", "--regid", "daemon", "--clear-groups")
    found = rig.run("environment", program=copy, prefix=prefix, environment=mine)
    assert found.startswith(f"secure 1 code {E_NO_AUTHORITY} ") and "/run/licetd/attach" in found, found
    copy.chmod(0o755)
    found = rig.run("environment", program=copy, prefix=prefix, environment=mine)
    assert found.startswith("secure 0 ") and "/run/licetd/attach" not in found, found


def link_folder(rig):
    folder = rig.folder / "link"
    folder.mkdir(exist_ok=True)
    shutil.copy(rig.programs.library / "liblicet.so.1", folder / "liblicet.so.1")
    if not (folder / "liblicet.so").exists():
        os.symlink("liblicet.so.1", folder / "liblicet.so")
    return folder


def time_namespaces(rig):
    """Clocks that are shifted by a day: fresh while licetd lives, stale when it stops."""
    uptime = int(float(pathlib.Path("/proc/uptime").read_text().split()[0]))
    for shift in (86_400, -min(uptime - 5, 86_400)):
        prefix = ("/usr/bin/unshare", "--time", f"--monotonic={shift}", f"--boottime={shift}")
        if subprocess.run([*prefix, "/bin/true"], stderr=subprocess.DEVNULL).returncode != 0:
            raise Skipped("a time name space needs root and CONFIG_TIME_NS")
        host = rig.ready(rig.host("watch", rig.socket, 1500, 2600, prefix=prefix))
        found = numbers(rig.end(host))
        assert found["lost"] == 0 and found["fresh"] > 100, f"shifted by {shift} s: {found}"
        host = rig.ready(rig.host("watch", rig.socket, 1200, 2600, prefix=prefix))
        rig.signal(rig.daemon.pid, signal.SIGSTOP)
        found = numbers(rig.end(host))
        rig.signal(rig.daemon.pid, signal.SIGCONT)
        assert found["lost"] > 3 and found["fresh"] > 5, f"shifted by {shift} s, licetd stopped: {found}"


def little_memory(rig):
    """Each allocation fails once, and then address space ends: errors, no crash, nothing left behind."""
    image = rig.image()
    print(" ", rig.run("memory", rig.socket, image).strip().replace("\n", "; "))
    rig.run("limited", rig.socket, image)


def no_system_calls(rig):
    """2,000,000 decisions make as many system calls as 20 do, and no allocation."""
    if not shutil.which("strace"):
        raise Skipped("strace isn't installed")
    image = rig.image()
    for mode, path in ((SNAPSHOT, rig.socket), (EMBEDDED, image)):
        counts = []
        for count in (10, 1_000_000):
            summary = rig.folder / "strace"
            rig.run("decide", path, mode, count, prefix=("strace", "-f", "-o", summary))
            counts.append([line.split("(")[0].split()[-1] for line in summary.read_text().splitlines() if "(" in line])
        assert counts[0] == counts[1], f"mode {mode}: system calls of 20 and of 2,000,000 decisions differ: {diff(*counts)}"
        print(f"  mode {mode}: {len(counts[1])} system calls for 2,000,000 decisions, as for 20")


def diff(a, b):
    return {name: (a.count(name), b.count(name)) for name in set(a) | set(b) if a.count(name) != b.count(name)}


TESTS = [loading, inside_python, forks, forks_beside_threads, threads, leaks, signals, signals_and_a_mute_daemon, full_table,
         no_root, environment, time_namespaces, little_memory, no_system_calls]
