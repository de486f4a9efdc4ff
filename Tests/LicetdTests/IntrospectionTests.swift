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

  func interface(_ name: String) -> Set<String> { lines.filter { $0.contains("interface name=\(name)") } }
}

@Suite struct IntrospectionTests {
  @Test func isWhatIsInstalled() throws {
    do {
      let rig = try Rig()
      let reply = try rig.call("org.freedesktop.DBus.Introspectable", "Introspect")
      var reader = reply.reader
      let served = try Described(Data(try reader.nextSwiftString().utf8))
      let file = packageRoot.appendingPathComponent("dbus/org.licet.Licet1.xml")
      let installed = try Described(try Data(contentsOf: file))
      for name in [Rig.authority, Rig.admin, "org.licet.Licet1.Periods"] {
        #expect(served.interface(name) == installed.interface(name))
        #expect(served.interface(name).count > 10)
      }
      for name in ["Properties", "Introspectable", "Peer"] {
        #expect(!served.interface("org.freedesktop.DBus.\(name)").isEmpty)
      }
    }
  }
}
