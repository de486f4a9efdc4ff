// P9: the order of files, rules and keys, and duplicates, don't matter, up to line numbers: neither to the checked
// model nor to the images that are compiled of it.

import Foundation
import TestKit
import Testing

@testable import PolicyLanguage

@Suite struct OrderTests {
  @Test func shuffledExamplesLoadToTheSameModel() throws {
    let folder = Folder.repository.appendingPathComponent("examples").path
    let files = PolicyFolder.read([folder])
    try #require(files.count > 4)
    try check(files, seeds: 0..<6)
  }

  @Test func shuffledGeneratedPoliciesLoadToTheSameModel() throws {
    for seed in 0..<40 as Range<UInt64> {
      var random = SeededRandom(seed: seed)
      try check(GeneratedPolicy.generate(&random).files, seeds: seed..<seed + 2)
    }
  }

  /// The comparison itself notices a change.
  @Test func bites() throws {
    let same = try Meaning(loadOperator("rules: [{deny: tool}]\n"))
    for other in [
      "[{ask: tool}]", "[{deny: tool, mode: shadow}]", "[{deny: tool, when: user.age < 18}]", "[{deny: content}]",
    ] {
      let different = try Meaning(loadOperator("rules: \(other)\n"))
      #expect(different.model != same.model && different.images != same.images, "\(other)")
    }
  }

  private func check(_ files: [SourceFile], seeds: Range<UInt64>) throws {
    let expected = try Meaning(load(files))
    for seed in seeds {
      var shuffler = Shuffler(random: SeededRandom(seed: seed &+ 77))
      let shuffled = try files.flatMap { try shuffler.shuffle($0) }.shuffled(using: &shuffler.random)
      let set = load(shuffled)
      let text = shuffled.map { "# \($0.path)\n\(String(decoding: $0.bytes, as: UTF8.self))" }.joined()
      #expect(set.errors == [], "seed \(seed)\n\(text)")
      let found = try Meaning(set)
      #expect(found.model == expected.model, "seed \(seed)\n\(text)")
      #expect(found.images == expected.images, "seed \(seed)\n\(text)")
    }
  }
}

/// What a policy set says, without the places where it says it.
private struct Meaning {
  var model: [String] = []
  /// The platform's, then each operator's.
  var images: [[UInt8]] = []

  init(_ set: PolicySet) throws {
    var platform = try #require(set.platform)
    let nowhere = Location(file: "x", line: 1, column: 1)
    platform.unknownLocation = nowhere
    for index in platform.attributes.indices { platform.attributes[index].location = nowhere }
    for name in platform.behaviors.keys where platform.behaviors[name]?.location != nil {
      platform.behaviors[name]?.location = nowhere
    }
    func moved(_ dial: StatedDegree) -> StatedDegree {
      StatedDegree(dial.value, at: dial.location == nil ? nil : nowhere)
    }
    platform.dial.default = moved(platform.dial.default)
    platform.dial.operatorsMay = moved(platform.dial.operatorsMay)
    platform.dial.usersMay = moved(platform.dial.usersMay)
    platform.suspicion?.location = nowhere
    for index in platform.periods.indices { platform.periods[index].location = nowhere }
    for index in platform.counters.indices { platform.counters[index].location = nowhere }
    platform.statements = platform.statements.map { Self.moved($0, to: nowhere) }
    model =
      ["\(platform.name) \(platform.unknown) \(Self.describe(platform.dial))"] + platform.attributes.map { "\($0)" }
    model.append("\(String(describing: platform.suspicion))")
    model += platform.periods.map { "\($0)" } + platform.counters.map { "\($0)" }
    model += platform.behaviors.values.map(Self.describe).sorted() + platform.statements.flatMap(Self.describe)
    images = [try compile(platform: platform)]
    for name in set.operators.keys.sorted() {
      guard var one = set.operators[name] else { continue }
      one.location = nowhere
      one.dial = one.dial.map(moved)
      one.statements = one.statements.map { Self.moved($0, to: nowhere) }
      for index in one.audiences.indices { one.audiences[index].location = nowhere }
      model += one.audiences.map { "\($0.behavior) \($0.choice) \($0.who.sorted { $0.key < $1.key })" }
      model += ["\(one.name) \(one.bindings) \(String(describing: one.dial))"] + one.statements.flatMap(Self.describe)
      images.append(try compile(operator: one, on: platform, checksum: 7))
    }
    model += set.broken.sorted()
  }

