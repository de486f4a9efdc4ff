// `licet period`: keys, determinations, and which periods run (DESIGN §2.8).

import ArgumentParser
import Bus
import Consultation
import Crypto
import Determinations
import Foundation
import PolicyImage
import PolicyLanguage
import System

struct PeriodCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "period",
    abstract: "Which periods run, and how one ends.",
    discussion: """
      A period ends when a quorum of its authorities has signed that it has, on all of the evidence that it asks for; \
      any single one of them reinstates it. Each authority makes a key (keygen) whose public half stands in the \
      platform's file, signs a determination (sign) where the key is, and somebody hands it to licetd (submit).
      """,
    subcommands: [Keygen.self, Sign.self, Submit.self, Show.self, Verify.self])
}

/// An Ed25519 key in a file: `ed25519-private:` and base64.
private enum KeyFile {
  static let prefix = "ed25519-private:"

  static func read(_ path: String) throws(CommandError) -> Curve25519.Signing.PrivateKey {
    var info = stat()
    if stat(path, &info) == 0, info.st_mode & 0o077 != 0 {
      throw CommandError(
        .badValue, "others may read this key (mode \(String(info.st_mode & 0o777, radix: 8)))", at: path,
        hint: "it is not secret any more: make another one; or chmod 600 if it is")
    }
    let text = try Files.text(path).trimmingCharacters(in: .whitespacesAndNewlines)
    guard text.hasPrefix(prefix), let raw = PolicyImage.Base64.decode(String(text.dropFirst(prefix.count))),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: raw)
    else { throw CommandError(.badDocument, "is no private key", at: path, hint: "`licet period keygen` makes one") }
    return key
  }
}

private func text(of key: Curve25519.Signing.PublicKey) -> String {
  "ed25519:" + key.rawRepresentation.base64EncodedString()
}

/// 2027-01-31 and a time of day, in UTC.
private func text(of seconds: Int64) -> String { Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601) }

struct Keygen: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make an authority's key.",
    discussion: "Writes the private half, for its owner alone, and prints what belongs into the platform's file.")

  @Argument(help: "The authority's name.") var name: String
  @Option(name: .long, help: ArgumentHelp("Where the private key goes; it must not exist.", valueName: "file"))
  var out: String?
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let path = out ?? "\(name).key"
    let key = Curve25519.Signing.PrivateKey()
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw Files.failure(path, .cantWrite) }
    defer { close(descriptor) }
    let bytes = Array((KeyFile.prefix + key.rawRepresentation.base64EncodedString() + "\n").utf8)
    guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
      throw Files.failure(path, .cantWrite)
    }
    let publicKey = text(of: key.publicKey)
    if format.json {
      Output.line(
        JSON.fields(["name": .string(name), "file": .string(path), "key": .string(publicKey)]).pretty)
    } else {
      Output.line("\(path) holds the private key; it never leaves its owner")
      Output.line("into the platform's file:\n\nauthorities:\n  \(name): \"\(publicKey)\"")
    }
    return 0
  }
}

