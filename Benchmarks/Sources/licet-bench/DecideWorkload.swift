// The question of the issue: behaviours named by string, 20 operator rules each, two conditions a rule, and the last
// rule matches. Both conditions of every rule are evaluated: the first always holds.

internal import CFloor
internal import Decision
internal import Consultation
internal import Offline
internal import PolicyImage
internal import PolicyLanguage

/// A policy of `count` behaviours with `rules` rules each, compiled from YAML, and the same in C's tables.
final class DecideWorkload {
  let opened: OfflinePolicy
  let policy: Policy
  let names: [Name]
  let floor: OpaquePointer
  let frame: Frame
  private let memory: UnsafeMutableRawBufferPointer
  private let text: UnsafeMutableRawBufferPointer

  init(behaviors count: Int, rules: Int) {
    let spelled = (0..<count).map(Self.name)
    var files = [SourceFile(path: "platform.yaml", bytes: Array(Self.platform(spelled).utf8))]
    for (i, part) in stride(from: 0, to: count, by: 1000).enumerated() {
      let slice = spelled[part..<min(count, part + 1000)]
      let yaml = Self.overlay(slice, from: part, rules: rules)
      files.append(SourceFile(path: "operators.d/bench.d/\(i + 10).yaml", bytes: Array(yaml.utf8)))
    }
    let loaded = openPolicy(files)
    guard let opened = loaded.policy, let policy = try? opened.policy(for: "bench") else {
      fatalError("the benchmark's own policy doesn't load: \(loaded.diagnostics.prefix(3))")
    }
    self.opened = opened
    self.policy = policy
    (text, names) = Self.lay(out: spelled)
    floor = Self.floor(names, rules: rules)
    let slots = policy.platform.count(.attributes)
    memory = .allocate(byteCount: Frame.size(slots: slots, arena: 1 << 16), alignment: 16)
    guard let frame = Frame(memory: memory, slots: slots) else { fatalError("the frame doesn't fit") }
    self.frame = frame
  }

  deinit {
    floor_table_free(floor)
    memory.deallocate()
    text.deallocate()
  }

  /// About 30 bytes, three segments: 100 areas of 10 subjects of 10 behaviours.
  private static func name(_ i: Int) -> String {
    "area-\(100 + i / 100).subject-\(100 + i / 10).behavior-\(10_000 + i)"
  }

  private static func platform(_ names: [String]) -> String {
    """
    licet: 1
    layer: platform
    name: bench
    attributes:
      user: {role: string, age: int}
      request: {count: int, amount: double}
    behaviors:

    """ + names.map { "  \($0): {default: ask, operators-may: allow, stakes: 0.1}\n" }.joined()
  }

  private static func overlay(_ names: ArraySlice<String>, from start: Int, rules: Int) -> String {
    var yaml = "licet: 1\nlayer: operator\nname: bench\nrules:\n"
    for (i, name) in names.enumerated() {
      for rule in 0..<rules {
        let (verb, role) = rule == rules - 1 ? ("allow", "member") : ("deny", Self.role(start + i, rule))
        yaml += "  - {\(verb): \(name), when: 'request.count > \(rule) && user.role == \"\(role)\"'}\n"
      }
    }
    return yaml
  }

  private static func role(_ behavior: Int, _ rule: Int) -> String { "role-\((behavior * 7 + rule) % 1000)" }

  private static func lay(out spelled: [String]) -> (UnsafeMutableRawBufferPointer, [Name]) {
    let all = spelled.joined().utf8
    let text = UnsafeMutableRawBufferPointer.allocate(byteCount: all.count + 8, alignment: 16)
    text.copyBytes(from: all)
    var names: [Name] = []
    var at = 0
    for one in spelled {
      names.append(Name(rebasing: text[at..<at + one.utf8.count]))
      at += one.utf8.count
    }
    return (text, names)
  }

  private static func floor(_ names: [Name], rules: Int) -> OpaquePointer {
    var table: [floor_rule] = []
    for i in names.indices {
      for rule in 0..<rules {
        let isLast = rule == rules - 1
        let symbol = isLast ? 2000 : UInt32((i * 7 + rule) % 1000)
        table.append(floor_rule(symbol: symbol, effect: isLast ? 2 : 1, reserved: 0, more_than: Int64(rule)))
      }
    }
    let bases: [UnsafePointer<CChar>?] = names.map { $0.baseAddress?.assumingMemoryBound(to: CChar.self) }
    guard let made = floor_table_new(bases, names.map(\.count), names.count, table, rules) else {
      fatalError("out of memory")
    }
    return made
  }
}
