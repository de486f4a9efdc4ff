// A request, written so that it can be asked again: as JSON (DESIGN §10), and as flags of `licet check`.

import Consultation
import Foundation
import Offline
import PolicyImage
import PolicyLanguage

struct RequestText {
  var request: Request
  var operatorName: String?
  /// Whether `now` is part of it.
  var readsTime: Bool
  /// By attribute, as the policy declares them.
  var types: [String: AttributeType]

  /// JSON has no number for what is not one: such a request can only be asked over the bus or by the library.
  var isAskable: Bool { request.attributes.values.allSatisfy(\.hasJSON) }

  var json: JSON {
    var roots: [String: [JSON.Member]] = [:]
    for (name, value) in request.attributes.sorted(by: { $0.key < $1.key }) {
      let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
      if parts.count == 2 { roots[parts[0], default: []].append(.init(key: parts[1], value: value.json)) }
    }
    return .fields([
      "operator": operatorName.map(JSON.string), "behavior": .string(request.behaviors.first ?? ""),
      "resource": request.resource.map(JSON.string),
      "source": request.source == .agent ? nil : .string(request.source.name),
      "user": roots["user"].map(JSON.object), "session": roots["session"].map(JSON.object),
      "request": roots["request"].map(JSON.object), "preference": request.preference.map { .string($0.name) },
      "argument": request.argument.map(JSON.string), "dial": request.dial.map { .double($0.value) },
      "counters": request.counters.isEmpty
        ? nil : .object(request.counters.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .int($0.value)) }),
      "suspicion": request.suspicion == 0 ? nil : .double(Double(request.suspicion) / 1000),
      "ended": request.ended.isEmpty ? nil : .strings(request.ended),
      "now": readsTime ? .string(timestampText(request.now.seconds, request.now.nanoseconds)) : nil,
    ])
  }

  /// After `licet check`.
  var flags: String {
    var words: [String] = []
    if let operatorName { words += ["--operator", operatorName] }
    for behavior in request.behaviors { words += ["--behavior", behavior] }
    if let resource = request.resource { words += ["--resource", resource] }
    if request.source != .agent { words += ["--source", request.source.name] }
    for (name, value) in request.attributes.sorted(by: { $0.key < $1.key }) {
      if let text = plain(value, types[name]) {
        words += ["--set", "\(name)=\(text)"]
      } else {
        words += ["--set-json", "\(name)=\(value.json.compact)"]
      }
    }
    if let preference = request.preference { words += ["--preference", preference.name] }
    if let dial = request.dial { words += ["--dial", "\(dial.value)"] }
    for (name, count) in request.counters.sorted(by: { $0.key < $1.key }) {
      words += ["--set-counter", "\(name)=\(count)"]
    }
    if request.suspicion != 0 { words += ["--suspicion", attempts(request.suspicion)] }
    for period in request.ended { words += ["--ended", period] }
    if let argument = request.argument { words += ["--argument", argument] }
    if readsTime { words += ["--now", timestampText(request.now.seconds, request.now.nanoseconds)] }
    return words.map(Self.quoted).joined(separator: " ")
  }

  /// A value as `--set` takes it; nil: only JSON tells what it is.
  private func plain(_ value: RequestValue, _ type: AttributeType?) -> String? {
    switch (value, type) {
    case (.string(let text), _): harmless(text) == text ? text : nil
    case (_, .dyn?), (_, nil): nil
    case (.bool, _), (.int, _), (.uint, _), (.double, _): value.json.compact
    case (.timestamp, _), (.duration, _), (.bytes, _): value.json.text
    default: nil
    }
  }

  static func quoted(_ word: String) -> String {
    let isPlain = word.utf8.allSatisfy {
      ($0 >= 0x30 && $0 <= 0x3A) || ($0 >= 0x40 && $0 <= 0x5A) || ($0 >= 0x61 && $0 <= 0x7A)
        || "-_=./,+%".utf8.contains($0)
    }
    return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
  }
}

/// RFC 3339 in UTC.
func timestampText(_ seconds: Int64, _ nanoseconds: Int32) -> String {
  var time = time_t(seconds)
  var parts = tm()
  gmtime_r(&time, &parts)
  func two(_ n: Int32) -> String { n < 10 ? "0\(n)" : "\(n)" }
  let year = String(parts.tm_year + 1900)
  let date =
    String(repeating: "0", count: max(0, 4 - year.count)) + year + "-" + two(parts.tm_mon + 1) + "-"
    + two(parts.tm_mday)
  return date + "T" + two(parts.tm_hour) + ":" + two(parts.tm_min) + ":" + two(parts.tm_sec) + fraction(nanoseconds)
    + "Z"
}

/// ".5", or nothing.
private func fraction(_ nanoseconds: Int32) -> String {
  guard nanoseconds != 0 else { return "" }
  var digits = String(abs(nanoseconds))
  digits = "." + String(repeating: "0", count: 9 - digits.count) + digits
  while digits.last == "0" { digits.removeLast() }
  return digits
}

extension RequestValue {
  /// As a request's JSON writes it, for an attribute of a declared type.
  var json: JSON {
    switch self {
    case .null: .null
    case .bool(let it): .bool(it)
    case .int(let it): .int(it)
    case .uint(let it): Int64(exactly: it).map(JSON.int) ?? .uint(it)
    case .double(let it): .double(it)
    case .string(let it): .string(it)
    case .bytes(let it): .string(Data(it).base64EncodedString())
    case .timestamp(let seconds, let nanoseconds): .string(timestampText(seconds, nanoseconds))
    case .duration(let seconds, let nanoseconds):
      .string((seconds < 0 || nanoseconds < 0 ? "-" : "") + "\(seconds.magnitude)\(fraction(nanoseconds))s")
    case .list(let elements): .array(elements.map(\.json))
    case .map(let entries): .object(entries.map { .init(key: $0.key.keyText, value: $0.value.json) })
    }
  }

  private var keyText: String {
    switch self {
    case .string(let it): it
    case .int(let it): String(it)
    case .uint(let it): String(it)
    case .bool(let it): String(it)
    default: ""
    }
  }

  fileprivate var hasJSON: Bool {
    switch self {
    case .double(let it): it.isFinite
    case .list(let elements): elements.allSatisfy(\.hasJSON)
    case .map(let entries): entries.allSatisfy { $0.value.hasJSON }
    default: true
    }
  }
}
