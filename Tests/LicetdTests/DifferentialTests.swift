// The daemon and a folder give the same answer to the same question: effect, obligations, deciding statement, trace, way.

import Bus
import Consultation
import Foundation
import Oracle
import TestKit
import Testing

@Suite struct DifferentialTests {
  /// 8 generated policies, 150 requests each, through CheckMany with traces and, for some, Check and Explain.
  @Test(arguments: 0..<8) func answersAsAFolderDoes(_ seed: Int) throws {
    var random = SeededRandom(seed: UInt64(1_000 + seed))
    do {
      // What a daemon has counted is not told with a request: CounterTests have it count.
      let policy = GeneratedPolicy.generate(&random).uncounted
      let text = policy.operatorText.replacingOccurrences(
        of: "name: op\n", with: "name: op\nbind: [{user: \(ownName)}]\n")
      let rig = try Rig(platform: policy.platformText, operators: ["op": text])
      var lines: [String] = []
      for _ in 0..<150 { lines.append(line(policy.request(&random))) }
      let licet = program("licet")
      func answered(_ lines: [String], _ words: String...) throws -> [String] {
        let file = rig.scratch.root.appendingPathComponent("requests.jsonl")
        try (lines.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
        let run = try run([licet, "check", "--json", "--batch", file.path] + words)
        let found = answers(run.output)
        try #require(found.count == lines.count, "\(run.errors)")
        return found
      }
      let found = try answered(lines, "--address", rig.bus.addressText)
      // How suspect the operator had become by then is the daemon's to know, and a folder's to be told.
      let levels = found.map(suspicion)
      #expect(zip(levels.dropFirst(), levels).allSatisfy { $0 == 0 || $0 >= $1 }, "\(levels)")
      let expected = try answered(zip(lines, levels).map(with), "--policy", rig.scratch.policy)
      for (index, line) in lines.enumerated() {
        #expect(found[index] == expected[index], "\(line)\n\(policy.text)")
      }
      #expect(Set(expected.map { $0.prefix(20) }).count > 1)
    }
  }

  /// JSON has no bytes; D-Bus has.
  @Test func bytesAreRead() throws {
    do {
      let platform = Rig.platform.replacingOccurrences(of: "count: int,", with: "count: int, key: bytes,")
      let rule = "  - {allow: rig.read, when: 'request.key == b\"\\x01\\xff\"'}\n"
      let own = Rig.operatorFile("keeper", bind: "{user: \(ownName)}", rules: rule)
      let rig = try Rig(platform: platform, operators: ["keeper": own])
      let cases: [([UInt8], String)] = [([1, 255], "allow"), ([1], "deny"), ([], "deny"), ([1, 255, 0], "deny")]
      for (key, effect) in cases {
        let reply = try rig.call(Rig.authority, "Check") { writer in
          writer.append("keeper")
          writer.append(["rig.read"])
          writer.array("{sv}") { request in
            request.entry("request", "a{sv}") { variant in
              variant.array("{sv}") { attributes in
                attributes.entry("key", "ay") { value in key.withUnsafeBytes { value.append(bytes: $0) } }
              }
            }
          }
        }
        var reader = reply.reader
        #expect(try reader.nextSwiftString() == effect, "\(key)")
      }
    }
  }

  /// A line without its generation, which a folder has none of, with its keys in order.
  private func answers(_ output: String) -> [String] {
    output.split(separator: "\n").map { line in
      guard var object = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] else {
        return String(line)
      }
      object["generation"] = nil
      let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
      return String(decoding: data ?? Data(), as: UTF8.self)
    }
  }

  /// As the trace says; 0 where it doesn't matter.
  private func suspicion(_ answer: String) -> Double {
    let object = try? JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
    return (object?["trace"] as? [[String: Any]] ?? []).compactMap { $0["suspicion"] as? Double }.max() ?? 0
  }

  private func with(_ line: String, suspicion: Double) -> String {
    suspicion == 0 ? line : "{\"suspicion\": \(suspicion), " + line.dropFirst()
  }

  private func line(_ request: OracleRequest) -> String {
    var fields: [String: Any] = [
      "operator": "op", "behaviors": request.behaviors, "source": request.source.name,
    ]
    fields["resource"] = request.resource
    fields["argument"] = request.argument.map { $0.replacingOccurrences(of: "\u{0000}", with: "") }
    fields["preference"] = request.preference?.name
    for (name, value) in request.attributes {
      let parts = name.split(separator: ".").map(String.init)
      guard let content = plain(value) else { continue }
      var root = fields[parts[0]] as? [String: Any] ?? [:]
      root[parts[1]] = content
      fields[parts[0]] = root
    }
    let data = (try? JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys])) ?? Data()
    return String(decoding: data, as: UTF8.self)
  }

  /// nil: JSON has no such value.
  private func plain(_ value: OracleValue) -> Any? {
    switch value {
    case .bool(let it): it
    case .int(let it): it
    case .uint(let it): it
    case .double(let it): it.isFinite && it != it.rounded() ? it : nil
    case .string(let it): String(String.UnicodeScalarView(it))
    case .list(let it): listed(it)
    case .map(let it): mapped(it)
    default: nil
    }
  }

  private func listed(_ values: [OracleValue]) -> Any? {
    let all = values.compactMap(plain)
    return all.count == values.count ? all : nil
  }

  private func mapped(_ pairs: [OraclePair]) -> Any? {
    var all: [String: Any] = [:]
    for pair in pairs {
      guard case .string(let key) = pair.key, let value = plain(pair.value) else { return nil }
      all[String(String.UnicodeScalarView(key))] = value
    }
    return all
  }
}
