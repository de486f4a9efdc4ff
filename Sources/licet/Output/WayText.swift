// The way out of a refusal, in sentences (DESIGN §1): who could allow it, by which change.

import Consultation
import Decision
import Foundation
import Offline
import PolicyImage

enum WayText {
  /// One sentence a change, in the order of layers; for nobody, why.
  static func changes(_ way: WayOut) -> [String] {
    switch way.by {
    case .notNeeded: []
    case .nobody: ["nobody can allow it: " + (way.isUntrusted ? untrusted : "it is hard-coded")]
    case .user, .operator, .platform, .authorities, .wait: way.steps.map(sentence)
    }
  }

  /// Why nobody's choice helps, and whose word would.
  static let untrusted =
    "it is untrusted text that asks, which has no authority; a user, the operator or the platform can ask for it themselves"

  /// What holds beside every change of a dial: the source is no setting, but it is part of the answer.
  static let instructed = "what a user, the operator or the platform asks for themselves, the dial doesn't hold back"

  private static func sentence(_ step: WayStep) -> String {
    let name = step.instead.behavior
    let now = step.instead.statement.map { " (now \($0.place))" } ?? ""
    return switch step.kind {
    case .preference: "the user prefers `allow` for \(name)"
    case .setting: "the operator sets `allow: \(name)`\(now)"
    case .operatorLimit: "the operator lifts its limit on \(name)\(now)"
    case .choice: "the platform raises the default or the ceilings of \(name)\(now)"
    case .platformLimit: "the platform lifts its limit on \(name)\(now)"
    case .sessionDial: "the session's dial goes up\(reach(step))"
    case .operatorDial: "the operator sets a higher `dial`\(reach(step))\(now)"
    case .stakes: stakes(step, name)
    case .period: period(step)
    case .counter: counter(step)
    case .session: "the session is given more for \(name): its caps, its scope or its resources"
    case .suspicion: "wait\(step.wait.map { " " + duration($0) } ?? ""), until suspicion has decayed\(now)"
    case .halt(let halt): end(of: halt)
    }
  }

  private static func period(_ step: WayStep) -> String {
    guard let period = step.instead.statement else { return "a period ends" }
    return
      "wait until the period `\(harmless(period.behavior))` ends (\(period.place)), by \(harmless(period.condition ?? ""))"
  }

  private static func counter(_ step: WayStep) -> String {
    guard let counter = step.instead.statement else { return "wait until a counter has fallen" }
    let terms = counter.condition.map { ": it counts \(harmless($0))" } ?? ""
    return "wait until the counter `\(harmless(counter.behavior))` has fallen (\(counter.place))\(terms)"
  }

  /// "1 h 25 min", rounded up.
  static func duration(_ seconds: UInt64) -> String {
    let (minutes, hours) = ((seconds + 59) / 60, (seconds + 3599) / 3600)
    if seconds < 60 { return "\(seconds) s" }
    if minutes < 60 { return "\(minutes) min" }
    if hours < 48 { return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min" }
    return hours % 24 == 0 ? "\(hours / 24) days" : "\(hours / 24) days \(hours % 24) h"
  }

  /// " to 0.3 at least (it may be 0.4)".
  private static func reach(_ step: WayStep) -> String {
    guard let dial = step.dial else { return "" }
    return dial.needed > .zero
      ? " to \(dial.needed) at least (it may be \(dial.highest) at most)" : " (it may be \(dial.highest) at most)"
  }

  private static func stakes(_ step: WayStep, _ name: String) -> String {
    let stated = step.instead.statement.map { "now \($0.place)" } ?? "nobody does now, so they are 1"
    guard let dial = step.dial else { return "the platform states lower stakes for \(name) (\(stated))" }
    return "the platform states stakes of \(dial.highest) at most for \(name) (\(stated)), or raises the dial"
  }

  private static func end(of halt: Halt) -> String {
    let name = harmless(halt.operatorName)
    return switch halt.kind {
    case .operatorStop: "an administrator ends the stop: `licet resume --operator \(name)`"
    case .allStop: "an administrator ends everyone's stop: `licet resume --all`"
    case .noPolicy where name.isEmpty: "the platform's policy comes into force: `licet status` says what is wrong"
    case .noPolicy: "a policy of \(name)'s comes into force: `licet status` says what is wrong"
    case .sessionStop: "another session is opened: one that was stopped stays so"
    case .sessionExpired: "another session is opened: the time of this one is over"
    case .sessionSpent: "another session is opened: what this one may cost is spent"
    }
  }

  /// What halts whom, and as far as it is known since when and by whom.
  static func halt(_ halt: Halt) -> String {
    let name = harmless(halt.operatorName)
    let whom =
      switch halt.kind {
      case .operatorStop: "\(name) is stopped"
      case .allStop: "everyone is stopped"
      case .noPolicy: name.isEmpty ? "no policy is in force" : "no policy of \(name)'s is in force"
      case .sessionStop: "the session\(id(halt)) is stopped"
      case .sessionExpired: "the session's\(id(halt)) time is over"
      case .sessionSpent: "what the session\(id(halt)) may cost is spent"
      }
    let user = halt.by.map { ", by user \($0)" } ?? ""
    let time = halt.since.map { ", since \(Date(timeIntervalSince1970: Double($0)).formatted(.iso8601))" } ?? ""
    return whom + user + time
  }
  private static func id(_ halt: Halt) -> String { halt.session.isEmpty ? "" : " \(harmless(halt.session))" }
}
