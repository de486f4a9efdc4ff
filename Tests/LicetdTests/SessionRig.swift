// Sessions of a test's licetd, as a client of the bus sees them.

import Bus
import Foundation
import TestKit
import Testing

extension Rig {
  static let session = "org.licet.Licet1.Session"

  /// What a{sv} of terms is made of.
  struct Terms {
    var user: [String: String] = [:]
    var preferences: [String: String] = [:]
    var caps: [String: String] = [:]
    var behaviors: [String]?
    var resources: [String] = []
    var dial: Double?
    var cost: Double?
    var lifetime: UInt64?
    /// Anything else.
    var more: (inout MessageWriter) -> Void = { _ in }

    func write(_ writer: inout MessageWriter) {
      writer.array("{sv}") { entries in
        if !user.isEmpty {
          entries.entry("user", "a{sv}") {
            $0.array("{sv}") { list in
              Self.each(user, &list) { key, value, entry in
                entry.append(key)
                entry.variant("s") { $0.append(value) }
              }
            }
          }
        }
        for (key, effects) in [("preferences" as StaticString, preferences), ("caps", caps)] where !effects.isEmpty {
          entries.entry(key, "a{ss}") {
            $0.array("{ss}") { list in
              Self.each(effects, &list) { key, value, entry in
                entry.append(key)
                entry.append(value)
              }
            }
          }
        }
        if let behaviors { entries.entry("behaviors", behaviors) }
        if !resources.isEmpty { entries.entry("resources", resources) }
        if let dial { entries.entry("dial", dial) }
        if let cost { entries.entry("cost", cost) }
        if let lifetime { entries.entry("lifetime-ms", lifetime) }
        more(&entries)
      }
    }

    private static func each(
      _ words: [String: String], _ list: inout MessageWriter, _ body: (String, String, inout MessageWriter) -> Void
    ) {
      for (key, value) in words {
        var entry = list.openEntry()
        body(key, value, &entry)
        list.close(&entry)
      }
    }
  }

  /// Its path; held by `bus`.
  func open(
    _ name: String = "keeper", on bus: BlockingBus, _ set: (inout Terms) -> Void = { _ in }
  ) throws -> String {
    var terms = Terms()
    set(&terms)
    let reply = try call(Rig.authority, "OpenSession", on: bus) {
      $0.append(name)
      terms.write(&$0)
    }
    var reader = reply.reader
    return String(decoding: try reader.nextObjectPath(), as: UTF8.self)
  }

  func delegate(_ path: String, on bus: BlockingBus, _ set: (inout Terms) -> Void = { _ in }) throws -> String {
    var terms = Terms()
    set(&terms)
    var reader = try call(session: path, "Delegate", on: bus) { terms.write(&$0) }.reader
    return String(decoding: try reader.nextObjectPath(), as: UTF8.self)
  }

  @discardableResult
  func call(
    session path: String, _ member: String, on bus: BlockingBus? = nil, interface: String = Rig.session,
    _ write: (inout MessageWriter) -> Void = { _ in }
  ) throws -> Message {
    let message = Message(call: member, of: interface, at: path, to: "org.licet.Licet1").with(write)
    return try (bus ?? client()).call(message, timeoutNanoseconds: 20_000_000_000)
  }

  /// "allow", or "deny (oversight: halt)".
  func check(
    session path: String, _ behaviors: String..., on bus: BlockingBus? = nil, method: String = "Check",
    _ request: (inout MessageWriter) -> Void = { _ in }
  ) throws -> String {
    var reader = try call(session: path, method, on: bus) {
      $0.append(behaviors)
      $0.array("{sv}", request)
    }.reader
    let effect = try reader.nextSwiftString()
    reader.skip()
    let details = try Rig.texts(&reader)
    return details["oversight"].map { "\(effect) (oversight: \($0))" } ?? effect
  }

  /// The texts of an a{sv}; other values as their signature.
  static func texts(_ reader: inout MessageReader) throws -> [String: String] {
    var found: [String: String] = [:]
    var entries = try reader.nextArray(of: .entry)
    while !entries.atEnd {
      var entry = try entries.nextEntry()
      let key = try entry.nextSwiftString()
      var value = try entry.nextVariant()
      switch value.type {
      case .string: found[key] = try value.nextSwiftString()
      case .objectPath: found[key] = String(decoding: try value.nextObjectPath(), as: UTF8.self)
      case .bool: found[key] = "\(try value.nextBool())"
      case .double: found[key] = "\(try value.nextDouble())"
      case .uint32: found[key] = "\(try value.nextUInt32())"
      case .int64: found[key] = "\(try value.nextInt64())"
      default: found[key] = value.signature
      }
    }
    return found
  }

  func properties(_ path: String, on bus: BlockingBus? = nil) throws -> [String: String] {
    var reader = try call(session: path, "GetAll", on: bus, interface: "org.freedesktop.DBus.Properties") {
      $0.append(Rig.session)
    }.reader
    return try Rig.texts(&reader)
  }

  /// Paths that GetManagedObjects tells of.
  func managed(on bus: BlockingBus? = nil) throws -> Set<String> {
    var reader = try call("org.freedesktop.DBus.ObjectManager", "GetManagedObjects", on: bus).reader
    var found: Set<String> = []
    var entries = try reader.nextArray(of: .entry)
    while !entries.atEnd {
      var entry = try entries.nextEntry()
      found.insert(String(decoding: try entry.nextObjectPath(), as: UTF8.self))
    }
    return found
  }
}
