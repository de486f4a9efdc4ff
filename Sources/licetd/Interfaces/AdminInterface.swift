// org.licet.Licet1.Admin: for those who run the host. Every method asks first whether the caller is one of them.

import Authority
import Bus
import Counting
import CompilerProtocol
import Glibc
import System

extension Daemon {
  func adminInterface() -> Interface {
    Interface(
      Daemon.adminInterface,
      methods: [
        .init("Reload", out: ["generation": "t", "refused": "as", "diagnostics": "aa{sv}"]) { [unowned self] in
          reload($0)
        },
        .init("Validate", in: ["files": "a(say)"], out: ["valid": "b", "diagnostics": "aa{sv}"]) { [unowned self] in
          validate($0)
        },
        .init("Rollback", in: ["to": "t"], out: ["generation": "t"]) { [unowned self] in rollback($0) },
        .init("ListGenerations", out: ["generations": "aa{sv}"]) { [unowned self] in listGenerations($0) },
        .init("Hold", in: ["seconds": "u"]) { [unowned self] in hold($0) },
        .init("Stop", in: ["operator": "s"]) { [unowned self] in stop($0, isResume: false) },
        .init("Resume", in: ["operator": "s"]) { [unowned self] in stop($0, isResume: true) },
        .init("StopSession", in: ["session": "s"]) { [unowned self] in stopSession($0) },
        .init("StopAll") { [unowned self] in stopAll($0, isResume: false) },
        .init("ResumeAll") { [unowned self] in stopAll($0, isResume: true) },
        .init("Status", out: ["status": "a{sv}"]) { [unowned self] in tellStatus($0) },
      ])
  }

  private func reload(_ call: Call) {
    asAdministrator(call) {
      log(.info, "\(call.sender) asks for a reload")
      Service.notify("RELOADING=1")
      authority.reload { [unowned self] outcome in
        Service.notify("READY=1")
        call.reply { writer in
          writer.append(outcome.generation)
          writer.append(outcome.refused)
          write(outcome.diagnostics, &writer)
        }
      }
    }
  }

  private func validate(_ call: Call) {
    asAdministrator(call) {
      var files: [(path: String, bytes: [UInt8])] = []
      do throws(ReadError) {
        var reader = call.reader
        var list = try reader.nextArray(of: .structure)
        while !list.atEnd {
          var file = try list.nextStruct()
          files.append((try file.nextSwiftString(), Array(try file.nextBytes())))
        }
      } catch {
        return call.fail(error)
      }
      authority.validate(files) { [unowned self] result in
        switch result {
        case .success(let validation):
          call.reply { writer in
            writer.append(validation.isValid)
            write(validation.diagnostics, &writer)
          }
        case .failure(let error): refuse(call, error)
        }
      }
    }
  }

  private func rollback(_ call: Call) {
    asAdministrator(call) {
      var reader = call.reader
      guard let number = try? reader.nextUInt64() else { return }
      log(.notice, "\(call.sender) asks for generation \(number == 0 ? "before this one" : String(number))")
      authority.rollback(to: number) { [unowned self] result in
        switch result {
        case .success(let generation): call.reply { $0.append(generation) }
        case .failure(let error): refuse(call, error)
        }
      }
    }
  }

  private func refuse(_ call: Call, _ error: AdminError) {
    switch error {
    case .noSuchGeneration:
      refuse(call, .noSuchGeneration, "no such set is kept whole; ListGenerations says which are")
    case .refused(let diagnostics):
      let first = diagnostics.first { $0.severity == .error }
      refuse(
        call, .noSuchGeneration,
        "its sources don't compile any more\(first.map { ": \($0.place.file):\($0.place.line): \($0.message)" } ?? "")")
    case .compiler: refuse(call, .busy, "licet-compiler can't be reached; the journal says why; try again")
    case .stateUnwritable:
      refuse(
        call, .stateUnwritable, "the state folder \(options.state) can't be written, so no generation can be counted")
    case .busy: refuse(call, .busy, "another one is under way; try again")
    }
  }

  private func listGenerations(_ call: Call) {
    asAdministrator(call) {
      let history = authority.history
      call.reply { writer in
        writer.array("a{sv}") { list in
          for entry in history {
            list.array("{sv}") { one in
              one.entry("generation", entry.number)
              one.entry("time", entry.time)
              one.entry("digest", entry.digest)
              one.entry("in-force", entry.number == history.last?.number)
            }
          }
        }
      }
    }
  }

  private func hold(_ call: Call) {
    asAdministrator(call) {
      var reader = call.reader
      guard let seconds = try? reader.nextUInt32(), (1...60).contains(seconds) else {
        return refuse(call, .badRequest, "seconds: from 1 to 60")
      }
      authority.hold(seconds: seconds, owner: call.sender)
      call.reply()
    }
  }

  // MARK: the panic button

  private func stop(_ call: Call, isResume: Bool) {
    asAdministrator(call) {
      var reader = call.reader
      guard let name = try? reader.nextSwiftString() else { return }
      let user = caller(of: call)?.identity.uid
      log(.notice, "\(call.sender) \(isResume ? "resumes" : "stops") \(name)")
      answer(call) { () throws(StopError) in
        if isResume { try authority.stops.resume(name) } else { try authority.stops.stop(name, by: user) }
      }
    }
  }

