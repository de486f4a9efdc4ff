// org.licet.Licet1.Periods: which periods run, and the determinations that end one (DESIGN §2.8). To look is for
// administrators; to submit is for anybody, since it is the signature that speaks.

import Authority
import Bus
import Determinations
import Glibc
import System

extension Daemon {
  static let periodsInterface = "org.licet.Licet1.Periods"
  /// Seconds between two looks at the calendar.
  static let reviewInterval: UInt64 = 600

  func periodsInterface() -> Interface {
    Interface(
      Daemon.periodsInterface,
      methods: [
        .init("List", out: ["periods": "aa{sv}"]) { [unowned self] in listPeriods($0) },
        .init("Show", in: ["period": "s"], out: ["period": "a{sv}"]) { [unowned self] in showPeriod($0) },
        .init("Submit", in: ["determination": "ay"], out: ["outcome": "s", "held": "u", "quorum": "u"]) {
          [unowned self] in submit($0)
        },
      ],
      properties: [
        .init("Host", "s", emits: .constant, isVisible: isAdministrator) { [unowned self] _, writer in
          writer.append(authority.periods.host)
        },
        .init("Overdue", "as", emits: .never, isVisible: isAdministrator) { [unowned self] _, writer in
          writer.append(overduePeriods)
        },
      ],
      signals: [.init("PeriodChanged", ["period": "s", "ended": "b"])])
  }

  private func isAdministrator(_ call: Call) -> Bool { caller(of: call)?.isAdministrator() == true }

  /// Periods that run past the day on which somebody had to look whether they can end.
  var overduePeriods: [String] {
    let now = Int64(time(nil))
    return authority.periods.standings.filter { $0.isOverdue(at: now) }.map(\.definition.name)
  }

  private func listPeriods(_ call: Call) {
    asAdministrator(call) {
      call.reply { writer in
        writer.array("a{sv}") { list in for one in authority.periods.standings { write(one, &list) } }
      }
    }
  }

  private func showPeriod(_ call: Call) {
    asAdministrator(call) {
      var reader = call.reader
      guard let name = try? reader.nextSwiftString(),
        let one = authority.periods.standings.first(where: { $0.definition.name == name })
      else {
        return refuse(call, .wrongPeriod, "the platform in force declares no such period; List says which there are")
      }
      call.reply { write(one, &$0) }
    }
  }

  private func write(_ one: Periods.Standing, _ list: inout MessageWriter) {
    let definition = one.definition
    list.array("{sv}") { entry in
      entry.entry("name", definition.name)
      entry.entry("ended", one.hasEnded)
      if let since = one.since { entry.entry("since", since) }
      entry.entry("quorum", UInt32(definition.deciders.quorum))
      entry.entry("authorities", definition.deciders.authorities.map(\.name))
      entry.entry("evidence", definition.evidence)
      entry.entry("review-by", definition.reviewBy)
      entry.entry("overdue", one.isOverdue(at: Int64(time(nil))))
      entry.entry("host", authority.periods.host)
      entry.entry("definition", definition.digest.hex)
      entry.entry("authorities-digest", definition.authoritiesDigest.hex)
      entry.entry("next-sequence", one.lastSequence &+ 1)
      entry.entry("pending", one.pending)
      if one.isDamaged { entry.entry("damaged", true) }
      if let former = one.formerDeciders {
        entry.entry("hand-over-quorum", UInt32(former.quorum))
        entry.entry("hand-over-by", former.authorities.map(\.name))
      }
    }
  }

  // MARK: submitting

  private func submit(_ call: Call) {
    var reader = call.reader
    guard let bytes = try? Array(reader.nextBytes()) else { return }
    do throws(DeterminationError) {
      let outcome = try authority.periods.submit(bytes, now: Int64(time(nil)))
      log(.notice, "\(call.sender) submits a determination: \(outcome.name)")
      call.reply { writer in
        writer.append(outcome.name)
        if case .held(let count, let quorum) = outcome {
          writer.append(UInt32(count))
          writer.append(UInt32(quorum))
        } else {
          writer.append(UInt32(0))
          writer.append(UInt32(0))
        }
      }
    } catch {
      log(.notice, "\(call.sender) submits a determination that doesn't count: \(error.text)")
      // Whoever holds no key learns of no period and of no authority.
      let isTold = isAdministrator(call) || !error.isBeforeTheSignature
      let shown = isTold ? error : .forged
      refuse(call, shown.code, shown.text)
    }
  }

