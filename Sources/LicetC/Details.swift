// What a decision leads to: its obligations and its statement, looked up when somebody asks.

internal import Attach
public import CLicet
internal import Decision
internal import PolicyImage

@c @implementation
public func licet_request_obligations(
  _ request: OpaquePointer!, _ names: UnsafeMutablePointer<licet_text>!, _ capacity: Int
) -> Int {
  guard let request else { return 0 }
  let ref = RequestRef(request)
  var count = 0
  func add(_ name: Name) {
    if let names, count < capacity { names[count] = name.text }
    count &+= 1
  }
  switch ref.pointee.last.kind {
  case .none: break
  case .remote:
    var reader = WireReader(ref.pointee.last.answer)
    let head = AnswerHead.read(&reader)
    while count < head.obligations, !reader.isBroken { add(reader.text()) }
  case .local:
    guard let decision = ref.pointee.last.decision, let policy = ref.pointee.policy else { break }
    if decision.platformObligations | decision.overlayObligations == 0 { break }
    var last: Name?
    while let name = nextObligation(after: last, decision, policy) {
      add(name)
      last = name
    }
  }
  return count
}

@c @implementation
public func licet_request_statement(
  _ request: OpaquePointer!, _ statement: UnsafeMutablePointer<licet_statement>!
) -> Int32 {
  guard let request, let statement, isSized(statement) else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  switch ref.pointee.last.kind {
  case .none: return LICET_E_INVALID
  case .remote:
    var reader = WireReader(ref.pointee.last.answer)
    fill(statement, AnswerHead.read(&reader).decider.statement)
  case .local:
    guard let decision = ref.pointee.last.decision else { return LICET_E_INVALID }
    fill(statement, StatementRecordText(of: decision, ref.pointee.policy))
  }
  return 0
}

func isSized(_ statement: UnsafeMutablePointer<licet_statement>) -> Bool {
  Int(statement.pointee.size) >= MemoryLayout<licet_statement>.size
}

func fill(_ statement: UnsafeMutablePointer<licet_statement>, _ text: StatementRecordText) {
  let none = Name(start: nil, count: 0)
  statement.pointee.line = text.line
  statement.pointee.column = text.isNone ? 0 : UInt32(text.column)
  statement.pointee.form = text.isNone ? LICET_FORM_NONE : Int32(text.form)
  statement.pointee.file = text.file.text
  statement.pointee.behavior = text.behavior.text
  statement.pointee.clause = (text.clause ?? none).text
  statement.pointee.condition = (text.condition ?? none).text
}

func name(ofFailure raw: UInt8) -> Name {
  let text: StaticString =
    switch Failure(rawValue: raw) {
    case nil, .some(.none): ""
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
  return Name(start: text.utf8Start, count: text.utf8CodeUnitCount)
}

func name(ofHalt raw: UInt8) -> Name {
  let text: StaticString =
    switch HaltRecord.Kind(rawValue: raw) {
    case .operatorStop: "operator-stop"
    case .allStop: "all-stop"
    case .noPolicy: "no-policy"
    case .authorityLost: "authority-lost"
    case .sessionStop: "session-stop"
    case .sessionExpired: "session-expired"
    case .sessionSpent: "session-spent"
    case nil: ""
    }
  return Name(start: text.utf8Start, count: text.utf8CodeUnitCount)
}