struct Sign: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sign that a period has ended, or runs again.",
    discussion: """
      What is signed names the host or fleet, the period's text and its authorities by their digests, and each item of \
      evidence by its SHA-256. Asks licetd for these, or takes the period from a policy folder (--policy, with --host \
      and --sequence).

      Example: licet period sign pilot --key alice.key --as alice --evidence red-team-report=report.pdf --out alice.det
      """)

  @Argument(help: "The period.") var period: String
  @Option(name: .long, help: ArgumentHelp("The private key.", valueName: "file"), completion: .file()) var key: String
  @Option(name: .customLong("as"), help: "Which authority the key is of; found by the key when left out.")
  var name: String?
  @Option(name: .long, help: "end, reinstate or hand-over.", completion: .list(["end", "reinstate", "hand-over"]))
  var verdict = "end"
  @Option(
    name: .long,
    help: ArgumentHelp(
      "An item of evidence and the file that holds it; its SHA-256 is signed.", valueName: "name=file"))
  var evidence: [String] = []
  @Option(name: .long, help: ArgumentHelp("Where an item of evidence can be read.", valueName: "name=url"))
  var place: [String] = []
  @Option(name: .long, help: "For how many days it can be counted.") var days = 30
  @Option(name: .long, help: "The host or fleet that it is for; licetd's own when left out.") var host: String?
  @Option(name: .long, help: "The sequence number; the next one when left out.") var sequence: UInt64?
  @Option(name: .long, help: ArgumentHelp("Where it goes.", valueName: "file")) var out: String?
  @OptionGroup var policy: PolicyOptions
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    try policy.exclude(bus)
    let rulings: [String: Ruling] = ["end": .end, "reinstate": .reinstate, "hand-over": .handOver]
    guard let ruling = rulings[verdict] else {
      throw CommandError(.badValue, "is end, reinstate or hand-over", at: "--verdict")
    }
    guard (1...3650).contains(days) else { throw CommandError(.badValue, "from 1 to 3650", at: "--days") }
    let key = try KeyFile.read(key)
    let facts = policy.isOffline ? try offline() : try PeriodFacts(bus.daemon(), period)
    let now = Int64(time(nil))
    let one = Determination(
      host: facts.host, period: period, verdict: ruling, definition: facts.definition, authorities: facts.authorities,
      sequence: sequence ?? facts.sequence, issued: now, validUntil: now + Int64(days) * 86_400,
      evidence: try items(facts), authority: try signer(facts, key))
    guard let signature = try? key.signature(for: one.message),
      let signed = SignedDetermination(SignedDetermination(one, signature: Array(signature)).bytes)
    else {
      throw CommandError(
        .tooLong, "this can't be signed: names have at most 64 printable characters, places 2048", at: period)
    }
    let path = out ?? "\(period)-\(one.authority)-\(one.sequence).det"
    try Files.write(signed.bytes, to: path)
    if format.json {
      Output.line(DeterminationText.json(signed, file: path).pretty)
    } else {
      Output.line(
        "\(path) is signed:\n\(DeterminationText.lines(one))\n`licet period submit \(path)` hands it to licetd")
    }
    return 0
  }

  private func offline() throws(CommandError) -> PeriodFacts {
    guard let host, let sequence else {
      throw CommandError(
        .badValue, "without a daemon, say for whom and which number: --host and --sequence", at: "--policy")
    }
    let platform = try policy.source().requirePolicy().platform
    guard let found = platform.periodDefinitions.first(where: { $0.name == period }) else {
      throw CommandError(.unknownPeriod, "the platform declares no period `\(harmless(period))`", at: period)
    }
    return PeriodFacts(found, host: host, sequence: sequence)
  }

  private func items(_ facts: PeriodFacts) throws(CommandError) -> [Evidence] {
    var items: [Evidence] = []
    for (name, path) in try pairs(evidence, "--evidence") {
      guard !items.contains(where: { $0.name == name }) else {
        throw CommandError(.badValue, "is given twice", at: "--evidence \(harmless(name))")
      }
      items.append(Evidence(name: name, digest: sha256(try Files.read(path)), place: ""))
    }
    for (name, url) in try pairs(place, "--place") {
      guard let index = items.firstIndex(where: { $0.name == name }) else {
        throw CommandError(.badValue, "there is no such item of evidence", at: "--place \(harmless(name))")
      }
      items[index].place = url
    }
    let missing = verdict == "end" ? facts.evidence.filter { name in !items.contains { $0.name == name } } : []
    guard missing.isEmpty else {
      throw CommandError(
        .badValue, "the period asks for more evidence: \(missing.joined(separator: ", "))", at: "--evidence",
        hint: "give each as --evidence NAME=FILE; a determination counts with all of it or not at all")
    }
    return items
  }

  private func pairs(_ texts: [String], _ flag: String) throws(CommandError) -> [(String, String)] {
    var pairs: [(String, String)] = []
    for text in texts {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw CommandError(.badValue, "is written NAME=…", at: "\(flag) \(harmless(text))")
      }
      pairs.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
    }
    return pairs
  }

  private func signer(_ facts: PeriodFacts, _ key: Curve25519.Signing.PrivateKey) throws(CommandError) -> String {
    if let name { return name }
    if let found = facts.keys.first(where: { $0.value == Array(key.publicKey.rawRepresentation) }) { return found.key }
    throw CommandError(.badValue, "say whose key it is: --as NAME", at: "--as")
  }
}

