// Examples that a rule carries: requests for which its condition holds, or doesn't (DESIGN §3). Parsed and typed when
// the file loads; whoever can evaluate decides them.

public import PolicyImage

/// A request that a rule's author wrote down.
public struct RequestExample: Hashable, Sendable {
  /// The rule's condition has to be true for it; else it has to be false.
  public var isMatch: Bool
  /// nil: the rule's own behaviour.
  public var behavior: String?
  public var resource: String?
  /// nil: the default, `agent`.
  public var source: Source?
  public var argument: String?
  /// As written (RFC 3339); nil: any time will do.
  public var now: String?
  /// By qualified name ("user.role"); each has the shape of its declared type. Counters are among them ("counter.NAME").
  public var attributes: [String: ExampleValue]
  public var location: Location
  public init(
    isMatch: Bool, behavior: String?, resource: String?, source: Source?, argument: String?, now: String?,
    attributes: [String: ExampleValue], location: Location
  ) {
    self.isMatch = isMatch
    self.behavior = behavior
    self.resource = resource
    self.source = source
    self.argument = argument
    self.now = now
    self.attributes = attributes
    self.location = location
  }
}

/// A value as YAML states it, brought to the attribute's declared type. Bytes, timestamps and durations stay text.
public indirect enum ExampleValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case string(String)
  case list([ExampleValue])
  /// In the order written; keys differ.
  case map([Entry])

  public struct Entry: Hashable, Sendable {
    public var key: ExampleValue
    public var value: ExampleValue
    public init(key: ExampleValue, value: ExampleValue) {
      self.key = key
      self.value = value
    }
  }
}
