// What is served is what dbus/org.licet.Licet1.xml says, to the last argument's name.

import Bus
import Foundation
import FoundationXML
import Testing

/// Interfaces, members, arguments, annotations: a line each.
private final class Described: NSObject, XMLParserDelegate {
  private(set) var lines: Set<String> = []
  private var way: [String] = []
  private var positions: [Int] = []

  init(_ xml: Data) throws {
    super.init()
    let parser = XMLParser(data: xml)
    parser.delegate = self
    guard parser.parse() else { throw parser.parserError ?? CocoaError(.coderInvalidValue) }
  }

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String] = [:]
  ) {
    var facts = attributes
    if element == "node" { facts = [:] }
    var line = "\(element) " + facts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    // Arguments have an order.
    if element == "arg" {
      line += " #\(positions[positions.count - 1])"
      positions[positions.count - 1] += 1
    }
    way.append(line)
    positions.append(0)
    lines.insert(way.joined(separator: " / "))
  }

  func parser(_ parser: XMLParser, didEndElement: String, namespaceURI: String?, qualifiedName: String?) {
    way.removeLast()
    positions.removeLast()
  }

  var names: Set<String> {
    Set(
      lines.compactMap { line in
        let words = line.components(separatedBy: " / ")
        return words.count == 2 && words[1].hasPrefix("interface name=") ? String(words[1].dropFirst(15)) : nil
      })
  }

  func interface(_ name: String) -> Set<String> { lines.filter { $0.contains("interface name=\(name)") } }
}

@Suite struct IntrospectionTests {
  @Test func isWhatIsInstalled() throws {
    do {
      let rig = try Rig()
      func served(_ path: String) throws -> Described {
        let call = Message(
          call: "Introspect", of: "org.freedesktop.DBus.Introspectable", at: path, to: "org.licet.Licet1")
        var reader = try rig.client().call(call, timeoutNanoseconds: 20_000_000_000).reader
        return try Described(Data(try reader.nextSwiftString().utf8))
      }
      let main = try served("/org/licet/Licet1")
      // All sessions have the same, those that there are not as well.
      let session = try served("/org/licet/Licet1/session/" + String(repeating: "0", count: 32))
      let file = packageRoot.appendingPathComponent("dbus/org.licet.Licet1.xml")
      let installed = try Described(try Data(contentsOf: file))
      for name in [Rig.authority, Rig.admin, "org.licet.Licet1.Periods"] {
        #expect(main.interface(name) == installed.interface(name))
        #expect(main.interface(name).count > 10)
      }
      let manager = "org.freedesktop.DBus.ObjectManager"
      #expect(main.interface(manager) == installed.interface(manager) && !main.interface(manager).isEmpty)
      let name = "org.licet.Licet1.Session"
      #expect(session.interface(name) == installed.interface(name) && session.interface(name).count > 40)
      #expect(main.interface(name).isEmpty)
      // Each interface that is served can be reached on the system bus.
      let policy = try String(
        contentsOf: packageRoot.appendingPathComponent("systemd/org.licet.Licet1.conf"), encoding: .utf8)
      for interface in main.names.union(session.names) {
        #expect(policy.contains("send_interface=\"\(interface)\""), "\(interface)")
      }
      for name in ["Properties", "Introspectable", "Peer"] {
        #expect(!main.interface("org.freedesktop.DBus.\(name)").isEmpty)
      }
    }
  }
}