/// What a determination about a period has to say.
struct PeriodFacts {
  var host: String
  var definition: System.Digest
  var authorities: System.Digest
  var sequence: UInt64
  var evidence: [String]
  /// By authority; empty where they are not told.
  var keys: [String: [UInt8]] = [:]

  init(_ period: PeriodDefinition, host: String, sequence: UInt64) {
    (self.host, self.sequence, evidence) = (host, sequence, period.evidence)
    (definition, authorities) = (period.digest, period.authoritiesDigest)
    for one in period.deciders.authorities { keys[one.name] = one.key }
  }

  init(_ daemon: Daemon, _ period: String) throws(CommandError) {
    let told = try daemon.call(.periods, "Show") { $0.append(period) }.first ?? .null
    guard let host = told["host"]?.text, let definition = told["definition"]?.text.flatMap(System.Digest.init(hex:)),
      let authorities = told["authorities-digest"]?.text.flatMap(System.Digest.init(hex:)),
      let sequence = told["next-sequence"]?.number.flatMap({ UInt64(exactly: $0) })
    else { throw CommandError(.badReply, "the daemon's answer lacks something", at: "Show") }
    (self.host, self.definition, self.authorities, self.sequence) = (host, definition, authorities, sequence)
    evidence = told["evidence"]?.texts ?? []
  }
}

struct Submit: LicetCommand {
  static let configuration = CommandConfiguration(abstract: "Hand determinations to licetd.")

  @Argument(help: "Files that `sign` made.", completion: .file()) var files: [String]
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let daemon = try bus.daemon()
    for path in files {
      let bytes = try Files.read(path)
      let reply = try daemon.call(.periods, "Submit") { writer in
        writer.array("y") { list in for byte in bytes { list.append(byte: byte) } }
      }
      let outcome = reply.first?.text ?? ""
      if format.json {
        Output.line(
          JSON.fields([
            "file": .string(path), "outcome": .string(outcome), "held": reply.count > 1 ? reply[1] : nil,
            "quorum": reply.count > 2 ? reply[2] : nil,
          ]).compact)
      } else {
        Output.line("\(path): \(sentence(outcome, reply))")
      }
    }
    return 0
  }

  private func sentence(_ outcome: String, _ reply: [JSON]) -> String {
    switch outcome {
    case "ended": "the quorum agrees: the period has ended"
    case "reinstated": "the period runs again"
    case "handed-over": "the quorum agrees: the new authorities decide from now on"
    default: "held, \(reply[1].number ?? 0) of the \(reply[2].number ?? 0) that it takes"
    }
  }
}

struct Show: LicetCommand {
  static let configuration = CommandConfiguration(abstract: "Say which periods run, and who can end them on what.")

  @Argument(help: "One period; all when left out.") var period: String?
  @OptionGroup var bus: AddressOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let daemon = try bus.daemon()
    let periods: [JSON]
    if let period {
      periods = [try daemon.call(.periods, "Show") { $0.append(period) }.first ?? .null]
    } else {
      periods = try daemon.call(.periods, "List").first?.items ?? []
    }
    if format.json {
      Output.line((period == nil ? JSON.array(periods) : periods[0]).pretty)
    } else {
      Output.line(periods.isEmpty ? "the platform declares no periods" : periods.map(page).joined(separator: "\n\n"))
    }
    return 0
  }

  private func page(_ one: JSON) -> String {
    let style = Style.detected()
    func line(_ name: String, _ value: String) -> String {
      "  \(style.paint(name, .dim))" + String(repeating: " ", count: max(1, 14 - name.count)) + value
    }
    func list(_ key: String) -> String { (one[key]?.texts ?? []).joined(separator: ", ") }
    let isEnded = one["ended"]?.isTrue ?? false
    let since = one["since"]?.number.map { " since \(text(of: $0))" } ?? ""
    var lines = [
      "\(style.paint(one["name"]?.text ?? "", .bold))  \(isEnded ? "has ended" + since : "runs")",
      line("decided by", "\(one["quorum"]?.number ?? 0) of \(list("authorities"))"), line("evidence", list("evidence")),
      line("review by", one["review-by"]?.number.map { "\(Day(number: Int($0 / 86_400)))" } ?? ""),
    ]
    if one["overdue"]?.isTrue == true { lines.append(line("", style.paint("nobody has looked in time", .yellow))) }
    if one["damaged"]?.isTrue == true { lines.append(line("", style.paint("its state can't be read", .red))) }
    if let quorum = one["hand-over-quorum"]?.number {
      lines.append(line("first", "\(quorum) of \(list("hand-over-by")) have to hand over to these authorities"))
    }
    let pending = list("pending")
    if !pending.isEmpty { lines.append(line("held of", pending)) }
    lines.append(line("sequence", "\(one["next-sequence"]?.number ?? 0) is the next"))
    lines.append(line("for", one["host"]?.text ?? ""))
    return lines.joined(separator: "\n")
  }
}

