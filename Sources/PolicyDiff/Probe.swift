// Expressions, compiled by themselves, to be asked what they come to for a request: conditions and their atoms, with the
// attributes of one side.

internal import CEL
internal import Consultation
internal import Decision
internal import PolicyImage
internal import PolicyLanguage

final class Probe {
  private let image: Image
  private let memory: ImageMemory
  private let programs: [UInt32]

  /// A platform with nothing but what is built in.
  private static let bare = load([
    SourceFile(path: "platform.yaml", bytes: Array("licet: 1\nlayer: platform\nname: probe\n".utf8))
  ]).platform

  /// nil: they don't compile together, which the policies that they are from did.
  init?(_ sources: [String], _ side: Side, _ environment: Environment) {
    guard var platform = Self.bare else { return nil }
    platform.attributes = side.attributes
    let location = Location(file: "", line: 0, column: 0)
    platform.counters = side.owner.counters.map {
      CounterDeclaration(
        name: $0, counts: .requests, behaviors: ["probe"], per: .operator, window: CounterWindow.least,
        location: location)
    }
    platform.behaviors["probe"] = Behavior(
      name: "probe", title: nil, clause: nil, stated: nil,
      choice: Choice(default: .deny, operatorsMay: .deny, usersMay: .deny), governedBy: nil, hardcoded: .none,
      stakes: .one,
      stakesOf: nil, audit: .counts, location: location)
    for source in sources {
      // A disjunction is always a program, never one of the engine's short tests, and comes to what its one part does.
      guard let checked = try? check("(\n\(source)\n) || false", in: environment) else { return nil }
      platform.statements.append(
        Statement(
          kind: .limit, behavior: "probe", effect: .deny, tier: .guideline, condition: checked, readsArgument: false,
          obligations: [], clause: nil, isShadow: false, location: location))
    }
    guard let bytes = try? compile(platform: platform) else { return nil }
    memory = ImageMemory(copying: bytes)
    guard let image = try? verifyPlatform(memory.bytes) else { return nil }
    self.image = image
    guard let programs = Self.programs(image, sources.count) else { return nil }
    self.programs = programs
  }

  private static func programs(_ image: Image, _ count: Int) -> [UInt32]? {
    var found = [UInt32?](repeating: nil, count: count)
    for index in 0..<image.count(.nodes) {
      let node = image.nodes[index]
      var word = Int(node.block)
      for _ in 0..<Int(node.limits) {
        let header = RuleHeader(word: image.rules[word])
        let test = Test(word: image.rules[word + 1])
        guard header.tests == 1, test.operation == TestOperation.program.rawValue, Int(header.statement) < count else {
          return nil
        }
        found[Int(header.statement)] = test.operand
        word += 2
      }
    }
    let all = found.compactMap { $0 }
    return all.count == count ? all : nil
  }

  func truth(_ index: Int, _ frame: inout Frame) -> Truth {
    evaluateProgram(programs[index], image, &frame).truth
  }
}
