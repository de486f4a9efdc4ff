// The table of objects: introspection, the standard errors, properties, the gate, limits.

@testable import Bus
import System
import TestKit
import Testing

@Suite struct TableTests {
  @Test func introspectionIsDerived() throws {
    let sample = try Sample()
    var reader = try sample.call("Introspect", of: "org.freedesktop.DBus.Introspectable").reader
    #expect(try reader.nextSwiftString() == golden)
    var parent = try sample.call("Introspect", of: nil, at: "/org").reader
    let xml = try parent.nextSwiftString()
    #expect(xml.contains("<node name=\"/org\">") && xml.contains("<node name=\"example\"/>"))
    #expect(!xml.contains("org.freedesktop.DBus.Properties"))
  }

  @Test(arguments: [
    (
      "busctl",
      [
        "--address=ADDRESS", "call", "org.example.Sample", "/org/example/Sample", "org.example.Sample", "Echo", "s",
        "x y",
      ], "s \"x y\""
    ),
    ("busctl", ["--address=ADDRESS", "introspect", "org.example.Sample", "/org/example/Sample"], ".Level"),
    ("busctl", ["--address=ADDRESS", "tree", "org.example.Sample"], "/org/example/Sample/Child"),
    (
      "busctl",
      [
        "--address=ADDRESS", "get-property", "org.example.Sample", "/org/example/Sample", "org.example.Sample", "Count",
      ], "u 7"
    ),
    (
      "gdbus",
      [
        "call", "--address", "ADDRESS", "-d", "org.example.Sample", "-o", "/org/example/Sample", "-m",
        "org.example.Sample.Sum", "[1, 2, 3]",
      ], "(uint64 6,)"
    ),
    (
      "gdbus", ["introspect", "--address", "ADDRESS", "-d", "org.example.Sample", "-o", "/org/example/Sample"],
      "Changed(t generation);"
    ),
    (
      "dbus-send",
      [
        "--bus=ADDRESS", "--print-reply", "--dest=org.example.Sample", "/org/example/Sample", "org.example.Sample.Echo",
        "string:x y",
      ], "string \"x y\""
    ),
    (
      "dbus-send",
      ["--bus=ADDRESS", "--print-reply", "--dest=org.example.Sample", "/any/where", "org.freedesktop.DBus.Peer.Ping"],
      "method return"
    ),
  ])
  func othersCall(program: String, arguments: [String], expected: String) throws {
    let sample = try Sample()
    let address = sample.bus.addressText
    let (output, status) = try sample.run(
      program, arguments.map { $0.replacing("ADDRESS", with: address) })
    #expect(status == 0, "\(output)")
    #expect(output.contains(expected), "\(output)")
  }

  @Test func standardErrors() throws {
    let sample = try Sample()
    let properties = "org.freedesktop.DBus.Properties"
    func error(_ reply: Message) -> String? { reply.errorName }
    #expect(error(try sample.call("Echo", at: "/none")) == ErrorName.unknownObject)
    #expect(error(try sample.call("Echo", of: "org.example.None")) == ErrorName.unknownInterface)
    #expect(error(try sample.call("None")) == ErrorName.unknownMethod)
    #expect(error(try sample.call("None", of: nil)) == ErrorName.unknownMethod)
    let wrong = try sample.call("Echo") { $0.append(UInt32(1)) }
    #expect(wrong.errorName == ErrorName.invalidArgs)
    #expect(wrong.errorText.contains("(s)") && wrong.errorText.contains("(u)"))
    func get(_ interface: String, _ name: String) throws -> Message {
      try sample.call("Get", of: properties) {
        $0.append(interface); $0.append(name)
      }
    }
    #expect(error(try get("org.example.None", "Count")) == ErrorName.unknownInterface)
    #expect(error(try get(Sample.name, "None")) == ErrorName.unknownProperty)
    #expect(error(try get(Sample.name, "Secret")) == ErrorName.accessDenied)
    func set(_ name: String, _ write: (inout MessageWriter) -> Void) throws -> Message {
      try sample.call("Set", of: properties) {
        $0.append(Sample.name); $0.append(name); write(&$0)
      }
    }
    #expect(error(try set("Count") { $0.variant("u") { $0.append(UInt32(1)) } }) == ErrorName.propertyReadOnly)
    #expect(error(try set("Level") { $0.variant("u") { $0.append(UInt32(1)) } }) == ErrorName.invalidArgs)
    #expect(error(try set("Level") { $0.variant("s") { $0.append("debug") } }) == nil)
    #expect(sample.level == "debug")
    #expect(error(try sample.call("Drop")) == ErrorName.failed)
    #expect(error(try sample.call("Echo", of: nil) { $0.append("x") }) == nil)
    var id = try sample.call("GetMachineId", of: "org.freedesktop.DBus.Peer", at: "/none").reader
    #expect(try id.nextSwiftString().utf8.count == 32)
  }

