/// Offline: policy files compiled, verified and asked in this process, without a daemon. What the CLI's `--policy` is,
/// what licet-compiler does, and what tests use. May import PolicyLanguage, Consultation, Decision, PolicyImage; no
/// Foundation.
///
/// This file: Files -> a policy that can be asked: load, compile, verify, check the rules' own examples.

public import Consultation
internal import Decision
internal import PolicyImage
public import PolicyLanguage

/// What came of a set of policy files.
public struct LoadedPolicy: Sendable {
  /// The checked model, with the operators that did not compile taken out.
  public var set: PolicySet
  /// nil: no platform is in force, and everything but an absolute on is denied.
  public var policy: OfflinePolicy?
  /// The images, for a bundle.
  public var platformImage: [UInt8]
  public var overlayImages: [String: [UInt8]]

  /// Everything found wrong, in order of place.
  public var diagnostics: [Diagnostic] { self.set.diagnostics }
  public var hasErrors: Bool { self.set.diagnostics.contains { $0.severity == .error } }
}

/// Loads, compiles and verifies policy files. Errors stay with whom they belong to (DESIGN §6, P17). Pure; thread-safe.
public func openPolicy(_ files: [SourceFile]) -> LoadedPolicy {
  var loaded = LoadedPolicy(set: load(files), policy: nil, platformImage: [], overlayImages: [:])
  guard let platform = loaded.set.platform else { return loaded }
  do {
    loaded.platformImage = try compile(platform: platform)
  } catch {
    loaded.refusePlatform([error.diagnostic])
    return loaded
  }
  let memory = ImageMemory(copying: loaded.platformImage)
  loaded.compileOverlays(on: platform, memory)
  loaded.adopt(memory)
  loaded.checkExamples()
  return loaded
}

extension OfflinePolicy {
  /// A checked model, compiled and verified.
  public init(checked platform: Platform, operators: [Operator]) throws(CompileError) {
    let memory = ImageMemory(copying: try compile(platform: platform))
    guard let verified = try? verifyPlatform(memory.bytes) else {
      preconditionFailure("the verifier refused the platform that the compiler made")
    }
    let nodes = PlatformNodes(platform)
    var overlays: [String: ImageMemory] = [:]
    for one in operators {
      overlays[one.name] = ImageMemory(
        copying: try compile(operator: one, on: platform, nodes: nodes, checksum: verified.checksum))
    }
    guard let policy = try? OfflinePolicy(platform: memory, overlays: overlays) else {
      preconditionFailure("the verifier refused what the compiler made")
    }
    self = policy
  }
}

extension LoadedPolicy {
  fileprivate mutating func compileOverlays(on platform: Platform, _ memory: ImageMemory) {
    guard let verified = try? verifyPlatform(memory.bytes) else {
      preconditionFailure("the verifier refused the platform that the compiler made")
    }
    let nodes = PlatformNodes(platform)
    for (name, one) in set.operators {
      do {
        overlayImages[name] = try compile(operator: one, on: platform, nodes: nodes, checksum: verified.checksum)
      } catch {
        refuse(name, [error.diagnostic])
      }
    }
  }

  /// An image that our own compiler made and our own verifier refuses is a defect of ours: it traps.
  fileprivate mutating func adopt(_ memory: ImageMemory) {
    do {
      policy = try OfflinePolicy(platform: memory, overlays: overlayImages.mapValues { ImageMemory(copying: $0) })
    } catch {
      preconditionFailure("the verifier refused what the compiler made: \(error.code) at byte \(error.offset)")
    }
  }

  fileprivate mutating func refusePlatform(_ diagnostics: [Diagnostic]) {
    add(diagnostics)
    set.platform = nil
    set.operators = [:]
    policy = nil
    platformImage = []
    overlayImages = [:]
  }

  fileprivate mutating func refuse(_ name: String, _ diagnostics: [Diagnostic]) {
    add(diagnostics)
    set.operators[name] = nil
    set.broken.insert(name)
    overlayImages[name] = nil
  }

  private mutating func add(_ diagnostics: [Diagnostic]) {
    set.diagnostics = (set.diagnostics + diagnostics).sorted { $0.location.precedes($1.location) }
  }

  /// Decides every rule's own examples; a rule that does not do what its author says is an error of its file.
  fileprivate mutating func checkExamples() {
    guard let platform = set.platform, let policy else { return }
    let wrong = ExampleCheck(platform: platform, policy: policy, operator: nil).run(platform.statements)
    if !wrong.isEmpty {
      refusePlatform(wrong)
      return
    }
    var isReduced = false
    for (name, one) in set.operators {
      let wrong = ExampleCheck(platform: platform, policy: policy, operator: name).run(one.statements)
      if wrong.isEmpty { continue }
      refuse(name, wrong)
      isReduced = true
    }
    if isReduced { adopt(ImageMemory(copying: platformImage)) }
  }
}

extension CompileError {
  var diagnostic: Diagnostic {
    Diagnostic(code: code, severity: .error, location: location, length: 1, message: message, hint: hint)
  }
}
