"""`inside_python.py LIBRARY SOCKET`: liblicet through ctypes, in threads, in a forked child, and beside multiprocessing."""

import ctypes
import multiprocessing
import os
import sys
import threading


class Text(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("mode", ctypes.c_uint32), ("path", ctypes.c_char_p), ("operator_name", Text),
                ("timeout_ms", ctypes.c_uint32), ("stale_after_ms", ctypes.c_uint32), ("on_authority_loss", ctypes.c_uint32),
                ("reserved", ctypes.c_uint32)]


library = ctypes.CDLL(sys.argv[1])
library.licet_version.restype = ctypes.c_char_p
for name in ("licet_close", "licet_request_free"):
    getattr(library, name).argtypes = [ctypes.c_void_p]
library.licet_request_new.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
library.licet_check_named.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
options = Options(size=ctypes.sizeof(Options), path=sys.argv[2].encode(), operator_name=Text(b"keeper", 6))
authority = ctypes.c_void_p()
assert library.licet_open(ctypes.byref(options), ctypes.byref(authority), None) == 0, "licet_open"


def decide(times=200):
    request = ctypes.c_void_p()
    assert library.licet_request_new(authority, ctypes.byref(request), None) == 0
    for _ in range(times):
        assert library.licet_check_named(request, b"tool.read", 9, None) == 2
        assert library.licet_check_named(request, b"tool.write", 10, None) == 0
    library.licet_request_free(request)
    return times


found = []
threads = [threading.Thread(target=lambda: found.append(decide())) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert found == [200] * 20, found
child = os.fork()
if child == 0:
    decide()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0, "a forked child"
with multiprocessing.get_context("fork").Pool(3) as pool:
    assert pool.map(decide, [50] * 9) == [50] * 9
decide()
library.licet_close(authority)
