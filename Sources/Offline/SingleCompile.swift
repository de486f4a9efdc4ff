// One layer at a time: the platform once, then operators on it, each alone. What licet-compiler's processes do.

internal import Consultation
internal import PolicyImage
public import PolicyLanguage

/// A platform that compiled, ready for operators. Not thread-safe.
public final class CompiledPlatform {
  public let image: [UInt8]
  public var platform: Platform { checked.platform }
  private let checked: CheckedPlatform
  private let nodes: PlatformNodes
  private let memory: ImageMemory
  private let checksum: UInt64

  fileprivate init(_ checked: CheckedPlatform, _ image: [UInt8]) {
    self.checked = checked
    self.image = image
    memory = ImageMemory(copying: image)
    nodes = PlatformNodes(checked.platform)
    guard let verified = try? verifyPlatform(memory.bytes) else {
      preconditionFailure("the verifier refused the platform that the compiler made")
    }
    checksum = verified.checksum
  }

  /// Loads, checks and compiles one operator's files; others' are ignored. `clamping` as in
  /// `CheckedPlatform.loadOperator`; the rules' examples, which tell how the author wanted them under the platform of
  /// then, are not held against them then.
  public func compileOperator(_ name: String, _ files: [SourceFile], clamping: Bool) -> OperatorCompile {
    let loaded = checked.loadOperator(name, files, clamping: clamping)
    var result = OperatorCompile(image: nil, bindings: [], diagnostics: loaded.diagnostics)
    guard let one = loaded.operator else { return result }
    let image: [UInt8]
    do throws(CompileError) {
      image = try compile(operator: one, on: checked.platform, nodes: nodes, checksum: checksum)
    } catch {
      result.diagnostics.append(error.diagnostic)
      return result
    }
    let wrong = clamping ? [] : checkExamples(one, image)
    result.diagnostics += wrong
    guard wrong.isEmpty else { return result }
    result.image = image
    result.bindings = one.bindings
    return result
  }

  private func checkExamples(_ one: Operator, _ image: [UInt8]) -> [Diagnostic] {
    guard one.statements.contains(where: { !$0.examples.isEmpty }) else { return [] }
    guard let policy = try? OfflinePolicy(platform: memory, overlays: [one.name: ImageMemory(copying: image)]) else {
      preconditionFailure("the verifier refused the overlay that the compiler made")
    }
    return ExampleCheck(platform: checked.platform, policy: policy, operator: one.name).run(one.statements)
  }

  fileprivate func checkExamples() -> [Diagnostic] {
    guard let policy = try? OfflinePolicy(platform: memory, overlays: [:]) else { return [] }
    return ExampleCheck(platform: checked.platform, policy: policy, operator: nil).run(checked.platform.statements)
  }
}

public struct PlatformCompile {
  /// nil: it has errors.
  public var compiled: CompiledPlatform?
  public var diagnostics: [Diagnostic]
}

public struct OperatorCompile: Sendable {
  /// nil: it has errors, or no files.
  public var image: [UInt8]?
  public var bindings: [Binding]
  public var diagnostics: [Diagnostic]
}

/// Loads, checks and compiles the platform's files; others are ignored.
public func compilePlatform(_ files: [SourceFile]) -> PlatformCompile {
  let loaded = loadPlatform(files)
  var result = PlatformCompile(compiled: nil, diagnostics: loaded.diagnostics)
  guard let checked = loaded.checked else { return result }
  do throws(CompileError) {
    let compiled = CompiledPlatform(checked, try compile(platform: checked.platform))
    let wrong = compiled.checkExamples()
    result.diagnostics += wrong
    if wrong.isEmpty { result.compiled = compiled }
  } catch {
    result.diagnostics.append(error.diagnostic)
  }
  return result
}
