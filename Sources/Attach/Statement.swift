// A statement of the policy <-> bytes: where it stands, and what it says.

public import Decision
internal import PolicyImage

/// A statement of the policy; form 255: none.
public struct StatementRecordText {
  public var form: UInt8 = .max
  public var line: UInt32 = 0
  public var column: UInt16 = 0
  public var file = Name(start: nil, count: 0)
  public var behavior = Name(start: nil, count: 0)
  public var clause: Name?
  public var condition: Name?

  public var isNone: Bool { form == .max }

  public static func read(_ reader: inout WireReader) -> StatementRecordText {
    var one = StatementRecordText()
    one.form = reader.take()
    guard !one.isNone, !reader.isBroken else { return one }
    one.line = reader.take()
    one.column = reader.take()
    one.file = reader.text()
    one.behavior = reader.text()
    one.clause = reader.optionalText()
    one.condition = reader.optionalText()
    return one
  }

  /// None.
  public init() {}

  /// A statement of this layer. Without a policy `builtIn` is the name that a built-in absolute stands for.
  public init(_ layer: Layer, _ statement: UInt32, _ policy: Policy?, builtIn: Name?) {
    if let policy, layer != .none, statement != ImageFormat.none {
      let image = policy.image(layer)
      let record = image.statements[Int(statement)]
      func text(_ id: UInt32) -> Name? { id == ImageFormat.none ? nil : image.string(id) }
      (form, line, column) = (record.form, record.line, record.column)
      if let name = text(record.file) { file = name }
      if let name = text(record.name) { behavior = name }
      clause = text(record.clause)
      condition = text(record.condition)
    } else if policy == nil, let builtIn, let index = BuiltInAbsolute.index(covering: builtIn) {
      (form, column) = (StatementForm.builtIn.rawValue, 1)
      behavior = BuiltInAbsolute.name(index)
    }
  }

  /// What decided.
  public init(of decision: Decision, _ policy: Policy?) {
    self.init(
      decision.decider.layer, decision.decider.statement, policy,
      builtIn: decision.decider.rank == .absolute ? decision.behavior : nil)
  }

  public func write(_ writer: inout WireWriter) {
    writer.put(form)
    guard !isNone else { return }
    writer.put(line)
    writer.put(column)
    writer.put(file as Name?)
    writer.put(behavior as Name?)
    writer.put(clause)
    writer.put(condition)
  }
}
