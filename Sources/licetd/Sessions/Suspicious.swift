// Suspicion where decisions are made: whose level counts for a request, and who is charged for one that asks for what is
// off absolutely (DESIGN §2.4).

import Authority
import Consultation
import Decision
import PolicyImage

/// A session that something is asked in: what it holds now, or held when something was recorded.
struct Asked {
  /// Whose suspicion is its own.
  let root: SessionID
  let memory: SessionMemory
  let attributes: SessionAttributes?
}

extension DecisionPoint {
  /// Who is charged for the request that the frame holds: the root session, else the user, else the operator.
  private func subject(_ name: String, _ policy: Policy) -> Suspicions.Subject {
    if let asked { return .session(asked.root) }
    let attribute: StaticString = "user.id"
    let bytes = UnsafeRawBufferPointer(start: attribute.utf8Start, count: attribute.utf8CodeUnitCount)
    guard let slot = attributeSlot(bytes, in: policy.platform) else { return .operator(name) }
    let value = frame.slots[slot]
    switch value.kind {
    case .string, .bytes: return .user(.init(value.borrowedBytes, of: name))
    case .int, .uint: return withUnsafeBytes(of: value.payload) { .user(.init($0, of: name)) }
    default: return .operator(name)
    }
  }

  /// To be called once the request's attributes are in the frame, before it is decided.
  func lookForSuspicion(_ name: String, _ policy: Policy) {
    guard let suspicions, !suspicions.isEmpty else { return }
    frame.suspicion = suspicions.level(subject(name, policy))
  }

  /// To be called once a request, after it was decided; never for an explanation.
  func chargeIfSuspect(_ name: String, _ policy: Policy?, _ names: UnsafeBufferPointer<Name>) {
    guard let suspicions, let policy, policy.isSuspect(names) else { return }
    let argument = frame.slots[Int(BuiltInSlot.argument)]
    suspicions.charge(subject(name, policy), hasArgument: argument.kind == .string && argument.length > 0)
  }
}
