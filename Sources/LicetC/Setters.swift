// licet_request_set…: what a caller says, checked as it is said.

internal import Attach
public import CLicet
internal import Decision
internal import PolicyImage

extension Value {
  /// A caller's value, whose kind may be any number; nil: none that a request can have.
  @inline(__always)
  init?(_ value: licet_value) {
    guard ValueKind.isRequestKind(value.kind), let kind = ValueKind(rawValue: value.kind) else { return nil }
    self.init(kind: kind, payload: value.as.unsigned_, length: value.length)
  }
}

extension UnsafeMutablePointer where Pointee == Request {
  /// Sets, by whichever way the attribute was named; `attribute` 0: by its name alone.
  @inline(__always)
  func set(_ attribute: UInt32, _ name: Name, _ raw: licet_value) -> Int32 {
    let code: Int32
    pointee.forget()
    if pointee.pendingCount > 0 { unpend(attribute, name) }
    guard let value = Value(raw), value.isWellFormed(limit: RequestLimits.text) else {
      return setBad(raw, attribute, name)
    }
    if let snapshot = pointee.snapshot, let policy = pointee.policy {
      let slot = attribute != 0 ? snapshot.slot(attribute, name, policy) : LicetC.callerSlot(name, policy.platform)
      code = place(value, name, slot, attribute: attribute)
    } else {
      code = place(value, name, nil, attribute: attribute)
    }
    if code == 0 { return 0 }
    return isSessions(name) ? refuseSessions(name) : refuse(code, name)
  }

  private func setBad(_ raw: licet_value, _ attribute: UInt32, _ name: Name) -> Int32 {
    if let policy = pointee.policy, let slot = LicetC.callerSlot(name, policy.platform), !isSessions(name) {
      pointee.frame.set(slot, .absent)
    }
    let isText = raw.kind == UInt8(LICET_KIND_STRING) || raw.kind == UInt8(LICET_KIND_BYTES)
    let code = isText && Int(raw.length) > RequestLimits.text ? LICET_E_TOO_MANY : LICET_E_BAD_REQUEST
    _ = pend(.null, name, attribute, code)
    return refuse(code, name)
  }

  /// A text of the head: nil and the bit of what is wrong with it, or the text.
  func text(_ bytes: UnsafePointer<CChar>?, _ length: Int, _ bit: UInt32, _ what: StaticString) -> (Name?, Int32) {
    var code: Int32 = 0
    var found: Name?
    if let text = Name(bytes, length) {
      if text.count > RequestLimits.text {
        code = LICET_E_TOO_MANY
      } else if isUTF8(text) {
        found = text
      } else {
        code = LICET_E_BAD_REQUEST
      }
    } else {
      code = LICET_E_INVALID
    }
    mark(bit, code)
    if code != 0 {
      fail(code) {
        $0.put(what)
        $0.put(
          code == LICET_E_BAD_REQUEST ? ": not UTF-8" : code == LICET_E_TOO_MANY ? ": at most 65536 bytes" : ": NULL")
      }
    }
    return (found, code)
  }

  /// Notes a part that is well, 0, or what it was refused with: checks are refused with the same until it is set again.
  func mark(_ bit: UInt32, _ code: Int32) {
    pointee.forget()
    if code != 0, pointee.bad == 0 { pointee.badCode = code }
    pointee.bad = code != 0 ? pointee.bad | bit : pointee.bad & ~bit
    settleTrouble()
  }

  /// A value for a handle that was never given: ignoring the error must not decide without it.
  fileprivate func refuseHandle() -> Int32 {
    mark(1 << 31, LICET_E_INVALID)
    return fail(LICET_E_INVALID) { $0.put("attribute: no handle that licet_intern_attribute gave") }
  }
}

@c @implementation
@_optimize(speed)
public func licet_request_set(
  _ request: OpaquePointer!, _ attribute: licet_attribute, _ value: licet_value
) -> Int32 {
  guard let request else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  guard let name = ref.pointee.authority.pointee.attributes.name(attribute) else {
    return ref.refuseHandle()
  }
  return ref.set(attribute, name, value)
}

