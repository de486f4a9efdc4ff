// A small policy that uses most of what an image can hold: every kind of statement, obligations, types, programs,
// an automaton, a zone. What image tests and the fuzz targets start from.

public import Consultation
public import Offline
internal import PolicyImage
public import PolicyLanguage

public enum SamplePolicy {
  public static let platform = """
    licet: 1
    layer: platform
    name: sample
    unknown: deny
    attributes:
      user: {adult: bool, role: {enum: [guest, member]}, visits: int, born: timestamp}
      request: {amount: double, size: uint, tags: list<string>, args: "map<string, dyn>", wait: duration, blob: bytes}
    authorities:
      alice: "ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
      bob: "ed25519:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    periods:
      pilot: {decided-by: {quorum: 2, of: [alice, bob]}, evidence: [report, review], review-by: 2027-01-31}
      trial: {decided-by: {quorum: 1, of: [bob]}, evidence: [report], review-by: 2027-06-30}
    counters:
      mails: {counts: requests, of: [tool.mail, content], per: session, window: 1h}
      reach: {counts: requests, of: [safety], per: operator, window: 30d}
    dial: {default: 0.2, operators-may: 0.4, users-may: 0.3, after: {trial: {default: 0.6}}}
    suspicion: {half-life: 90m, ask-at: 2, deny-at: 6.5, for: [tool, content.explicit]}
    behaviors:
      content: {default: allow, stakes: 0}
      content.explicit: {default: deny, operators-may: allow, users-may: ask, clause: "C/1"}
      tool: {default: ask, operators-may: allow, stakes: 0.35}
      tool.shell: {default: ask, operators-may: allow, stakes: 0.7, audit: full}
      closed: {default: deny}
      safety.info: {default: ask}
      persuade: {hardcoded: off}
      dose:
        operators-may: ask
        population:
          who: {patient: 90, at-risk: 10}
          responses:
            allow with safe-messaging: {patient: 2.5, at-risk: -9}
            ask with log: {patient: 0.5, at-risk: -1}
            deny: {patient: -2}
          never-worse-than: {at-risk: -5}
      dose.afresh: {default: deny}
      tool.mail: {default: deny, after: {pilot: {operators-may: ask}, trial: {default: ask}}}
    rules:
      - {limit: content.explicit, to: deny, tier: safety, when: "!has(user.adult) || !user.adult", with: [age-gate]}
      - {duty: safety.info, to: allow, tier: ethics, when: "user.visits * 2 > 3"}
      - {limit: tool, to: ask, when: "request.args.path.matches('^/(etc|root)/[a-z]+[.]conf$')", with: [explain, log]}
      - {limit: tool.shell, to: deny, tier: ethics, when: "argument.contains('urgent') && argument.size() > 3"}
      - {limit: content, to: allow, when: "now.getHours('Europe/Berlin') < 25", with: [disclose]}
      - {limit: content, to: deny, mode: shadow, when: "request.tags.exists(t, t.startsWith('x'))"}
      - {limit: tool, to: ask, tier: safety, when: "session.dial < 0.25 && request.amount > 1.5"}
      - {limit: tool, to: ask, tier: ethics, during: pilot}
      - {duty: safety.info, to: ask, after: trial}
      - {limit: tool.mail, to: deny, when: "counter('mails') > 20", with: [log]}

    """

  public static let operatorFile = """
    licet: 1
    layer: operator
    name: op
    dial: 0.38
    audience: {dose: {patient: 1, at-risk: 9}}
    rules:
      - {allow: content.explicit, when: "user.adult && user.role == 'member'", with: [balance]}
      - {ask: tool.shell, when: "request.amount > 2.5 && request.size < 10u"}
      - {allow: tool, when: "request.tags.all(t, t.matches('(a|b)*c')) && now.getDayOfWeek('America/New_York') < 7"}
      - {deny: content, when: "has(request.args.path) && request.args.path == 7"}
      - {limit: tool, to: deny, when: "request.wait > duration('1h') || user.born.getFullYear() < 1900", with: [late]}
      - {limit: content, to: ask, when: "counter('reach') + counter('mails') > 5 && user.adult"}
    grants:
      - {users-may: allow, behavior: content.explicit, after: pilot}
      - {users-may: allow, behavior: content.explicit, when: "user.visits >= 3 && 'a' in request.tags"}

    """

  public static func files(platform: String = platform, operator: String = operatorFile) -> [SourceFile] {
    [
      SourceFile(path: "platform.yaml", bytes: Array(platform.utf8)),
      SourceFile(path: "operators.d/op.yaml", bytes: Array(`operator`.utf8)),
    ]
  }

  /// Compiled; both images are there.
  public static let loaded = openPolicy(files())

  /// Requests that reach every rule, with conditions that hold, don't, and fail.
  public static let requests: [Request] = {
    let now: (Int64, Int32) = (1_767_225_600, 5)
    let given: [[String: RequestValue]] = [
      [:],
      [
        "user.adult": .bool(true), "user.role": .string("member"), "user.visits": .int(7),
        "user.born": .timestamp(seconds: 0, nanoseconds: 0), "request.amount": .double(3), "request.size": .uint(4),
        "request.tags": .list([.string("abac"), .string("a")]),
        "request.wait": .duration(seconds: 4000, nanoseconds: 0),
        "request.blob": .bytes([0, 255]),
        "request.args": .map([.init(key: .string("path"), value: .string("/etc/passwd.conf"))]),
      ],
      [
        "user.adult": .bool(false), "user.role": .string("guest"), "user.visits": .int(.max),
        "user.born": .timestamp(seconds: -62_135_596_800, nanoseconds: 0), "request.amount": .double(.nan),
        "request.tags": .list([]), "request.args": .map([.init(key: .string("path"), value: .int(7))]),
      ],
    ]
    let names = [
      "content", "content.explicit", "tool.shell.exec", "tool", "closed", "closed.below", "safety.info", "persuade.x",
      "harm", "harm.csam.x", "transparency.admit-ai", "nobody.declared", "dose", "dose.x", "dose.afresh",
    ]
    return names.flatMap { name in
      given.enumerated().map { index, attributes in
        Request(
          behaviors: index == 2 ? [name, "content"] : [name], resource: "file:x", attributes: attributes,
          argument: index == 1 ? "urgent: é" : nil, preference: index == 1 ? .allow : nil, now: now)
      }.map { $0.counting(name) }
    }
  }()
}

extension Request {
  /// Some counters are known in some requests, and where they are, low or high.
  fileprivate func counting(_ name: String) -> Request {
    var request = self
    if !attributes.isEmpty { request.attributes["counter.mails"] = .int(name.count.isMultiple(of: 2) ? 1 : 21) }
    if name.count % 3 == 0 { request.attributes["counter.reach"] = .int(4) }
    return request
  }
}