  /// Tells which periods ended or run again; `before` are those that had ended.
  func tellPeriods(since before: Set<String>) {
    let now = Set(authority.periods.standings.filter(\.hasEnded).map(\.definition.name))
    for name in now.symmetricDifference(before).sorted() {
      log(.notice, "the period \(name) \(now.contains(name) ? "has ended" : "runs again")")
      subscribers.tellPeriod(name, hasEnded: now.contains(name))
    }
    endedPeriods = now
  }

  /// Says once of each period that nobody looked in time whether it can end; looks again every few minutes.
  func watchReviews() {
    tellOverdue()
    loop.after(nanoseconds: Daemon.reviewInterval * 1_000_000_000, every: Daemon.reviewInterval * 1_000_000_000) {
      [unowned self] in tellOverdue()
    }
  }

  func tellOverdue() {
    let overdue = Set(overduePeriods)
    for name in overdue.subtracting(toldOverdue).sorted() {
      log(.warning, "the period \(name) runs past its review date; that loosens nothing, but somebody has to look")
    }
    toldOverdue = overdue
  }
}

extension Periods.Outcome {
  var name: String {
    switch self {
    case .held: "held"
    case .ended: "ended"
    case .reinstated: "reinstated"
    case .handedOver: "handed-over"
    }
  }
}

extension DeterminationError {
  /// Said of bytes that nobody with a key has vouched for.
  var isBeforeTheSignature: Bool {
    switch self {
    case .malformed, .forged, .wrongPeriod, .unknownAuthority, .damaged: true
    default: false
    }
  }

  var code: Refusal.Code {
    switch self {
    case .malformed: .malformed
    case .forged: .forged
    case .unknownAuthority: .unknownAuthority
    case .wrongHost: .wrongHost
    case .wrongPeriod: .wrongPeriod
    case .outdated: .outdated
    case .wrongAuthorities, .handOverFirst, .nothingToHandOver: .wrongAuthorities
    case .replayed, .badSequence: .replayed
    case .expired: .expired
    case .notYetValid: .notYetValid
    case .partial, .unknownEvidence: .partial
    case .damaged, .stateUnwritable: .stateUnwritable
    }
  }

  var text: String {
    switch self {
    case .malformed: "determination: these bytes are none, or not in the one form that it has"
    case .forged: "determination: the signature isn't its authority's"
    case .unknownAuthority: "determination: who signed it doesn't decide about this period"
    case .wrongHost: "determination: it is for another host or fleet; the property Host says which this is"
    case .wrongPeriod: "determination: the platform in force declares no such period"
    case .outdated: "determination: the period has been changed since it was signed; sign what it says now"
    case .wrongAuthorities: "determination: it was signed for another set of authorities than the policy names"
    case .handOverFirst:
      "determination: the policy names other authorities than those who decide; their quorum has to hand over first"
    case .nothingToHandOver: "determination: those whom the policy names decide already"
    case .replayed: "determination: its sequence number was used already; Show says the next one"
    case .badSequence: "determination: its sequence number is too far ahead; Show says the next one"
    case .expired: "determination: it was valid until a time that is over; sign it again"
    case .notYetValid: "determination: it is issued in the future; are both clocks right?"
    case .partial(let missing): "determination: evidence is missing: \(missing.joined(separator: ", "))"
    case .unknownEvidence(let extra):
      "determination: the period doesn't ask for this evidence: \(extra.joined(separator: ", "))"
    case .damaged: "determination: the period's state can't be read, so it can't end; the journal says why"
    case .stateUnwritable(let why):
      "determination: the state folder can't be written (\(why)): a reinstatement is in force until the daemon ends, anything else is not done"
    }
  }
}