  @Test func propertiesAreAsTheCallerMaySeeThem() throws {
    let sample = try Sample()
    func all() throws -> [String: String] {
      let reply = try sample.call("GetAll", of: "org.freedesktop.DBus.Properties") { $0.append(Sample.name) }
      var reader = reply.reader
      var entries = try reader.nextArray(of: .entry)
      var found: [String: String] = [:]
      while !entries.atEnd {
        var entry = try entries.nextEntry()
        let key = try entry.nextSwiftString()
        var value = try entry.nextVariant()
        found[key] = value.type == .string ? try value.nextSwiftString() : value.signature
      }
      return found
    }
    let name = try #require(sample.client.uniqueName)
    #expect(try all() == ["Version": "1", "Caller": name, "Count": "u", "Level": "info"])
    let loop = sample.loop
    sample.table.admit = { call, go in
      call.context = Trusted()
      loop.soon(go)
    }
    #expect(try all()["Secret"] == "hidden")
  }

  @Test func objectsComeAndGo() throws {
    let sample = try Sample()
    let root = "/org/example/Sample/item"
    func touch(_ name: String) throws -> String? {
      try sample.call("Touch", of: "org.example.Item", at: "\(root)/\(name)").errorName
    }
    func seen(_ path: String) throws -> String {
      var reader = try sample.call("Introspect", of: nil, at: path).reader
      return try reader.nextSwiftString()
    }
    #expect(try touch("aa") == "org.example.NoItem")
    sample.items = ["aa", "bb"]
    #expect(try touch("aa") == nil)
    #expect(try touch("aaa") == ErrorName.unknownObject)
    #expect(try touch("aa/b") == ErrorName.unknownObject)
    #expect(try sample.call("Stroke", of: "org.example.Item", at: "\(root)/aa").errorName == ErrorName.unknownMethod)
    #expect(try seen(root).contains("<node name=\"bb\"/>"))
    #expect(try seen(Sample.path).contains("<node name=\"item\"/>"))
    #expect(try seen("\(root)/aa").contains("org.example.Item"))
    sample.items = []
    #expect(try touch("aa") == "org.example.NoItem")
    #expect(try !seen(root).contains("<node name=\"bb\"/>"))
    // Who may not pass the gate learns of none.
    sample.items = ["aa"]
    sample.table.admit = { call, _ in call.fail(ErrorName.accessDenied, "no") }
    #expect(try touch("aa") == ErrorName.accessDenied)
    #expect(try sample.call("Introspect", of: nil, at: root).errorName == ErrorName.accessDenied)
  }

  @Test func theGateComesFirst() throws {
    let sample = try Sample()
    sample.table.admit = { call, _ in call.fail(ErrorName.accessDenied, "no") }
    #expect(try sample.call("Echo") { $0.append("x") }.errorName == ErrorName.accessDenied)
    #expect(try sample.call("GetAll", of: nil) { $0.append("") }.errorName == ErrorName.accessDenied)
    #expect(try !sample.call("Introspect", of: nil).isError)
    #expect(sample.handled == 0)
    // A gate that forgets a call doesn't leave the caller waiting.
    sample.table.admit = { _, _ in }
    #expect(try sample.call("Echo") { $0.append("x") }.errorName == ErrorName.failed)
    #expect(sample.table.heldBytes == 0)
  }

  @Test func sizesAreBounded() throws {
    let sample = try Sample()
    var disconnects = 0
    sample.client.onDisconnect = { disconnects += 1 }
    let whole = try sample.call("Echo") { $0.append(String(repeating: "a", count: 1 << 20)) }
    #expect(whole.bodyLength > 1 << 20)
    let long = String(repeating: "a", count: 2 << 20)
    #expect(try sample.call("Echo") { $0.append(long) }.errorName == ErrorName.limitsExceeded)
    #expect(try !sample.call("Large") { $0.append(UInt32(8 << 20)) }.isError)
    #expect(try sample.call("Large") { $0.append(UInt32(20 << 20)) }.errorName == ErrorName.limitsExceeded)
    #expect(disconnects == 0 && sample.server.isOpen)
    // Longer than the bus takes: it ends the sender, and nobody else.
    let endless = String(repeating: "a", count: 40 << 20)
    #expect(try sample.call("Echo") { $0.append(endless) }.errorName == ErrorName.disconnected)
    #expect(disconnects == 1 && sample.server.isOpen)
  }

  @Test func callsThatWaitAreBounded() throws {
    var limits = ObjectTable.Limits()
    limits.held = 0
    limits.errorName = "org.example.Error.TooMuch"
    let sample = try Sample(limits: limits)
    #expect(try sample.call("Echo") { $0.append("x") }.errorName == "org.example.Error.TooMuch")
    #expect(try !sample.call("Introspect", of: nil).isError)
  }