struct Verify: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what a determination says, and whether its signature is good.",
    discussion: "By the keys of a policy folder or image (--policy, --image), or by one key (--key ed25519:…).")

  @Argument(help: "A file that `sign` made.", completion: .file()) var file: String
  @Option(name: .long, help: ArgumentHelp("The authority's public key.", valueName: "ed25519:base64")) var key: String?
  @OptionGroup var policy: PolicyOptions
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    guard let signed = SignedDetermination(try Files.read(file)) else {
      throw CommandError(.badDocument, "is no determination", at: file)
    }
    let one = signed.determination
    let raw = try publicKey(one)
    let isGood = signed.isSigned(by: raw)
    if format.json {
      Output.line(DeterminationText.json(signed, file: file, isGood: isGood).pretty)
    } else {
      Output.line(
        "\(file): the signature is \(isGood ? "\(one.authority)'s" : "forged")\n\(DeterminationText.lines(one))")
    }
    return isGood ? 0 : Exit.data.rawValue
  }

  private func publicKey(_ one: Determination) throws(CommandError) -> [UInt8] {
    if let key {
      guard key.hasPrefix("ed25519:"), let raw = PolicyImage.Base64.decode(String(key.dropFirst(8))), raw.count == 32
      else { throw CommandError(.badValue, "is no public key", at: "--key", hint: "`licet period keygen` prints one") }
      return raw
    }
    let platform = try policy.source().requirePolicy().platform
    guard let period = platform.periodDefinitions.first(where: { $0.name == one.period }) else {
      throw CommandError(.unknownPeriod, "the platform declares no period `\(one.period)`", at: file)
    }
    guard let raw = period.deciders.key(of: one.authority) else {
      throw CommandError(.badValue, "`\(one.authority)` doesn't decide about `\(one.period)`", at: file)
    }
    return raw
  }
}

/// A determination in words. Its texts are printable ASCII.
private enum DeterminationText {
  private static func word(_ ruling: Ruling) -> String {
    switch ruling {
    case .end: "end"
    case .reinstate: "reinstate"
    case .handOver: "hand-over"
    }
  }

  static func lines(_ one: Determination) -> String {
    let what =
      switch one.verdict {
      case .end: "has ended"
      case .reinstate: "runs again"
      case .handOver: "is decided by the authorities that the policy names now"
      }
    let evidence = one.evidence.map {
      "  evidence  \($0.name)  sha256:\($0.digest.hex)" + ($0.place.isEmpty ? "" : "  \($0.place)")
    }
    return
      (["  \(one.authority) says that \(one.period) \(what), for \(one.host)"] + evidence + [
        "  number    \(one.sequence)", "  valid     \(text(of: one.issued)) to \(text(of: one.validUntil))",
        "  period    sha256:\(one.definition.hex)", "  decided   sha256:\(one.authorities.hex)",
      ]).joined(separator: "\n")
  }

  static func json(_ signed: SignedDetermination, file: String, isGood: Bool? = nil) -> JSON {
    let one = signed.determination
    return .fields([
      "file": .string(file), "good": isGood.map(JSON.bool), "verdict": .string(word(one.verdict)),
      "period": .string(one.period), "authority": .string(one.authority), "host": .string(one.host),
      "sequence": .uint(one.sequence), "issued": .string(text(of: one.issued)),
      "valid_until": .string(text(of: one.validUntil)), "definition": .string(one.definition.hex),
      "authorities": .string(one.authorities.hex),
      "evidence": .array(
        one.evidence.map {
          .fields([
            "name": .string($0.name), "sha256": .string($0.digest.hex),
            "place": $0.place.isEmpty ? nil : .string($0.place),
          ])
        }),
    ])
  }
}
