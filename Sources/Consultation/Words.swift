// What the engine's values are called, everywhere that people and programs read them: JSON, the bus, terminals. Stable;
// docs/reference.md lists them.

public import Decision
public import PolicyImage

extension Effect {
  public var name: String {
    switch self {
    case .deny: "deny"
    case .ask: "ask"
    case .allow: "allow"
    }
  }
}

extension StatementReference {
  /// "operators.d/nightowl.yaml:12", or what is compiled into the program.
  public var place: String { form == .builtIn ? "built-in" : "\(file):\(line)" }
}

extension StatementForm {
  /// Whom a default was chosen for; nil: it was stated.
  public var chosenFor: String? {
    switch self {
    case .chosen: "population"
    case .audience: "audience"
    case .rule, .declaration, .unknown, .builtIn, .dial, .period, .counter, .suspicion: nil
    }
  }

  public init?(chosenFor name: String) {
    guard let form = [StatementForm.chosen, .audience].first(where: { $0.chosenFor == name }) else { return nil }
    self = form
  }
}

extension DeciderRank {
  public var name: String {
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
  public var name: String {
    switch self {
    case .notNeeded: "not-needed"
    case .user: "user"
    case .operator: "operator"
    case .platform: "platform"
    case .nobody: "nobody"
    case .authorities: "authorities"
    case .wait: "wait"
    }
  }
}

extension WayStep.Kind {
  public var name: String {
    switch self {
    case .preference: "preference"
    case .setting: "setting"
    case .operatorLimit: "operator-limit"
    case .choice: "choice"
    case .platformLimit: "platform-limit"
    case .sessionDial: "session-dial"
    case .operatorDial: "operator-dial"
    case .stakes: "stakes"
    case .period: "period"
    case .counter: "counter"
    case .session: "session"
    case .suspicion: "suspicion"
    case .halt(let halt): halt.kind.rawValue
    }
  }
}

extension TraceStep {
  public var name: String {
    switch self {
    case .default: "default"
    case .setting: "setting"
    case .operator: "operator"
    case .grant: "grant"
    case .preference: "preference"
    case .duty: "duty"
    case .limit: "limit"
    case .oversight: "oversight"
    case .absolute: "absolute"
    case .dial: "dial"
    case .session: "session"
    case .suspicion: "suspicion"
    }
  }
}

extension OversightCause {
  public var name: String {
    switch self {
    case .none: "none"
    case .session: "session"
    case .suspicion: "suspicion"
    case .dial: "dial"
    case .halt: "halt"
    }
  }
}

extension SessionHold {
  public var name: String {
    switch self {
    case .cap: "cap"
    case .scope: "scope"
    case .resources: "resources"
    case .preference: "preference"
    }
  }
}

/// Thousandths of an attempt, as suspicion is written: "2.5".
public func attempts(_ thousandths: UInt32) -> String {
  let rest = thousandths % 1000
  guard rest != 0 else { return "\(thousandths / 1000)" }
  var digits = String(String(1000 + rest).dropFirst())
  while digits.hasSuffix("0") { digits.removeLast() }
  return "\(thousandths / 1000).\(digits)"
}

extension Truth {
  public var name: String {
    switch self {
    case .no: "false"
    case .yes: "true"
    case .failed: "failed"
    }
  }
}

extension Failure {
  public var name: String {
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
  public func phrase(attribute: String?) -> String {
    switch self {
    case .none: "unknown"
    case .missingAttribute:
      if let counter = attribute?.counterName {
        "the counter `\(counter)` is not known"
      } else {
        "`\(attribute ?? "an attribute")` is not given"
      }
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

extension String {
  /// Of an attribute that is a counter's value: the counter's name.
  public var counterName: String? { utf8.starts(with: "counter.".utf8) ? String(dropFirst(8)) : nil }
}

extension Tier {
  public var name: String {
    switch self {
    case .operator: "operator"
    case .guideline: "guideline"
    case .ethics: "ethics"
    case .safety: "safety"
    }
  }
}
