// 1,000 operators of 100 rules, from YAML to verified images, on one core; and how large the images are.

internal import CFloor
internal import PolicyImage
internal import PolicyLanguage

enum CompileBench {
  static let operators = 1_000
  static let rules = 100
  static let behaviors = 200
  /// On one behaviour.
  static let rulesEach = 5

  static func run() -> [Figure] {
    let files = [platform] + (0..<operators).map(overlay)
    // Twice: the first pass pays for the process' first pages.
    var best = measure(files)
    let again = measure(files)
    if again.load + again.compile < best.load + best.compile { best = again }
    return [
      Figure("1,000 operators x 100 rules: load and check", best.load, unit: "s"),
      Figure("1,000 operators x 100 rules: to images", best.compile, unit: "s"),
      Figure("1,000 operators x 100 rules: both", best.load + best.compile, unit: "s", goal: 2),
      Figure("verifying their images", best.verify, unit: "s"),
      Figure("an image, bytes a rule without its strings", best.bytes, unit: "B", goal: 100),
      Figure("its strings, bytes a rule", best.strings, unit: "B"),
    ]
  }

  struct Cost {
    var load = 0.0
    var compile = 0.0
    var verify = 0.0
    var bytes = 0.0
    var strings = 0.0
  }

  /// Processor seconds of this thread's process: the machine may be shared.
  private static func measure(_ files: [SourceFile]) -> Cost {
    var cost = Cost()
    let start = floor_cpu()
    let set = load(files)
    guard let platform = set.platform, set.operators.count == operators else {
      fatalError("the benchmark's own policy doesn't load: \(set.diagnostics.prefix(3))")
    }
    let loaded = floor_cpu()
    var images: [[UInt8]] = []
    do {
      images.append(try PolicyLanguage.compile(platform: platform))
      let checksum = images[0].withUnsafeBytes { $0.load(fromByteOffset: 24, as: UInt64.self) }
      let nodes = PlatformNodes(platform)
      for one in set.operators.values {
        images.append(try PolicyLanguage.compile(operator: one, on: platform, nodes: nodes, checksum: checksum))
      }
    } catch {
      fatalError("the benchmark's own policy doesn't compile: \(error)")
    }
    let compiled = floor_cpu()
    let base = lent(images[0])
    guard let verified = try? verifyPlatform(base) else { fatalError("the platform's image is refused") }
    for image in images.dropFirst() {
      let memory = lent(image)
      guard let overlay = try? verifyOverlay(memory, on: verified) else { fatalError("an image is refused") }
      cost.strings += Double(overlay.count(.bytes))
      cost.bytes += Double(image.count - overlay.count(.bytes))
      memory.deallocate()
    }
    cost.verify = Double(floor_cpu() - compiled) / 1e9
    base.deallocate()
    cost.load = Double(loaded - start) / 1e9
    cost.compile = Double(compiled - loaded) / 1e9
    cost.bytes /= Double(operators * rules)
    cost.strings /= Double(operators * rules)
    return cost
  }

  private static func lent(_ image: [UInt8]) -> UnsafeRawBufferPointer {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: image.count, alignment: 64)
    memory.copyBytes(from: image)
    return UnsafeRawBufferPointer(memory)
  }

  private static func name(_ i: Int) -> String { "area-\(i / 20).topic-\(i % 20)" }

  private static var platform: SourceFile {
    let yaml =
      """
      licet: 1
      layer: platform
      name: bench
      attributes:
        user: {role: {enum: [guest, member, clinician]}, age: int, age_verified: bool, country: string}
        request: {amount: double, recipients: int, channel: string}
      behaviors:

      """ + (0..<behaviors).map { "  \(name($0)): {default: ask, operators-may: allow, stakes: 0.1}\n" }.joined()
    return SourceFile(path: "platform.yaml", bytes: Array(yaml.utf8))
  }

  /// No two conditions of an operator are the same, and few of two operators.
  private static func overlay(_ index: Int) -> SourceFile {
    var yaml = "licet: 1\nlayer: operator\nname: op-\(index)\nrules:\n"
    for rule in 0..<rules {
      let number = (index * 7919 + rule * 104_729) % 1_000_003
      let verb = ["allow", "ask", "deny"][(index + rule) % 3]
      yaml += "  - \(verb): \(name((index + rule / rulesEach) % behaviors))\n    when: \(condition(number, rule))\n"
    }
    return SourceFile(path: "operators.d/op-\(index).yaml", bytes: Array(yaml.utf8))
  }

  private static func condition(_ number: Int, _ rule: Int) -> String {
    switch rule % 5 {
    case 0: "user.role == \"member\" && request.amount > \(number).5"
    case 1: "user.age_verified && request.channel == \"channel-\(number)\""
    case 2: "user.age >= 18 && request.recipients < \(number)"
    case 3: "has(user.country) && user.country != \"country-\(number)\""
    default: "user.role != \"guest\" && request.amount <= \(number).25"
    }
  }
}
