// Images that nobody compiled: sealed with a right checksum, and put to every question that a policy can be asked.

internal import Consultation
internal import Offline
public import PolicyImage
internal import PolicyLanguage

public enum HostileImage {
  /// Writes the checksum that these bytes would have as an image.
  public static func seal(_ bytes: inout [UInt8]) {
    guard bytes.count >= ImageFormat.headerSize else { return }
    let sum = bytes.withUnsafeBytes { all in
      all.baseAddress.map { imageChecksum($0, all.count) } ?? 0
    }
    for i in 0..<8 { bytes[24 + i] = UInt8(truncatingIfNeeded: sum >> UInt64(i * 8)) }
  }

  public static func word(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32($1 * 8) }
  }

  public static func store(_ value: UInt64, _ width: Int, at offset: Int, in bytes: inout [UInt8]) {
    for i in 0..<width where offset + i < bytes.count {
      bytes[offset + i] = UInt8(truncatingIfNeeded: value >> UInt64(i * 8))
    }
  }

  /// Opens an overlay on the sample's platform, and says what is wrong with what it decides; nil when nothing is.
  /// Throws when it is refused.
  public static func complaint(overlay: [UInt8]) throws(ImageError) -> String? {
    let platform = ImageMemory(copying: SamplePolicy.loaded.platformImage)
    let policy = try OfflinePolicy(platform: platform, overlays: ["op": ImageMemory(copying: overlay)])
    return complaint(policy, operator: "op") ?? boundsComplaint(policy)
  }

  /// The same for a platform without operators.
  public static func complaint(platform: [UInt8]) throws(ImageError) -> String? {
    complaint(try OfflinePolicy(platform: ImageMemory(copying: platform), overlays: [:]), operator: nil)
  }

  private static func complaint(_ policy: OfflinePolicy, operator: String?) -> String? {
    _ = policy.behaviors
    _ = policy.attributes
    _ = policy.statements(of: `operator`)
    for request in SamplePolicy.requests {
      // An image may declare other attributes, which makes it a bad request.
      guard let answer = try? policy.decide(request, operator: `operator`, explaining: true) else { continue }
      if request.behaviors.contains(where: { $0.hasPrefix("harm") }), answer.effect != .deny {
        return "\(request.behaviors) is \(answer.effect)"
      }
      if request.behaviors == ["transparency.admit-ai"], answer.effect != .allow {
        return "admit-ai is \(answer.effect)"
      }
    }
    return nil
  }

  /// What no overlay can exceed: absolutes, and without a duty the best of default and ceilings.
  private static func boundsComplaint(_ policy: OfflinePolicy) -> String? {
    let bounds = Dictionary(uniqueKeysWithValues: policy.behaviors.map { ($0.name, $0) })
    for request in SamplePolicy.requests {
      guard let answer = try? policy.decide(request, operator: "op") else { continue }
      for name in request.behaviors {
        guard let bound = bounds[name] else { continue }
        let most: Effect =
          switch bound.absolute {
          case .off: .deny
          case .on: .allow
          // The sample's one duty is on safety.info.
          case .none: name == "safety.info" ? .allow : max(bound.choice.operatorsMay, bound.choice.usersMay)
          }
        if request.source == .agent, bound.absolute == .none, answer.effect == .allow, bound.stakes > 0.4 {
          return "\(name) is above every dial, and yet allowed"
        }
        if answer.effect > most { return "\(name) is \(answer.effect), at most \(most)" }
      }
      if request.behaviors.contains("closed.below"), answer.effect != .deny {
        return "closed.below is \(answer.effect)"
      }
      if request.behaviors.contains("nobody.declared"), answer.effect != .deny {
        return "what nobody declared is \(answer.effect)"
      }
    }
    return nil
  }
}
