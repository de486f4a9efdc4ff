// An answer as DESIGN §10 writes it. Programs read this: fields are added, never renamed.

import Decision
import Consultation
import Offline
import PolicyImage

enum AnswerJSON {
  /// A folder or an image is one generation; the daemon counts them.
  static let generation: Int64 = 1

  static func json(_ answer: Answer, generation: Int64 = generation) -> JSON {
    .fields([
      "effect": .string(answer.effect.name),
      "behavior": .string(answer.decidedBy.behavior),
      "obligations": .strings(answer.obligations),
      "decided_by": decidedBy(answer.decidedBy),
      "generation": .int(generation),
      "halts": answer.halts.isEmpty ? nil : .array(answer.halts.map(halt)),
      "way": answer.way.map(way) ?? .null,
      "trace": answer.trace.isEmpty ? nil : .array(answer.trace.map(line)),
    ])
  }

  static func decidedBy(_ decided: DecidedBy) -> JSON {
    .fields([
      "statement": .optional(decided.statement?.place), "tier": .string(decided.rank.name),
      "clause": .optional(decided.statement?.clause),
      "oversight": decided.cause == .none ? nil : .string(decided.cause.name),
    ])
  }

  private static func way(_ way: WayOut) -> JSON {
    let sentences = WayText.changes(way)
    return .fields([
      "by": .string(way.by.name), "untrusted": way.isUntrusted ? .bool(true) : nil,
      "change": .string(sentences.joined(separator: "; ")),
      "changes": .array(
        way.steps.map {
          .fields([
            "kind": .string($0.kind.name), "behavior": .string($0.instead.behavior),
            "statement": .optional($0.instead.statement?.place),
            "needed": $0.dial.flatMap { $0.needed > .zero ? .double($0.needed.value) : nil },
            "highest": $0.dial.map { .double($0.highest.value) },
            "period": $0.kind == .period ? .optional($0.instead.statement?.behavior) : nil,
            "counter": $0.kind == .counter ? .optional($0.instead.statement?.behavior) : nil,
            "terms": $0.kind == .period || $0.kind == .counter ? .optional($0.instead.statement?.condition) : nil,
            "wait": $0.wait.map { .int(Int64(clamping: $0)) },
          ])
        }),
    ])
  }

  private static func halt(_ halt: Halt) -> JSON {
    .fields([
      "kind": .string(halt.kind.rawValue),
      "operator": halt.operatorName.isEmpty ? nil : .string(halt.operatorName),
      "session": halt.session.isEmpty ? nil : .string(halt.session), "since": halt.since.map(JSON.int),
      "by": halt.by.map { .int(Int64($0)) },
    ])
  }

  private static func line(_ line: TraceLine) -> JSON {
    .fields([
      "step": .string(line.step.name), "behavior": .string(line.behavior), "effect": .string(line.effect.name),
      "says": .string(line.says.name), "statement": .optional(line.statement?.place),
      "tier": line.tier.map { .string($0.name) }, "clause": line.statement?.clause.map(JSON.string),
      "condition": line.statement?.condition.map(JSON.string),
      "chosen_for": line.statement?.form.chosenFor.map(JSON.string), "totals": line.statement?.totals.map(JSON.string),
      "truth": line.statement?.condition == nil && line.dial == nil && line.period == nil && line.session == nil
        && line.suspicion == nil ? nil : .string(line.truth.name),
      "failure": line.truth == .failed ? .string(line.failure.name) : nil,
      "attribute": line.attribute.map(JSON.string), "shadow": line.isShadow ? .bool(true) : nil,
      "clamped": line.isClamped ? .bool(true) : nil,
      "stakes": line.dial.map { .double($0.stakes.value) }, "dial": line.dial.map { .double($0.dial.value) },
      "stakes_statement": line.dial.map { .optional($0.statedAt?.place) },
      "untrusted": line.dial?.isUntrusted == true ? .bool(true) : nil,
      "period": line.period.map { .string($0.name) }, "terms": line.period.map { .string($0.terms) },
      "ended": line.period.map { .bool($0.hasEnded) },
      "hold": line.session.map { .string($0.hold.name) },
      "term": line.session.flatMap { $0.term.isEmpty ? nil : .string($0.term) },
      "suspicion": line.suspicion.map { .double(Double($0) / 1000) },
    ])
  }
}
