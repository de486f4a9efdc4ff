// `licet review`, and the standard policy as it is shipped.

import Foundation
import Testing

@testable import licet

@Suite struct ReviewTests {
  private static let platform = """
    licet: 1
    layer: platform
    name: "p"
    behaviors:
      dose:
        title: "Too <much> & \\"more\\""
        operators-may: allow
        population:
          who: {carer: 97, at-risk: 3}
          responses:
            allow: {carer: +2.5, at-risk: -40}
            ask: {carer: +0.5}
            deny: {carer: -1}
          never-worse-than: {at-risk: -5}

    """

  private static func folder(_ operator: String, panel: String? = nil) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    _ = try folder.write(platform, to: "platform.yaml")
    _ = try folder.write("licet: 1\nlayer: operator\nname: o\n\(`operator`)\n", to: "operators.d/o.yaml")
    if let panel { _ = try folder.write(panel, to: "x_panel.yaml") }
    return folder
  }

  @Test func goldenReview() throws {
    let run = try licet("review", "--policy", "examples")
    #expect(run.status == 0, "\(run.errors)")
    try expectGolden(run.output, "review-examples")
    for columns in [60, 80, 120] {
      let run = try licet("review", "examples", environment: ["COLUMNS": "\(columns)"])
      let tooLong = run.output.split(separator: "\n").filter { $0.count > columns }
      #expect(tooLong == [], "\(columns) columns")
    }
    let ascii = try licet("review", "--policy", "examples", environment: ["LANG": "C"])
    #expect(ascii.output.utf8.allSatisfy { $0 < 0x80 })
  }

  /// Allowed by the operator's setting: 3 × 40 are harmed; denied: each carer goes without 1.5 (ask is the best that the
  /// bounds leave, and gives 0.5 rather than -1).
  @Test func harmAndLossAreCounted() throws {
    func party(_ rule: String) throws -> JSON {
      let folder = try Self.folder("rules: [\(rule)]")
      let run = try licet("review", folder.url.path, "--operator", "o", "--json")
      #expect(run.status == 0)
      guard case .array(let parties)? = try JSONParser.parse(run.output)["parties"] else { return .null }
      #expect(parties.count == 1)
      return parties[0]
    }
    func first(_ party: JSON, _ key: String) -> JSON? {
      guard case .array(let findings)? = party[key] else { return nil }
      return findings.first
    }
    let allowed = try party("{allow: dose}")
    #expect(first(allowed, "harm")?["harm"] == .int(120) && first(allowed, "loss") == nil)
    #expect(first(allowed, "harm")?["statement"] == .string("operators.d/o.yaml:4"))
    let denied = try party("{deny: dose}")
    #expect(first(denied, "loss")?["loss"] == .double(145.5) && first(denied, "harm") == nil)
    #expect(first(denied, "loss")?["best"] == .string("ask"))
    // What holds only sometimes decides nothing here, and is named.
    let sometimes = try party("{allow: dose, when: request.source == \"user\"}")
    #expect(first(sometimes, "behaviors")?["effect"] == .string("ask"))
    #expect(
      first(sometimes, "behaviors")?["conditional"]
        == .array([.string("operators.d/o.yaml:4 says allow when request.source == \"user\"")]))
  }

  @Test func thePanelSaysInWhichDirectionItErrs() throws {
    let panel = """
      operator: o
      panel:
        - {name: one, behavior: dose, harmful-if: allow, note: "look at it"}
        - {name: two, behavior: dose, preachy-if: [deny, ask]}
        - {name: three, behavior: dose, harmful-if: deny}
        - {name: four, behavior: dose, request: {amuont: 1}, harmful-if: deny}

      """
    let allowed = try Self.folder("rules: [{allow: dose}]", panel: panel)
    let run = try licet("review", allowed.url.path, "--json")
    #expect(run.status == 1)
    guard case .array(let errors)? = try JSONParser.parse(run.output)["panel"]?["errors"] else {
      Issue.record("no panel")
      return
    }
    #expect(errors.map { $0["name"] } == [.string("one"), .string("four")])
    #expect(errors.map { $0["error"] } == [.string("harmful"), .string("refused")])
    let denied = try Self.folder("rules: [{deny: dose}]", panel: panel)
    let text = try licet("review", denied.url.path)
    #expect(text.status == 1 && text.output.contains("preachy  two") && text.output.contains("harmful  three"))
    let fine = try Self.folder("", panel: "operator: o\npanel:\n  - {behavior: dose, preachy-if: deny}\n")
    #expect(try licet("review", fine.url.path).status == 0)
  }

  @Test(
    arguments: [
      ("panel: []", "`panel` is missing"), ("panel:\n  - {behavior: dose}", "says what would be wrong"),
      ("panel:\n  - {behavior: dose, harmful-if: alow}", "is deny, ask or allow"),
      ("panel:\n  - {behavior: dose, harmful-if: ask, preachy-if: ask}", "both harmful and preachy"),
      ("panel:\n  - {behavior: dose, harmfull-if: ask}", "did you mean"),
    ])
  func mistakesInAPanel(_ text: String, _ message: String) throws {
    let folder = try Self.folder("", panel: text + "\n")
    let run = try licet("review", folder.url.path)
    #expect(run.status == 65 && run.errors.contains(message) && run.errors.contains("x_panel.yaml:"), "\(run.errors)")
  }

  @Test func thePageNeedsNothingElseAndEscapesWhatItShows() throws {
    let panel = "operator: o\npanel:\n  - {name: \"<script>alert(1)</script>\", behavior: dose, harmful-if: allow}\n"
    let folder = try Self.folder("rules: [{allow: dose}]", panel: panel)
    let path = folder.url.appending(path: "review.html").path
    #expect(try licet("review", folder.url.path, "--html", path).status == 1)
    let page = try String(contentsOfFile: path, encoding: .utf8)
    #expect(page.contains("Too &lt;much&gt; &amp; &quot;more&quot;") && page.contains("&lt;script&gt;"))
    for needed in ["<script", "http:", "https:", "url(", "@import", "<img", "<link"] {
      #expect(!page.contains(needed), "\(needed)")
    }
    #expect(page.contains("<svg") && page.contains("prefers-color-scheme: dark") && page.contains("@media print"))
    // Every element that opens is closed, in order.
    var open: [Substring] = []
    for tag in page.matches(of: /<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/) {
      let (_, closing, name, isVoid) = tag.output
      if closing.isEmpty {
        if isVoid.isEmpty, !["meta", "br"].contains(name) { open.append(name) }
      } else {
        #expect(open.popLast() == name, "\(tag.output.0)")
      }
    }
    #expect(open == [] && page.contains("</html>"))
  }

  @Test func mistakesInFlags() throws {
    #expect(try licet("review", "--policy", "examples", "--operator", "forgo").status == 64)
    #expect(try licet("review", "--image", "x").status == 64)
    #expect(try licet("review", "--policy", "examples", "--json", "--html", "x").status == 64)
    #expect(try licet("review", "--policy", "examples", "--panel", "no-such.yaml").status == 66)
  }

  // MARK: the standard policy

  @Test func theStandardPolicyLoadsAndIsTestedWhole() throws {
    #expect(try licet("validate", "standard").status == 0)
    #expect(try licet("lint", "standard", "--strict").status == 0)
    let run = try licet(
      "test", "--policy", "standard", "--policy", "standard/tests", "standard/tests/standard_test.yaml")
    #expect(run.status == 0 && run.output.contains("0 rules not reached"), "\(run.output)")
    let list = try JSONParser.parse(try licet("behaviors", "--policy", "standard", "--json").output)
    guard case .array(let rows)? = list["behaviors"] else {
      Issue.record("no behaviours")
      return
    }
    let scenarios = try String(
      contentsOf: PackageFiles.root.appending(path: "standard/tests/standard_test.yaml"), encoding: .utf8)
    let clauses = try String(contentsOf: PackageFiles.root.appending(path: "docs/standard-policy.md"), encoding: .utf8)
    #expect(rows.count > 60)
    for row in rows {
      let name = row["name"]?.text ?? ""
      let clause = row["clause"]?.text ?? ""
      #expect(row["title"]?.text != nil && clause.hasPrefix("standard/"), "\(name)")
      #expect(
        scenarios.contains("behavior: \(name),") || scenarios.contains("behavior: \(name)."), "no scenario for \(name)")
      let short = clause.replacing("standard/tools-", with: "-").replacing("standard/", with: "standard/")
      #expect(
        clauses.contains("`\(short)`") || clauses.contains("`\(clause)`"), "\(clause) isn't in docs/standard-policy.md")
    }
  }

  /// A platform of one's own in a higher folder takes the stub's place and builds on the rest.
  @Test func aPlatformBuildsOnTheStandard() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(
      """
      licet: 1
      layer: platform
      name: mine
      unknown: ask
      behaviors:
        advice.dangerous-dose: {default: ask}
        tool.search: {default: ask}
        robot.arm: {default: deny}

      """, to: "platform.yaml")
    let run = try licet("behaviors", "--policy", "standard", "--policy", folder.url.path, "--json")
    #expect(run.status == 0, "\(run.errors)")
    let list = try JSONParser.parse(run.output)
    #expect(list["platform"] == .string("mine") && list["unknown"] == .string("ask"))
    guard case .array(let rows)? = list["behaviors"] else { return }
    func value(_ name: String, _ key: String) -> JSON? { rows.first { $0["name"] == .string(name) }?[key] }
    #expect(value("advice.dangerous-dose", "default") == .string("ask"))
    #expect(value("advice.dangerous-dose", "totals") == nil && value("advice.dangerous-dose", "title")?.text != nil)
    #expect(value("tool.search", "default") == .string("ask") && value("tool.search", "clause")?.text != nil)
    #expect(value("honesty.deceive", "default") == .string("deny") && value("robot.arm", "default") == .string("deny"))
  }

  @Test(arguments: [80, 120, 160]) func theTreeFitsItsTerminal(_ columns: Int) throws {
    for policy in ["standard", "examples"] {
      let run = try licet("behaviors", "--policy", policy, environment: ["COLUMNS": "\(columns)"])
      let tooLong = run.output.split(separator: "\n").filter { $0.count > columns }
      #expect(run.status == 0 && tooLong == [], "\(policy) at \(columns)")
    }
  }
}