@c @implementation
public func licet_request_set_named(
  _ request: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ length: Int, _ value: licet_value
) -> Int32 {
  guard let request else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  guard let name = Name(name, length), isAttributeName(name) else {
    ref.mark(1 << 31, LICET_E_UNKNOWN_ATTRIBUTE)
    return ref.fail(LICET_E_UNKNOWN_ATTRIBUTE) { $0.put("no attribute's name") }
  }
  return ref.set(0, name, value)
}

@c @implementation
public func licet_request_unset(_ request: OpaquePointer!, _ attribute: licet_attribute) -> Int32 {
  guard let request else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  guard let name = ref.pointee.authority.pointee.attributes.name(attribute) else {
    return ref.fail(LICET_E_INVALID) { $0.put("attribute: no handle that licet_intern_attribute gave") }
  }
  ref.pointee.forget()
  ref.unpend(attribute, name)
  if let policy = ref.pointee.policy, let slot = callerSlot(name, policy.platform), !ref.isSessions(name) {
    ref.pointee.frame.set(slot, .absent)
  }
  return 0
}

@c @implementation
public func licet_request_set_resource(
  _ request: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int
) -> Int32 {
  guard let request else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  let (text, code) = ref.text(text, length, Request.resourceBit, "resource")
  ref.pointee.head.resource = text
  ref.pointee.frame.set(Int(BuiltInSlot.resource), text.map { .string($0) } ?? .absent)
  return code
}

@c @implementation
public func licet_request_set_argument(
  _ request: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int
) -> Int32 {
  guard let request else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  let (text, code) = ref.text(text, length, Request.argumentBit, "argument")
  ref.pointee.head.argument = text
  ref.pointee.frame.set(Int(BuiltInSlot.argument), .string(text ?? Name(start: nil, count: 0)))
  return code
}

@c @implementation
public func licet_request_set_source(_ request: OpaquePointer!, _ source: Int32) -> Int32 {
  guard let request else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  let found = UInt8(exactly: source).flatMap { Source(rawValue: $0) }
  ref.mark(Request.sourceBit, found == nil ? LICET_E_BAD_REQUEST : 0)
  guard let found else { return ref.fail(LICET_E_BAD_REQUEST) { $0.put("source: none of LICET_SOURCE_...") } }
  ref.pointee.head.source = found
  ref.pointee.frame.setSource(found)
  return 0
}

@c @implementation
public func licet_request_set_preference(_ request: OpaquePointer!, _ effect: Int32) -> Int32 {
  guard let request else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  let wish = UInt8(exactly: effect).flatMap { Effect(rawValue: $0) }
  let isBad = wish == nil && effect != LICET_NO_PREFERENCE
  ref.mark(Request.preferenceBit, isBad ? LICET_E_BAD_REQUEST : 0)
  if isBad { return ref.fail(LICET_E_BAD_REQUEST) { $0.put("preference: no effect") } }
  ref.pointee.head.preference = wish
  return 0
}

@c @implementation
public func licet_request_set_now(_ request: OpaquePointer!, _ seconds: Int64, _ nanoseconds: Int32) -> Int32 {
  guard let request else { return LICET_E_INVALID }
  let ref = RequestRef(request)
  let value = Value.timestamp(seconds: seconds, nanoseconds: nanoseconds)
  let isOurs = ref.pointee.authority.pointee.mode == LICET_EMBEDDED
  guard isOurs, value.isWellFormed() else {
    let code = isOurs ? LICET_E_BAD_REQUEST : LICET_E_INVALID
    ref.mark(Request.nowBit, code)
    return ref.fail(code) {
      $0.put(isOurs ? "now: not in the years 1 to 9999" : "now: with a daemon its clock counts")
    }
  }
  ref.mark(Request.nowBit, 0)
  ref.pointee.hasNow = true
  ref.pointee.frame.set(Int(BuiltInSlot.now), value)
  return 0
}