  @Test func noReplyMeansNone() throws {
    let sample = try Sample()
    // Below Connection, which would drop a reply that nobody waits for.
    var answered: [UInt32] = []
    let link = try Link(sample.bus.address, loop: sample.loop) { _, message in
      if message.replySerial != 0 { answered.append(message.replySerial) }
    }
    defer { link.close() }
    let hello = try #require(link.send(sample.client.busCall("Hello")))
    for member in ["Echo", "None", "Drop"] {
      let message = Message(call: member, of: Sample.name, at: Sample.path, to: Sample.name)
      if member == "Echo" { message.write { $0.append("x") } }
      message.expectsReply = false
      link.send(message)
    }
    let last = Message(call: "Introspect", of: nil, at: Sample.path, to: Sample.name)
    let serial = try #require(link.send(last))
    try sample.wait { answered.contains(serial) }
    #expect(answered == [hello, serial])
    #expect(sample.handled == 1)
  }

  @Test func changesAreAnnounced() throws {
    let sample = try Sample()
    var seen: [Message] = []
    sample.client.onMessage = { seen.append($0) }
    sample.client.addMatch("type='signal',interface='org.freedesktop.DBus.Properties'") { _ in }
    _ = try sample.call("Introspect", of: nil)
    sample.server.send(sample.table.changed("Count", of: Sample.name, at: Sample.path) { $0.append(UInt32(8)) })
    sample.server.send(sample.table.changed("Level", of: Sample.name, at: Sample.path) { _ in })
    try sample.wait { seen.count == 2 }
    var value = seen[0].reader
    value.skip()
    var entries = try value.nextArray(of: .entry)
    var entry = try entries.nextEntry()
    #expect(try entry.nextSwiftString() == "Count")
    var inner = try entry.nextVariant()
    #expect(try inner.nextUInt32() == 8)
    var invalid = seen[1].reader
    invalid.skip()
    invalid.skip()
    var names = try invalid.nextArray(of: .string)
    #expect(try names.nextSwiftString() == "Level")
  }
}

private let golden = """
  <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
    "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
  <node name="/org/example/Sample">
    <interface name="org.example.Sample">
      <method name="Echo">
        <arg name="text" type="s" direction="in"/>
        <arg name="text" type="s" direction="out"/>
      </method>
      <method name="Sum">
        <arg name="numbers" type="au" direction="in"/>
        <arg name="sum" type="t" direction="out"/>
      </method>
      <method name="Depth">
        <arg name="value" type="v" direction="in"/>
        <arg name="depth" type="u" direction="out"/>
      </method>
      <method name="Large">
        <arg name="bytes" type="u" direction="in"/>
        <arg name="text" type="ay" direction="out"/>
      </method>
      <method name="Later">
        <annotation name="org.example.Slow" value="&lt;&amp;&quot;>"/>
      </method>
      <method name="Drop"/>
      <property name="Version" type="s" access="read">
        <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/>
      </property>
      <property name="Caller" type="s" access="read">
        <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="false"/>
      </property>
      <property name="Secret" type="s" access="read">
        <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="false"/>
      </property>
      <property name="Count" type="u" access="read"/>
      <property name="Level" type="s" access="readwrite">
        <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="invalidates"/>
      </property>
      <signal name="Changed">
        <arg name="generation" type="t"/>
      </signal>
    </interface>
    <interface name="org.freedesktop.DBus.Properties">
      <method name="Get">
        <arg name="interface_name" type="s" direction="in"/>
        <arg name="property_name" type="s" direction="in"/>
        <arg name="value" type="v" direction="out"/>
      </method>
      <method name="GetAll">
        <arg name="interface_name" type="s" direction="in"/>
        <arg name="props" type="a{sv}" direction="out"/>
      </method>
      <method name="Set">
        <arg name="interface_name" type="s" direction="in"/>
        <arg name="property_name" type="s" direction="in"/>
        <arg name="value" type="v" direction="in"/>
      </method>
      <signal name="PropertiesChanged">
        <arg name="interface_name" type="s"/>
        <arg name="changed_properties" type="a{sv}"/>
        <arg name="invalidated_properties" type="as"/>
      </signal>
    </interface>
    <interface name="org.freedesktop.DBus.Introspectable">
      <method name="Introspect">
        <arg name="xml_data" type="s" direction="out"/>
      </method>
    </interface>
    <interface name="org.freedesktop.DBus.Peer">
      <method name="Ping"/>
      <method name="GetMachineId">
        <arg name="machine_uuid" type="s" direction="out"/>
      </method>
    </interface>
    <node name="Child"/>
    <node name="item"/>
  </node>

  """
