// Importing the Model Spec: sections, levels, titles; the result loads clean and gives each layer what is its own.

import Foundation
import Consultation
import Offline
import PolicyImage
import PolicyLanguage
import Testing

@testable import licet

@Suite struct ModelSpecTests {
  static let fixture = """
    # Chapter {#chapter}
    ## Follow "the" rules\\[^1a] {#follow_rules authority=root}
    ~~~~markdown
    ## Not a section {#no_section authority=user}
    ```
    ~~~~
    ### Don’t *ever* [lie](https://example.org) {#do_not_lie authority=user tags=under_18,x}
    #### Ask `first` {#ask authority=developer}
    ## Voice {#voice authority=system}
    ## Be warm {#be_warm authority=guideline}
    """.replacingOccurrences(of: "\\[^1a]", with: "[^1a]")

  @Test func sectionsAreHeadingsWithALevel() throws {
    let sections = try ModelSpec.sections(in: Self.fixture)
    #expect(sections.map(\.anchor) == ["follow_rules", "do_not_lie", "ask", "voice", "be_warm"])
    #expect(sections.map(\.authority) == [.root, .user, .developer, .system, .guideline])
    #expect(sections.map(\.title) == ["Follow \"the\" rules", "Don’t ever lie", "Ask first", "Voice", "Be warm"])
    #expect(sections[1].tags == ["under_18", "x"])
    #expect(sections.map(\.line) == [2, 7, 8, 9, 10])
  }

  @Test(arguments: [
    ("# x\n", ModelSpecError.Code.noSections), ("# A {#a authority=king}\n", .unknownAuthority),
    ("# A {#A authority=root}\n", .badAnchor), ("# A {#a authority=root oops}\n", .badAttributes),
    ("# A {#a authority=root}\n# B {#a authority=user}\n", .duplicateAnchor),
  ])
  func mistakesAreNamed(_ text: String, _ code: ModelSpecError.Code) {
    #expect { try ModelSpec.sections(in: text) } throws: { ($0 as? ModelSpecError)?.code == code }
  }

  @Test func thePolicyLoadsCleanAndGivesEachLayerItsOwn() throws {
    let policy = try Self.imported(Self.fixture)
    let entries = Dictionary(uniqueKeysWithValues: policy.behaviors.map { ($0.name, $0) })
    #expect(entries["departs-from.follow_rules"]?.absolute == .off)
    #expect(entries["departs-from.voice"]?.choice == Choice(default: .deny, operatorsMay: .deny, usersMay: .deny))
    #expect(entries["departs-from.ask"]?.choice == Choice(default: .deny, operatorsMay: .allow, usersMay: .deny))
    #expect(
      entries["departs-from.do_not_lie"]?.choice == Choice(default: .deny, operatorsMay: .allow, usersMay: .allow))
    #expect(entries["departs-from.be_warm"]?.declaration?.clause == "MS/be_warm")
  }

  @Test func theOutputIsTheSameEveryTime() throws {
    let sections = try ModelSpec.sections(in: Self.fixture)
    #expect(ModelSpec.policy(of: sections, source: "a") == ModelSpec.policy(of: sections, source: "a"))
    #expect(ModelSpec.quoted("a\"\\\u{0}\u{2028}’") == "\"a\\\"\\\\\\U00000000\\U00002028’\"")
  }

  static let published = PackageFiles.root.deletingLastPathComponent().appending(
    path: "shared/data/model_spec-2025-12-18.md")

  @Test(.enabled(if: FileManager.default.fileExists(atPath: published.path), "the published document is not here"))
  func thePublishedDocumentHas59Sections() throws {
    let text = try String(contentsOf: Self.published, encoding: .utf8)
    let levels = try ModelSpec.sections(in: text).reduce(into: [:]) { $0[$1.authority, default: 0] += 1 }
    #expect(levels.values.reduce(0, +) == 59)
    let stated = text.matches(of: /\{#\w+ authority=(\w+)/).reduce(into: [:]) {
      $0[String($1.output.1), default: 0] += 1
    }
    for (level, count) in levels { #expect(stated[level.rawValue] == count) }
    #expect(try Self.imported(text).behaviors.count { $0.name.hasPrefix("departs-from.") } == 59)
  }

  private static func imported(_ text: String) throws -> OfflinePolicy {
    let yaml = ModelSpec.policy(of: try ModelSpec.sections(in: text), source: "spec.md")
    let loaded = openPolicy([SourceFile(path: "platform.yaml", bytes: Array(yaml.utf8))])
    #expect(loaded.diagnostics.isEmpty)
    return try #require(loaded.policy)
  }
}
