// Who wants to be told, and may. Signals go to each alone: a broadcast on the system bus reaches everybody (DESIGN §4).

import Authority
import Bus
import CompilerProtocol
import Consultation
import Decision
import PolicyImage

/// Loop-owned.
final class Subscribers {
  enum Topic: String, CaseIterable { case decisions, reloads, diagnostics, periods, sessions }
  static let maximum = 64
  /// Bytes that wait to be sent, past which decisions are left out and counted.
  static let backlog = 4 << 20

  private struct One {
    var topics: Set<Topic>
    var caller: Caller
    var missed: UInt64 = 0
  }

  private let connection: Connection
  private var all: [String: One] = [:]
  private(set) var wantsDecisions = false

  init(_ connection: Connection) { self.connection = connection }

  /// false: there are too many.
  func set(_ name: String, _ topics: Set<Topic>, _ caller: Caller) -> Bool {
    if topics.isEmpty {
      all[name] = nil
    } else {
      guard all[name] != nil || all.count < Subscribers.maximum else { return false }
      all[name] = One(topics: topics, caller: caller)
    }
    wantsDecisions = all.values.contains { $0.topics.contains(.decisions) }
    return true
  }

  func forget(_ name: String) {
    guard all.removeValue(forKey: name) != nil else { return }
    wantsDecisions = all.values.contains { $0.topics.contains(.decisions) }
  }

  func forgetAll() {
    all = [:]
    wantsDecisions = false
  }

  private func signal(_ member: String, to name: String) -> Message {
    Message(signal: member, of: Daemon.authorityInterface, at: Daemon.path, to: name)
  }

  func tellReloaded(_ generation: UInt64, _ refused: [String], _ daemon: Daemon) {
    for (name, one) in all where one.topics.contains(.reloads) {
      connection.send(
        signal("Reloaded", to: name).with {
          $0.append(generation)
          $0.append(refused.filter { one.caller.sees($0) })
        })
    }
  }

  func tellPeriod(_ period: String, hasEnded: Bool) {
    for (name, one) in all where one.topics.contains(.periods) && one.caller.isAdministrator() {
      connection.send(
        Message(signal: "PeriodChanged", of: Daemon.periodsInterface, at: Daemon.path, to: name).with {
          $0.append(period)
          $0.append(hasEnded)
        })
    }
  }

  /// ObjectManager's signals, to those alone who may know of the session.
  func tellOpened(_ session: Session, _ daemon: Daemon) {
    tell(session, "InterfacesAdded", daemon) { daemon.write(session, daemon.sessionRows, &$0) }
  }

  func tellEnded(_ session: Session, _ daemon: Daemon) {
    tell(session, "InterfacesRemoved", daemon) { $0.append([Daemon.sessionInterface]) }
  }

  private func tell(_ session: Session, _ member: String, _ daemon: Daemon, _ write: (inout MessageWriter) -> Void) {
    for (name, one) in all where one.topics.contains(.sessions) && daemon.isTold(one.caller, of: session) {
      guard connection.outgoingBytes < Subscribers.backlog else { continue }
      connection.send(
        Message(signal: member, of: Daemon.objectManager, at: Daemon.path, to: name).with {
          $0.append(objectPath: Daemon.path(of: session))
          write(&$0)
        })
    }
  }

  func tellDiagnostics(_ daemon: Daemon) {
    for (name, one) in all where one.topics.contains(.diagnostics) {
      connection.send(
        signal("Diagnosed", to: name).with { daemon.write(daemon.visibleDiagnostics(one.caller), &$0) })
    }
  }

  /// `names` stands at the behaviours.
  func tellDecided(_ operatorName: String, _ names: inout MessageReader, _ outcome: Outcome, _ daemon: Daemon) {
    var behaviors: [String] = []
    if var list = try? names.nextArray(of: .string) {
      while let name = try? list.nextSwiftString() { behaviors.append(name) }
    }
    tellDecided(operatorName, behaviors, outcome, daemon)
  }

  func tellDecided(_ operatorName: String, _ behaviors: [String], _ outcome: Outcome, _ daemon: Daemon) {
    for (name, one) in all where one.topics.contains(.decisions) && one.caller.sees(operatorName) {
      guard connection.outgoingBytes < Subscribers.backlog else {
        all[name]?.missed += 1
        continue
      }
      let message = signal("Decided", to: name)
      message.write { writer in
        writer.append(operatorName)
        writer.append(behaviors)
        AnswerWriter(generation: daemon.authority.generation.number).writeShort(outcome, &writer)
        writer.append(one.missed)
      }
      connection.send(message)
      all[name]?.missed = 0
    }
  }
}

extension AnswerWriter {
  /// (s effect, a{sv} details): generation, statement and tier alone.
  func writeShort(_ outcome: Outcome, _ writer: inout MessageWriter) {
    let (effect, rank, place, behavior): (Effect, DeciderRank, String, String)
    switch outcome {
    case .plain(let decision, let policy, _):
      effect = decision.effect
      rank = decision.decider.rank
      place = policy.reference(decision.decider.layer, decision.decider.statement)?.place ?? ""
      behavior = String(decoding: decision.behavior, as: UTF8.self)
    case .explained(let answer):
      effect = answer.effect
      rank = answer.decidedBy.rank
      place = answer.decidedBy.statement?.place ?? ""
      behavior = answer.decidedBy.behavior
    }
    writer.append(effect.name)
    writer.array("{sv}") { details in
      details.entry("generation", generation)
      details.entry("tier", rank.name)
      details.entry("behavior", behavior)
      details.entry("statement", place)
    }
  }
}
