// The wall clock jumps, by years, under a running daemon: decisions follow it, nothing else does.

import Foundation
import TestKit
import Testing

/// A wall clock that the test turns: a library before the C library's, which adds what a file holds.
private final class Clock {
  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <fcntl.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    #include <time.h>
    static volatile long *ahead;
    static int (*real)(clockid_t, struct timespec *);
    __attribute__((constructor)) static void start(void) {
      real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
      int file = open(getenv("TEST_CLOCK"), O_RDONLY | O_CLOEXEC);
      void *page = file < 0 ? MAP_FAILED : mmap(0, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
      if (page == MAP_FAILED) abort();
      ahead = page;
    }
    int clock_gettime(clockid_t clock, struct timespec *time) {
      if (!real) start();
      int failed = real(clock, time);
      if (!failed && clock == CLOCK_REALTIME) time->tv_sec += *ahead;
      return failed;
    }
    """

  private let folder: PolicyScratch
  private var file: URL { folder.root.appendingPathComponent("ahead") }
  private var library: URL { folder.root.appendingPathComponent("clock.so") }

  init() throws {
    folder = try PolicyScratch("clock")
    let source = folder.root.appendingPathComponent("clock.c")
    try Data(Clock.source.utf8).write(to: source)
    let built = try run(["/usr/bin/gcc", "-shared", "-fPIC", "-o", library.path, source.path])
    try #require(built.status == 0, "\(built.errors)")
    try Data(count: 8).write(to: file)
  }

  var environment: [String: String] { ["LD_PRELOAD": library.path, "TEST_CLOCK": file.path] }

  /// Years from the true time; in place, since the file is mapped.
  func turn(years: Int) throws {
    let handle = try FileHandle(forWritingTo: file)
    try handle.write(contentsOf: withUnsafeBytes(of: Int64(years) * 31_557_600) { Data($0) })
    try handle.close()
  }
}

@Suite struct ClockTests {
  private static func rules(_ year: Int) -> String {
    """
      - {allow: rig.read, when: 'now > timestamp("2026-01-01T00:00:00Z") && now < timestamp("\(year)-01-01T00:00:00Z")'}

    """
  }

  @Test func decisionsFollowTheClockAndNothingElseDoes() throws {
    do {
      let clock = try Clock()
      let own = "{user: \(ownName)}"
      let rig = try Rig(
        operators: ["keeper": Rig.operatorFile("keeper", bind: own, rules: Self.rules(2100))],
        environment: clock.environment)
      #expect(try rig.check() == "allow")
      var last = try rig.generation()
      for years in [200, -40, 0, -56, 300] {
        try clock.turn(years: years)
        #expect(try rig.check() == (years == 0 ? "allow" : "deny"), "\(years)")
        // A change comes into force as ever, under a number above all others.
        try rig.scratch.save(
          "operators.d/keeper.yaml", Rig.operatorFile("keeper", bind: own, rules: Self.rules(2101 + abs(years))))
        #expect(rig.waits { try rig.generation() > last })
        last = try rig.generation()
        #expect(try rig.diagnosticCodes() == [])
        // So does a restart, whatever the clock was when the numbers before were taken.
        rig.kill9()
        try rig.start()
        #expect(try rig.generation() > last)
        last = try rig.generation()
        #expect(try rig.check() == (years >= 0 ? "allow" : "deny"), "\(years)")
      }
      #expect(rig.process.isRunning)
    }
  }
}
