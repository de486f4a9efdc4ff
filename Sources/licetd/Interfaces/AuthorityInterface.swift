// org.licet.Licet1.Authority: deciding, and what a caller may see.

import Authority
import Bus
import CompilerProtocol
import Consultation
import Decision
import PolicyImage
import System

extension Daemon {
  func authorityInterface() -> Interface {
    let answer: KeyValuePairs = ["effect": "s", "obligations": "as", "details": "a{sv}"]
    return Interface(
      Daemon.authorityInterface,
      methods: [
        .init("Check", in: ["operator": "s", "behaviors": "as", "request": "a{sv}"], out: answer) { [unowned self] in
          check($0, isExplaining: false)
        },
        .init("CheckMany", in: ["operator": "s", "requests": "a(asa{sv})"], out: ["decisions": "a(sasa{sv})"]) {
          [unowned self] in checkMany($0)
        },
        .init("Explain", in: ["operator": "s", "behaviors": "as", "request": "a{sv}"], out: answer) { [unowned self] in
          check($0, isExplaining: true)
        },
        .init("OpenSession", in: ["operator": "s", "terms": "a{sv}"], out: ["session": "o"]) { [unowned self] in
          openSession($0)
        },
        .init("ListBehaviors", out: ["behaviors": "aa{sv}"]) { [unowned self] in listBehaviors($0) },
        .init("Subscribe", in: ["topics": "as"]) { [unowned self] in subscribe($0) },
      ],
      properties: [
        .init("Version", "s", emits: .constant) { _, writer in writer.append(Product.version) },
        .init("Generation", "t") { [unowned self] _, writer in writer.append(authority.generation.number) },
        .init("PolicyDigest", "s", emits: .never) { [unowned self] call, writer in
          writer.append(caller(of: call)?.isAdministrator() == true ? authority.generation.digest : "")
        },
        .init("Operators", "as", emits: .never) { [unowned self] call, writer in
          writer.append(visibleOperators(caller(of: call)))
        },
        .init("Sessions", "u", emits: .never) { [unowned self] call, writer in
          writer.append(UInt32(clamping: visibleCount(caller(of: call))))
        },
        .init("Diagnostics", "aa{sv}", emits: .never) { [unowned self] call, writer in
          write(visibleDiagnostics(caller(of: call)), &writer)
        },
        .init("Totals", "aa{sv}", emits: .never) { [unowned self] call, writer in
          writeTotals(caller(of: call), &writer)
        },
      ],
      signals: [
        .init("GenerationChanged", ["generation": "t"]),
        .init("Reloaded", ["generation": "t", "refused": "as"]),
        .init("Diagnosed", ["diagnostics": "aa{sv}"]),
        .init(
          "Decided", ["operator": "s", "behaviors": "as", "effect": "s", "details": "a{sv}", "missed": "t"]),
      ])
  }

  // MARK: deciding

  private func check(_ call: Call, isExplaining: Bool) {
    guard let caller = caller(of: call) else { return }
    refusing(call) { () throws(Refusal) in
      try takeDecision(caller)
      var reader = call.reader
      let name = try operatorName(&reader, caller, isExplaining: isExplaining)
      try answer(call, &reader, operator: name, isExplaining: isExplaining)
    }
  }

  private func checkMany(_ call: Call) {
    guard let caller = caller(of: call) else { return }
    refusing(call) { () throws(Refusal) in
      var reader = call.reader
      let name = try operatorName(&reader, caller, isExplaining: false)
      try answerMany(call, caller, &reader, operator: name)
    }
  }

  /// One decision's worth of what the caller may ask.
  func takeDecision(_ caller: Caller) throws(Refusal) {
    guard decisionPoint.limits.take(caller.identity.uid, decisions: 1, now: loop.now) else {
      throw Refusal(.limitsExceeded, "user \(caller.identity.uid) asks too much at once")
    }
  }

  /// Answers with what `body` throws.
  func refusing(_ call: Call, _ body: () throws(Refusal) -> Void) {
    do throws(Refusal) { try body() } catch { refuse(call, error.code, error.text) }
  }

  /// Whom the caller speaks for: what it names if it is bound to that, its only one if it names none (DESIGN §4).
  func operatorName(
    _ reader: inout MessageReader, _ caller: Caller, isExplaining: Bool
  ) throws(Refusal) -> String {
    guard let bytes = try? reader.nextString() else { throw Refusal(.badRequest, "operator: a string is wanted") }
    return try operatorName(bytes, caller, isExplaining: isExplaining)
  }

  /// The same, of a name that has been read. An administrator may have anybody's decisions explained.
  func operatorName(
    _ bytes: UnsafeRawBufferPointer, _ caller: Caller, isExplaining: Bool
  ) throws(Refusal) -> String {
    if authority.generation.platform == nil { return String(decoding: bytes.prefix(256), as: UTF8.self) }
    let own = caller.operators
    if bytes.isEmpty {
      if own.count == 1 { return own[0] }
      throw own.isEmpty
        ? Refusal(.notBound, "user \(caller.identity.uid) speaks for no operator: no `bind` names it")
        : Refusal(.ambiguousOperator, "operator: say which of \(own.joined(separator: ", "))")
    }
    if let found = own.first(where: { $0.utf8.elementsEqual(bytes) }) { return found }
    let name = String(decoding: bytes.prefix(256), as: UTF8.self)
    guard isExplaining, caller.isAdministrator() else {
      throw caller.isAdministrator() && !authority.generation.declared.contains(name)
        ? Refusal(.unknownOperator, "operator: no file declares `\(name)`")
        : Refusal(
          .notBound,
          "user \(caller.identity.uid) doesn't speak for `\(name)`: no `bind` in force names it; `licet status` says whether its files are in force"
        )
    }
    guard authority.generation.declared.contains(name) else {
      throw Refusal(.unknownOperator, "operator: no file declares `\(name)`")
    }
    return name
  }