  private func stopAll(_ call: Call, isResume: Bool) {
    asAdministrator(call) {
      let user = caller(of: call)?.identity.uid
      log(.notice, "\(call.sender) \(isResume ? "resumes" : "stops") every operator")
      answer(call) { () throws(StopError) in
        if isResume { try authority.stops.resumeAll() } else { try authority.stops.stopAll(by: user) }
      }
    }
  }

  /// For good: a session that is stopped is closed and opened anew.
  private func stopSession(_ call: Call) {
    asAdministrator(call) {
      var reader = call.reader
      guard let id = try? reader.nextString() else { return }
      guard let session = SessionID(id).flatMap({ authority.sessions[$0] }) else {
        return refuse(
          call, .unknownSession, "session: there is none with this id; `licet session list` says which there are")
      }
      log(.notice, "\(call.sender) stops session \(session.id) of \(session.operatorName)")
      authority.sessions.stop(session, by: caller(of: call)?.identity.uid)
      call.reply()
    }
  }

  private func answer(_ call: Call, _ body: () throws(StopError) -> Void) {
    do throws(StopError) {
      try body()
      call.reply()
    } catch {
      switch error {
      case .badName: refuse(call, .badName, "operator: no operator can have this name")
      case .state:
        refuse(
          call, .stateUnwritable,
          "the state folder \(options.state) can't be written: a stop is in force until the daemon ends, a resume is not done"
        )
      }
    }
  }

  // MARK: status

  /// When what attached processes counted up to now is in the totals.
  private func tellStatus(_ call: Call) {
    asAdministrator(call) {
      guard let collector = attachServer?.collector else { return writeStatus(call) }
      collector.flush { [unowned self] _ in writeStatus(call) }
    }
  }

  private func writeStatus(_ call: Call) {
    let generation = authority.generation
    let sum = attachServer?.collector.totals.sum ?? OperatorTotals()
    call.reply { writer in
      writer.array("{sv}") { one in
        one.entry("state", stateWord)
        one.entry("platform", generation.platformName)
        one.entry("since", Int64(started))
        one.entry("stopped", authority.stops.stopped.sorted())
        one.entry("stopped-all", authority.stops.isAllStopped)
        one.entry("held", authority.isHeld)
        one.entry("rolled-back", authority.isRolledBack)
        one.entry("compiler", isCompilerUp ? "up" : "down")
        one.entry("operators", "aa{sv}") { writeOperators(&$0) }
        one.entry("memory", residentBytes)
        one.entry("decisions", sum.observed.sum)
        one.entry("asserted", sum.asserted.sum)
        one.entry("differing", sum.differing)
        one.entry("underived", sum.underived)
        one.entry("attached", UInt32(clamping: attachServer?.count ?? 0))
        one.entry("unrecorded", authority.records.unwritable?.text ?? "")
        one.entry("refused", decisionPoint.limits.refused)
        one.entry("policy", options.folders)
        one.entry("overdue-periods", overduePeriods)
        one.entry("counters", "aa{sv}") { writeCounters(&$0) }
        one.entry("counter-bytes", UInt64(clamping: authority.counters.bytes))
        one.entry("counter-limit", UInt64(clamping: authority.counters.largest))
        one.entry("counter-overflows", authority.counters.overflows)
        one.entry("counters-unwritable", authority.counters.unwritable?.text ?? "")
        one.entry("sessions", UInt32(clamping: authority.sessions.count))
        one.entry("suspect", generation.operators.keys.filter(authority.suspicions.asksRemotely).sorted())
      }
    }
  }

  private var stateWord: String {
    if authority.stops.isAllStopped { return "stopped" }
    return authority.generation.platform == nil ? "no-policy" : "running"
  }

  private func writeOperators(_ writer: inout MessageWriter) {
    let generation = authority.generation
    let names = Set(generation.operators.keys).union(generation.declared).sorted()
    writer.array("a{sv}") { list in
      for name in names {
        let own = generation.operators[name]
        list.array("{sv}") { one in
          one.entry("name", name)
          one.entry("generation", own?.sinceGeneration ?? 0)
          one.entry("state", own == nil ? "denied" : own?.isLastGood == true ? "last-good" : "in-force")
        }
      }
    }
  }

  private func writeCounters(_ writer: inout MessageWriter) {
    writer.array("a{sv}") { list in
      for counter in authority.counters.fill {
        list.array("{sv}") { one in
          one.entry("name", counter.name)
          one.entry("keys", UInt64(clamping: counter.keys))
          one.entry("bytes", UInt64(clamping: counter.bytes))
          one.entry("complete", !counter.isIncomplete)
        }
      }
    }
  }

  /// Bytes of memory that this process holds: /proc/self/statm, second field, in pages.
  private var residentBytes: UInt64 {
    guard let file = fopen("/proc/self/statm", "re") else { return 0 }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 128)
    guard fgets(&buffer, Int32(buffer.count), file) != nil else { return 0 }
    let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (UInt64(fields[1]) ?? 0) &* UInt64(sysconf(Int32(_SC_PAGESIZE))) : 0
  }
}
