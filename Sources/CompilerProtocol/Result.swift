// What a compile says, as it lies in sealed memory: a header, facts and diagnostics, and the image at a multiple of 64.

/// What licetd needs to know of a policy and can't read from its image.
public struct Facts: Hashable, Sendable {
  /// The platform's or operator's name.
  public var name: String
  /// Who may speak for the operator.
  public var bindings: [BindingRecord]
  /// Groups that may administer (a platform's).
  public var administratorGroups: [String]
  /// Facts of a policy named `name`.
  public init(name: String, bindings: [BindingRecord] = [], administratorGroups: [String] = []) {
    self.name = name
    self.bindings = bindings
    self.administratorGroups = administratorGroups
  }
}

/// How an operating-system identity is tied to an operator (DESIGN §4).
public struct BindingRecord: Hashable, Sendable {
  /// What `value` names; the raw values are the wire's.
  public enum Kind: UInt8, Sendable, CaseIterable { case user = 1, group, label, unit }
  public var kind: Kind
  public var value: String
  /// The user that a unit runs as; else empty.
  public var user: String
  /// A binding to `value`.
  public init(_ kind: Kind, _ value: String, user: String = "") {
    self.kind = kind
    self.value = value
    self.user = user
  }
}

/// A diagnostic, in words, for journal, property and signal.
public struct DiagnosticRecord: Hashable, Sendable {
  /// How bad; the raw values are the wire's.
  public enum Severity: UInt8, Sendable, CaseIterable {
    case error = 1
    case warning = 2
  }
  /// A place, from line and column 1.
  public struct Place: Hashable, Sendable {
    public var file: String
    public var line: UInt32
    public var column: UInt32
    /// A place in `file`.
    public init(file: String, line: UInt32, column: UInt32) {
      self.file = file
      self.line = line
      self.column = column
    }
  }
  /// Whose; empty: the platform's.
  public var `operator`: String
  public var severity: Severity
  /// As docs/diagnostics.md lists it.
  public var code: String
  public var place: Place
  /// Characters that it is about, from `place`.
  public var length: UInt32
  public var message: String
  /// What to do; may be empty.
  public var hint: String
  /// The source line, or the beginning of it; empty when the file could not be read.
  public var text: String
  /// Another place that explains it.
  public var related: Related?

  /// Another place, with what is to be said about it.
  public struct Related: Hashable, Sendable {
    public var place: Place
    public var message: String
    /// `message` about `place`.
    public init(place: Place, message: String) {
      self.place = place
      self.message = message
    }
  }

  /// A diagnostic of `operator`'s policy.
  public init(
    operator: String, severity: Severity, code: String, place: Place, length: UInt32 = 1, message: String,
    hint: String = "", text: String = "", related: Related? = nil
  ) {
    self.operator = `operator`
    self.severity = severity
    self.code = code
    self.place = place
    self.length = length
    self.message = message
    self.hint = hint
    self.text = text
    self.related = related
  }

  public var file: String { place.file }
  public var line: UInt32 { place.line }
  public var column: UInt32 { place.column }
}

/// What a result says, and where in its bytes the image lies.
public struct ResultContents: Hashable, Sendable {
  /// Whether there is an image.
  public var isInForce: Bool
  /// Bytes of the image within the result, from a multiple of 64; empty when not in force.
  public var image: Range<Int>
  public var facts: Facts
  public var diagnostics: [DiagnosticRecord]
}