  /// Groups and periods in an order of their own.
  private static func describe(_ behavior: Behavior) -> String {
    func payoffs(_ all: [String: Payoff]) -> String { "\(all.sorted { $0.key < $1.key })" }
    var rest = behavior
    (rest.population, rest.after) = (nil, [:])
    let after = behavior.after.map { "\($0)" }.sorted()
    guard let population = behavior.population else { return "\(rest) \(after)" }
    let responses = population.responses.map { "\($0.title) \(payoffs($0.payoffs))" }
    return "\(rest) \(after) \(population.who.sorted { $0.key < $1.key }) \(responses) \(payoffs(population.bounds))"
  }

  private static func moved(_ statement: Statement, to place: Location) -> Statement {
    var result = statement
    result.location = place
    for index in result.examples.indices { result.examples[index].location = place }
    return result
  }

  private static func describe(_ dial: Dial) -> String {
    var rest = dial
    rest.after = [:]
    return "\(rest) \(dial.after.map { "\($0)" }.sorted())"
  }

  /// A statement that stands twice has its examples twice.
  private static func describe(_ statement: Statement) -> [String] {
    ["\(statement.content) \(statement.readsArgument)"]
      + Set(statement.examples).map { example in
        var text = example
        text.attributes = [:]
        return "\(text) \(example.attributes.map { "\($0)" }.sorted())"
      }.sorted()
  }
}

/// Writes a policy file anew: keys of every mapping and items of lists that are sets in another order, rules repeated,
/// and some of it moved into a drop-in.
private struct Shuffler {
  var random: SeededRandom

  mutating func shuffle(_ original: SourceFile) throws -> [SourceFile] {
    let (value, diagnostics) = YAMLValue.read(original)
    var fields: [(key: YAMLValue, value: YAMLValue)]?
    if case .mapping(let pairs)? = value?.content { fields = pairs }
    let pairs = try #require(fields, "\(original.path) is no mapping: \(diagnostics)")
    var here: [String] = []
    var there: [String] = []
    for (key, value) in pairs.shuffled(using: &random) {
      switch (key.text ?? "", value.content) {
      case ("licet", _), ("layer", _), ("name", _):
        here.append("\(write(key)): \(write(value))")
        there.append("\(write(key)): \(write(value))")
      case ("rules", .sequence(let items)), ("grants", .sequence(let items)):
        let all = (items + random.some(of: items, atMost: 3)).shuffled(using: &random)
        let cut = random.below(all.count + 1)
        here.append("\(write(key)):\n" + all[..<cut].map { "- \(write($0))\n" }.joined() + (cut == 0 ? "  []" : ""))
        there.append("\(write(key)): [" + all[cut...].map { write($0) }.joined(separator: ", ") + "]")
      case ("behaviors", .mapping(let entries)):
        let all = entries.shuffled(using: &random)
        let cut = random.below(all.count + 1)
        here.append("\(write(key)): \(write(all[..<cut]))")
        there.append("\(write(key)): \(write(all[cut...]))")
      case ("bind", .sequence(let items)):
        here.append("bind: [" + items.shuffled(using: &random).map { write($0) }.joined(separator: ", ") + "]")
      default: here.append("\(write(key)): \(write(value))")
      }
    }
    return [
      file(original.path, here.joined(separator: "\n") + "\n"),
      file(dropIn(of: original.path), there.joined(separator: "\n") + "\n"),
    ]
  }

  private func dropIn(of path: String) -> String {
    let parts = path.split(separator: "/")
    guard parts.first == "operators.d" else { return "platform.d/99-\(parts.last ?? "")" }
    return parts.count > 2
      ? "\(parts[0])/\(parts[1])/99-\(parts[2])" : "operators.d/\(parts[1].dropLast(5)).d/99-more.yaml"
  }

  private mutating func write(_ value: YAMLValue) -> String {
    switch value.content {
    case .string(let text): JSONValue.quote(text)
    case .sequence(let items): "[" + items.map { write($0) }.joined(separator: ", ") + "]"
    case .mapping(let pairs): write(pairs[...])
    default: value.text ?? "~"
    }
  }

  private mutating func write(_ pairs: ArraySlice<(key: YAMLValue, value: YAMLValue)>) -> String {
    let fields = pairs.shuffled(using: &random).map { pair in
      var value = write(pair.value)
      // Obligations are a set, and may be repeated; so are the behaviours that a counter counts.
      if ["with", "of"].contains(pair.key.text), case .sequence(let names) = pair.value.content {
        value = "[" + (names + names.prefix(1)).shuffled(using: &random).map { write($0) }.joined(separator: ", ") + "]"
      }
      return "\(write(pair.key)): \(value)"
    }
    return "{" + fields.joined(separator: ", ") + "}"
  }
}