  // MARK: looking

  func visibleOperators(_ caller: Caller?) -> [String] {
    guard let caller else { return [] }
    return caller.isAdministrator() ? authority.generation.operators.keys.sorted() : caller.operators
  }

  func visibleDiagnostics(_ caller: Caller?) -> [DiagnosticRecord] {
    guard let caller else { return [] }
    return (authority.diagnostics + bindings.diagnostics).filter { caller.sees($0.operator) }
  }

  /// Of the operators that the caller may see.
  private func writeTotals(_ caller: Caller?, _ writer: inout MessageWriter) {
    let totals = attachServer?.collector.totals ?? Totals()
    writer.array("a{sv}") { list in
      for (name, one) in totals.operators.sorted(by: { $0.key < $1.key }) where caller?.sees(name) == true {
        list.array("{sv}") { entry in
          entry.entry("operator", name)
          for (key, counts) in [("observed" as StaticString, one.observed), ("asserted", one.asserted)] {
            entry.entry(key, "a{st}") { value in
              value.array("{st}") {
                $0.count("deny", counts.deny)
                $0.count("ask", counts.ask)
                $0.count("allow", counts.allow)
              }
            }
          }
          entry.entry("differing", one.differing)
          entry.entry("underived", one.underived)
          entry.entry("lost", one.lost)
        }
      }
    }
  }

  /// A decision of the daemon's own.
  func observe(_ name: String, _ effect: Effect) { attachServer?.collector.observe(name, effect) }

  /// One `aa{sv}`.
  func write(_ diagnostics: [DiagnosticRecord], _ writer: inout MessageWriter) {
    writer.array("a{sv}") { list in
      for one in diagnostics {
        list.array("{sv}") { entry in
          entry.entry("operator", one.operator)
          entry.entry("severity", one.severity == .error ? "error" : "warning")
          entry.entry("code", one.code)
          entry.entry("file", one.place.file)
          entry.entry("line", one.place.line)
          entry.entry("column", one.place.column)
          entry.entry("length", one.length)
          entry.entry("message", one.message)
          entry.entry("hint", one.hint)
          entry.entry("text", one.text)
        }
      }
    }
  }

  /// The catalogue is the platform's; whoever speaks for an operator may read it.
  private func listBehaviors(_ call: Call) {
    guard let caller = caller(of: call), caller.isAdministrator() || !caller.operators.isEmpty else {
      return refuse(call, .notBound, "the behaviours are for whom an operator's `bind` names, and for administrators")
    }
    let generation = authority.generation
    call.reply { writer in
      writer.array("a{sv}") { list in
        guard let held = generation.platform else { return }
        let policy = Policy(platform: held.image, ended: generation.ended)
        for node in 0..<held.image.count(.nodes) where held.image.nodes[node].flags & Node.isNamed != 0 {
          list.array("{sv}") { write(held.image, node, policy, &$0) }
        }
      }
    }
  }

  private func write(_ image: Image, _ index: Int, _ policy: Policy, _ entry: inout MessageWriter) {
    let node = image.nodes[index]
    func name(_ raw: UInt8) -> String { (Effect(rawValue: raw) ?? .deny).name }
    let absolute = Absolute(rawValue: node.absolute) ?? .off
    let place = policy.reference(.platform, absolute == .none ? node.choiceStatement : node.absoluteStatement)
    entry.entry("name", text: image.name(UInt32(index)))
    entry.entry("default", name(node.default))
    entry.entry("operators-may", name(node.operatorsMay))
    entry.entry("users-may", name(node.usersMay))
    entry.entry("absolute", absolute == .none ? "" : absolute == .on ? "on" : "off")
    entry.entry("clause", place?.clause ?? "")
    entry.entry("stakes", node.stakes.value)
    entry.entry("declared", node.flags & Node.isDeclared != 0)
    entry.entry("statement", place?.place ?? "")
    let mask = image.masks[Int(node.obligations)]
    let bits = (0..<image.count(.obligations)).filter { mask >> UInt64($0) & 1 == 1 }
    entry.entry("obligations", "as") { variant in
      variant.append(bits.map { String(decoding: image.obligationName($0), as: UTF8.self) })
    }
    if let form = place?.form.chosenFor { entry.entry("chosen-for", form) }
    if let totals = place?.totals { entry.entry("totals", totals) }
  }

  private func subscribe(_ call: Call) {
    guard let caller = caller(of: call) else { return }
    var topics: Set<Subscribers.Topic> = []
    var reader = call.reader
    guard var list = try? reader.nextArray(of: .string) else { return }
    while !list.atEnd {
      guard let word = try? list.nextSwiftString(), let topic = Subscribers.Topic(rawValue: word) else {
        return refuse(
          call, .badRequest,
          "topics: they are \(Subscribers.Topic.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      topics.insert(topic)
    }
    guard caller.isAdministrator() || !caller.operators.isEmpty else {
      return refuse(call, .notBound, "signals are for whom an operator's `bind` names, and for administrators")
    }
    guard subscribers.set(call.sender, topics, caller) else {
      return refuse(call, .limitsExceeded, "at most \(Subscribers.maximum) subscribers")
    }
    call.reply()
  }
}
