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
      "way": answer.way.map(way) ?? .null,
      "trace": answer.trace.isEmpty ? nil : .array(answer.trace.map(line)),
    ])
  }

  static func decidedBy(_ decided: DecidedBy) -> JSON {
    .fields([
      "statement": .optional(decided.statement?.place), "tier": .string(decided.rank.name),
      "clause": .optional(decided.statement?.clause),
    ])
  }

  private static func way(_ way: (by: WayBy, steps: [WayStep])) -> JSON {
    let sentences = WayText.changes(way)
    return .fields([
      "by": .string(way.by.name), "change": .string(sentences.joined(separator: "; ")),
      "changes": .array(
        way.steps.map {
          .fields([
            "kind": .string($0.kind.name), "behavior": .string($0.instead.behavior),
            "statement": .optional($0.instead.statement?.place),
          ])
        }),
    ])
  }

  private static func line(_ line: TraceLine) -> JSON {
    .fields([
      "step": .string(line.step.name), "behavior": .string(line.behavior), "effect": .string(line.effect.name),
      "says": .string(line.says.name), "statement": .optional(line.statement?.place),
      "tier": line.tier.map { .string($0.name) }, "clause": line.statement?.clause.map(JSON.string),
      "condition": line.statement?.condition.map(JSON.string),
      "truth": line.statement?.condition == nil ? nil : .string(line.truth.name),
      "failure": line.truth == .failed ? .string(line.failure.name) : nil,
      "attribute": line.attribute.map(JSON.string), "shadow": line.isShadow ? .bool(true) : nil,
      "clamped": line.isClamped ? .bool(true) : nil,
    ])
  }
}

extension StatementReference {
  /// "operators.d/nightowl.yaml:12", or what is compiled into the program.
  var place: String { form == .builtIn ? "built-in" : "\(file):\(line)" }
}

extension DeciderRank {
  var name: String {
    switch self {
    case .default: "default"
    case .setting, .operatorTier: "operator"
    case .ceiling: "ceiling"
    case .preference: "user"
    case .guideline: "guideline"
    case .ethics: "ethics"
    case .safety: "safety"
    case .oversight: "oversight"
    case .absolute: "absolute"
    }
  }
}

extension WayBy {
  var name: String {
    switch self {
    case .notNeeded: "not-needed"
    case .user: "user"
    case .operator: "operator"
    case .platform: "platform"
    case .nobody: "nobody"
    }
  }
}

extension WayStep.Kind {
  var name: String {
    switch self {
    case .preference: "preference"
    case .setting: "setting"
    case .operatorLimit: "operator-limit"
    case .choice: "choice"
    case .platformLimit: "platform-limit"
    }
  }
}

extension TraceStep {
  var name: String {
    switch self {
    case .default: "default"
    case .setting: "setting"
    case .operator: "operator"
    case .grant: "grant"
    case .preference: "preference"
    case .duty: "duty"
    case .limit: "limit"
    case .absolute: "absolute"
    }
  }
}

extension Truth {
  var name: String {
    switch self {
    case .no: "false"
    case .yes: "true"
    case .failed: "failed"
    }
  }
}

extension Failure {
  /// Stable; docs/reference.md lists them.
  var name: String {
    switch self {
    case .none: "none"
    case .missingAttribute: "missing-attribute"
    case .noSuchKey: "no-such-key"
    case .noSuchOverload: "no-such-overload"
    case .overflow: "overflow"
    case .divisionByZero: "division-by-zero"
    case .outOfRange: "out-of-range"
    case .badConversion: "bad-conversion"
    case .badFormat: "bad-format"
    case .costLimit: "cost-limit"
    case .arenaFull: "arena-full"
    case .unknownZone: "unknown-zone"
    case .emptyOptional: "empty-optional"
    case .duplicateKey: "duplicate-key"
    case .unknownName: "unknown-name"
    }
  }

  /// The end of "it can't be evaluated: …".
  func phrase(attribute: String?) -> String {
    switch self {
    case .none: "unknown"
    case .missingAttribute: "`\(attribute ?? "an attribute")` is not given"
    case .noSuchKey: "a key that it reads is not in the map"
    case .noSuchOverload:
      attribute == "argument" ? "with an empty argument" : "a value has a type that the operation doesn't take"
    case .overflow: "a number overflows"
    case .divisionByZero: "a division by zero"
    case .outOfRange: "an index or a number is out of range"
    case .badConversion: "a value can't be converted"
    case .badFormat: "a format string doesn't fit its values"
    case .costLimit: "it takes too many steps"
    case .arenaFull: "it builds too much"
    case .unknownZone: "a time zone is unknown"
    case .emptyOptional: "an optional is empty"
    case .duplicateKey: "a map gets a key twice"
    case .unknownName: "a name is unknown"
    }
  }
}
