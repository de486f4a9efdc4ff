// A platform with its operators, ready to be asked.

public import Decision
public import PolicyImage

/// Immutable once made; thread-safe.
public struct OfflinePolicy: Sendable {
  let platformMemory: ImageMemory
  let overlayMemory: [String: ImageMemory]
  /// SAFETY: views on `platformMemory` and `overlayMemory`, which live as long as this value and never change.
  nonisolated(unsafe) public let platform: Image
  nonisolated(unsafe) let overlays: [String: Image]

  /// Operators in force, sorted.
  public var operators: [String] { overlays.keys.sorted() }

  /// Verifies images that were compiled.
  public init(platform: ImageMemory, overlays: [String: ImageMemory]) throws(ImageError) {
    let verified = try verifyPlatform(platform.bytes)
    var images: [String: Image] = [:]
    for (name, memory) in overlays {
      images[name] = try verifyOverlay(memory.bytes, on: verified)
    }
    platformMemory = platform
    overlayMemory = overlays
    self.platform = verified
    self.overlays = images
  }

  /// Opens a bundle that `licet compile` wrote; every image in it is verified.
  public init(bundle memory: ImageMemory) throws(ImageError) {
    let bundle = try Bundle(memory.bytes)
    let verified = try verifyPlatform(bundle.platform)
    var images: [String: Image] = [:]
    for i in 0..<bundle.operatorCount {
      images[String(decoding: bundle.operatorName(i), as: UTF8.self)] = try verifyOverlay(
        bundle.overlay(i), on: verified)
    }
    platformMemory = memory
    overlayMemory = [:]
    platform = verified
    overlays = images
  }

  /// The policy for an operator; nil name: the platform alone. Valid as long as this value lives.
  /// `ended`: names of the periods that have ended; all others run.
  public func policy(for name: String?, ended: [String] = []) throws(RequestError) -> Policy {
    let ended = try periods(named: ended)
    guard let name else { return Policy(platform: platform, ended: ended) }
    guard let overlay = overlays[name] else { throw RequestError(.unknownOperator, at: name) }
    return Policy(platform: platform, overlay: overlay, ended: ended)
  }

  /// The platform's periods, in the order of their names.
  public var periods: [String] {
    (0..<platform.periodCount).map { String(decoding: platform.period($0).name, as: UTF8.self) }
  }

  /// The platform's counters, in the order of their names.
  public var counters: [String] {
    (0..<platform.counterCount).map { String(decoding: platform.counter($0).name, as: UTF8.self) }
  }

  private func periods(named names: [String]) throws(RequestError) -> UInt64 {
    var set: UInt64 = 0
    let known = names.isEmpty ? [] : periods
    for name in names {
      guard let number = known.firstIndex(of: name) else { throw RequestError(.unknownPeriod, at: name) }
      set |= 1 << UInt64(number)
    }
    return set
  }

  /// Decides; with `explaining`, trace and way as well.
  public func decide(_ request: Request, operator name: String?, explaining: Bool = false) throws(RequestError)
    -> Answer
  {
    try prepare(request, operator: name).answer(explaining)
  }

  func fill(
    _ frame: inout Frame, _ request: Request, operator name: String?, _ memory: ValueMemory
  ) throws(RequestError) {
    func set(_ slot: UInt16, _ value: RequestValue) { frame.set(Int(slot), memory.value(value)) }
    if let resource = request.resource { set(BuiltInSlot.resource, .string(resource)) }
    frame.setSource(request.source)
    if let dial = request.dial {
      guard dial > .zero, dial < .one else { throw RequestError(.badDial, at: "dial") }
      if frame.sessionDial == .zero { frame.sessionDial = dial }
    }
    frame.suspicion = request.suspicion
    set(BuiltInSlot.now, .timestamp(seconds: request.now.seconds, nanoseconds: request.now.nanoseconds))
    if let name { set(BuiltInSlot.operatorName, .string(name)) }
    set(BuiltInSlot.argument, .string(request.argument ?? ""))
    for (name, value) in request.counters {
      guard let slot = slot(of: "counter.\(name)") else { throw RequestError(.unknownCounter, at: name) }
      frame.set(slot, .int(value))
    }
    for (attribute, value) in request.attributes {
      guard let slot = slot(of: attribute), slot >= Int(BuiltInSlot.count) else {
        throw RequestError(.unknownAttribute, at: attribute)
      }
      let converted = memory.value(value)
      guard accepts(converted, slot: slot, in: platform) else { throw RequestError(.wrongType, at: attribute) }
      frame.set(slot, converted)
    }
  }

  func slot(of attribute: String) -> Int? {
    var attribute = attribute
    return attribute.withUTF8 { attributeSlot(UnsafeRawBufferPointer($0), in: platform) }
  }
}

extension Source {
  /// As requests and conditions write it.
  public var name: String {
    switch self {
    case .platform: "platform"
    case .operator: "operator"
    case .user: "user"
    case .agent: "agent"
    case .untrusted: "untrusted"
    }
  }
}

/// A frame's memory.
final class Workspace {
  /// Room for what one condition builds.
  static let arena = 1 << 20
  private let memory: UnsafeMutableRawBufferPointer
  private let slots: Int

  init(slots: Int) {
    self.slots = slots
    memory = .allocate(byteCount: Frame.size(slots: slots, arena: Workspace.arena), alignment: 16)
  }

  deinit { memory.deallocate() }

  /// Laid anew at each call.
  var frame: Frame? { Frame(memory: memory, slots: slots) }
}
