/// Authority: the daemon's core. Which policy is in force (Generation), how it changes (Reload/), what survives a restart
/// (Archive/, Stops), and who may ask (Callers/). Authority.swift is the way in. May import Consultation and what is
/// below it; no policy language, no bus, no Foundation.
///
/// This file: one policy set in force, immutable, so that a decision that holds one belongs to it alone (P6).

public import CompilerProtocol
public import Decision
public import PolicyImage

/// A verified image together with what keeps its bytes alive.
public struct HeldImage: Sendable {
  /// Whose memory the image lies in.
  private let owner: any AnyObject & Sendable
  /// SAFETY: a view on memory that `owner` keeps mapped, sealed against changes, and that was verified.
  nonisolated(unsafe) public let image: Image

  /// Verifies a platform's image in `bytes`, which live as long as `owner` and never change.
  public init(platform bytes: UnsafeRawBufferPointer, in owner: any AnyObject & Sendable) throws(ImageError) {
    image = try verifyPlatform(bytes)
    self.owner = owner
  }

  /// Verifies an operator's image.
  public init(
    overlay bytes: UnsafeRawBufferPointer, on platform: HeldImage, in owner: any AnyObject & Sendable
  ) throws(ImageError) {
    image = try verifyOverlay(bytes, on: platform.image)
    self.owner = owner
  }
}

/// An operator's policy in force.
public struct OperatorPolicy: Sendable {
  public let held: HeldImage
  public var image: Image { held.image }
  /// Who may speak for the operator.
  public let bindings: [BindingRecord]
  /// The generation that it came into force with, as it is now.
  public let sinceGeneration: UInt64
  /// Whether the operator's files on disk say something else that can't be put in force.
  public let isLastGood: Bool

  /// A policy in force since `sinceGeneration`.
  public init(_ held: HeldImage, bindings: [BindingRecord], sinceGeneration: UInt64, isLastGood: Bool) {
    self.held = held
    self.bindings = bindings
    self.sinceGeneration = sinceGeneration
    self.isLastGood = isLastGood
  }
}

/// One policy set. Immutable; thread-safe.
public final class Generation: Sendable {
  /// Never used twice, over crashes, rollbacks and lost state.
  public let number: UInt64
  /// The platform's name; empty without one.
  public let platformName: String
  /// nil: no platform; everything but absolutes on is denied.
  public let platform: HeldImage?
  public let operators: [String: OperatorPolicy]
  /// Groups that may administer, as the platform names them.
  public let administratorGroups: [String]
  /// SHA-256 over the sources in force, in hexadecimal.
  public let digest: String
  /// What was to be said when it came into force; `Authority.diagnostics` has what is to be said now.
  public let diagnostics: [DiagnosticRecord]
  /// Operators that have files, in force or not.
  public let declared: Set<String>
  /// Whether the platform's files on disk say something else that can't be put in force.
  public let isLastGood: Bool
  /// The platform's periods that have ended, by their numbers.
  public let ended: UInt64
  /// Seconds since 1970.
  public let time: Int64

  /// For the Authority, and for tests of what asks a generation.
  public init(
    number: UInt64, platform: HeldImage?, platformName: String = "", operators: [String: OperatorPolicy] = [:],
    administratorGroups: [String] = [], digest: String = "", diagnostics: [DiagnosticRecord] = [],
    declared: Set<String> = [], isLastGood: Bool = false, ended: UInt64 = 0, time: Int64 = 0
  ) {
    self.ended = ended
    self.number = number
    self.platform = platform
    self.platformName = platformName
    self.operators = platform == nil ? [:] : operators
    self.administratorGroups = administratorGroups
    self.digest = digest
    self.diagnostics = diagnostics
    self.declared = declared
    self.isLastGood = isLastGood
    self.time = time
  }

  /// What to decide an operator's requests by, valid as long as the generation is held; nil: it has no policy in force.
  public func policy(for name: String) -> Policy? {
    guard let platform, let one = operators[name] else { return nil }
    return Policy(platform: platform.image, overlay: one.image, ended: ended)
  }
}
