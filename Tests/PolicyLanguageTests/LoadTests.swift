// Whole policy sets, as a reader of DESIGN §3 would write them.

import PolicyImage
import PolicyLanguage
import Testing

@Suite struct LoadTests {
  static let platform = """
    # platform.yaml
    licet: 1
    layer: platform
    name: acme
    unknown: deny
    attributes:
      user:    {age_verified: bool, role: {enum: [guest, member, clinician]}}
      request: {amount: double, recipients: int}
    behaviors:
      content:                {default: allow, stakes: 0}
      content.explicit:       {default: deny,  operators-may: allow, clause: "MS/no_erotica_or_gore"}
      content.profanity:      {default: deny,  operators-may: allow, users-may: allow}
      politics:               {default: allow, stakes: 0.3}
      tool:                   {default: ask,   operators-may: allow}
      tool.shell.exec:        {default: ask,   operators-may: allow, stakes: 0.7}
      safety.emergency-info:  {default: allow, stakes: 0}
      politics.persuade:      {hardcoded: off, clause: "MS/avoid_targeted_political_manipulation"}
    rules:
      - limit: content.explicit
        to: deny
        tier: safety
        when: "!has(user.age_verified) || !user.age_verified"
        clause: "MS/prioritize_teen_safety"
      - duty: safety.emergency-info
        to: allow
        tier: ethics
    """
  static let nightowl = """
    # operators.d/nightowl.yaml
    licet: 1
    layer: operator
    name: nightowl
    bind: [{user: svc-nightowl}, {group: nightowl-workers}]
    rules:
      - allow: content.explicit
        when: user.age_verified
      - deny: politics
      - ask: tool.payment.refund
        when: request.amount > 100.0
      - limit: tool.email.send
        to: deny
        when: request.recipients > 50
    grants:
      - users-may: allow
        behavior: content.profanity
        when: user.role == "member"
    """

  static func file(_ path: String, _ text: String, rank: Int = 0) -> SourceFile {
    SourceFile(path: path, bytes: Array(text.utf8), rank: rank)
  }

  @Test func theDesignsExampleLoads() throws {
    let set = load([
      Self.file("platform.yaml", Self.platform), Self.file("operators.d/nightowl.yaml", Self.nightowl),
    ])
    #expect(set.diagnostics == [])
    let platform = try #require(set.platform)
    #expect(platform.name == "acme")
    #expect(
      platform.attributes.map(\.name) == ["request.amount", "request.recipients", "user.age_verified", "user.role"])
    #expect(
      platform.behaviors["content.explicit"]?.choice == Choice(default: .deny, operatorsMay: .allow, usersMay: .deny))
    #expect(platform.behaviors["politics.persuade"]?.hardcoded == .off)
    #expect(platform.behaviors["politics.persuade"]?.stakes.value == 0.3)
    #expect(platform.behaviors["harm.csam"]?.hardcoded == .off)
    #expect(platform.statements.map(\.tier) == [.ethics, .safety])
    let nightowl = try #require(set.operators["nightowl"])
    #expect(nightowl.bindings == [.group("nightowl-workers"), .user("svc-nightowl")])
    #expect(nightowl.statements.map(\.kind) == [.setting, .setting, .setting, .grant, .limit])
    #expect(nightowl.statements.map(\.location.line).sorted() == [7, 9, 10, 12, 16])
  }
}
