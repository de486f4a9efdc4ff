// What an image holds, for listings: behaviours, attributes, statements.

public import Consultation
public import PolicyImage
public import PolicyLanguage
internal import Decision

/// A behaviour as the platform's image has it.
public struct BehaviorEntry: Hashable, Sendable {
  public var name: String
  public var isDeclared: Bool
  public var choice: Choice
  public var absolute: Absolute
  public var stakes: Double
  public var declaration: StatementReference?
}

extension OfflinePolicy {
  /// Every behaviour that the platform knows by name, in name order.
  public var behaviors: [BehaviorEntry] {
    let policy = Policy(platform: platform)
    return (0..<platform.count(.nodes)).compactMap { i in
      let node = platform.nodes[i]
      guard node.flags & Node.isNamed != 0 else { return nil }
      let absolute = Absolute(rawValue: node.absolute) ?? .off
      return BehaviorEntry(
        name: String(decoding: platform.name(UInt32(i)), as: UTF8.self),
        isDeclared: node.flags & Node.isDeclared != 0,
        choice: Choice(
          default: Effect(rawValue: node.default) ?? .deny, operatorsMay: Effect(rawValue: node.operatorsMay) ?? .deny,
          usersMay: Effect(rawValue: node.usersMay) ?? .deny,
          obligations: obligations(platform.masks[Int(node.obligations)])),
        absolute: absolute, stakes: node.stakes.value,
        declaration: policy.reference(.platform, absolute == .none ? node.choiceStatement : node.absoluteStatement))
    }
  }

  private func obligations(_ mask: UInt64) -> [String] {
    (0..<platform.count(.obligations)).filter { mask >> UInt64($0) & 1 == 1 }
      .map { String(decoding: platform.obligationName($0), as: UTF8.self) }
  }

  /// The platform's name and its effect for behaviours that nobody declared.
  public var identity: (name: String, unknown: Effect) {
    let header = platform.header.pointee
    return (
      String(decoding: platform.string(header.name), as: UTF8.self),
      Effect(rawValue: UInt8(truncatingIfNeeded: header.unknown)) ?? .deny
    )
  }

  /// The statements of a layer: the platform's, or an operator's.
  public func statements(of operator: String?) -> [StatementReference] {
    guard let policy = try? policy(for: `operator`) else { return [] }
    let layer: Layer = `operator` == nil ? .platform : .overlay
    return (0..<policy.image(layer).count(.statements)).compactMap { policy.reference(layer, UInt32($0)) }
  }

  /// Declared attributes with their types, in slot order, without the built-in ones.
  public var attributes: [(name: String, type: AttributeType, isVerified: Bool)] {
    (Int(BuiltInSlot.count)..<platform.count(.attributes)).map { slot in
      let record = platform.attributes[slot]
      var word = Int(record.type)
      return (
        String(decoding: platform.string(record.name), as: UTF8.self), type(at: &word),
        record.flags & AttributeRecord.isVerified != 0
      )
    }
  }

  private func type(at word: inout Int) -> AttributeType {
    let descriptor = platform.types[word]
    word += 1
    switch TypeKind(rawValue: descriptor & 0xFF) {
    case .bool: return .bool
    case .int: return .int
    case .uint: return .uint
    case .double: return .double
    case .string: return .string
    case .bytes: return .bytes
    case .timestamp: return .timestamp
    case .duration: return .duration
    case .list: return .list(type(at: &word))
    case .map:
      let key = type(at: &word)
      return .map(key, type(at: &word))
    case .enumeration:
      let ids = (0..<Int(descriptor >> 8)).map { platform.types[word + $0] }
      word += ids.count
      return .enumeration(ids.map { String(decoding: platform.string($0), as: UTF8.self) })
    case .dyn, nil: return .dyn
    }
  }
}
