// What an object offers, declared once: the table dispatches by it and the introspection XML is derived from it.

internal import CDBus

/// A D-Bus interface. Names and signatures must be valid: a programmer's error traps.
public struct Interface {
  public let name: String
  public var methods: [Method]
  public var properties: [Property]
  public var signals: [Signal]
  public var annotations: [Annotation]
  /// Whether the gate is asked before a handler of this interface runs.
  public var isGated = true

  public init(
    _ name: String, methods: [Method] = [], properties: [Property] = [], signals: [Signal] = [],
    annotations: KeyValuePairs<String, String> = [:]
  ) {
    precondition(dbus_validate_interface(name, nil) != 0, name)
    self.name = name
    self.methods = methods
    self.properties = properties
    self.signals = signals
    self.annotations = annotations.map(Annotation.init)
  }

  public struct Argument: Hashable, Sendable {
    public let name: String
    public let signature: String

    init(_ name: String, _ signature: String) {
      precondition(dbus_signature_validate_single(signature, nil) != 0, "\(name): \(signature)")
      self.name = name
      self.signature = signature
    }
  }

  public struct Annotation: Hashable, Sendable {
    public let name: String
    public let value: String

    init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// A method; arguments are written `["operator": "s", "behaviors": "as"]`.
  public struct Method {
    public let name: String
    public let input: [Argument]
    public let output: [Argument]
    public let annotations: [Annotation]
    let inputSignature: String
    let outputSignature: String
    let takesDescriptors: Bool
    let handler: (Call) -> Void

    /// The handler answers now or keeps the call and answers later.
    public init(
      _ name: String, in input: KeyValuePairs<String, String> = [:], out output: KeyValuePairs<String, String> = [:],
      annotations: KeyValuePairs<String, String> = [:], handler: @escaping (Call) -> Void
    ) {
      precondition(dbus_validate_member(name, nil) != 0, name)
      self.name = name
      self.input = input.map(Argument.init)
      self.output = output.map(Argument.init)
      self.annotations = annotations.map(Annotation.init)
      self.handler = handler
      inputSignature = self.input.map(\.signature).joined()
      outputSignature = self.output.map(\.signature).joined()
      takesDescriptors = inputSignature.utf8.contains(WireType.descriptor.rawValue)
    }
  }

  public struct Property {
    /// What PropertiesChanged says when the value changes (org.freedesktop.DBus.Property.EmitsChangedSignal).
    public enum Emits: String, Sendable {
      case value = "true"
      case invalidation = "invalidates"
      case never = "false"
      /// It never changes.
      case constant = "const"
    }

    public let name: String
    public let signature: String
    public let emits: Emits
    public let annotations: [Annotation]
    let isVisible: ((Call) -> Bool)?
    let read: (Call, inout MessageWriter) -> Void
    let write: ((Call, inout MessageReader) -> Void)?

    /// - Parameters:
    ///   - isVisible: whether this caller may see it; else GetAll leaves it out and Get says AccessDenied.
    ///   - read: appends one value of the signature, as this caller may see it.
    ///   - write: reads one value of the signature and answers the call with nothing or an error; without it the
    ///     property is read-only.
    public init(
      _ name: String, _ signature: String, emits: Emits = .value, annotations: KeyValuePairs<String, String> = [:],
      isVisible: ((Call) -> Bool)? = nil, read: @escaping (Call, inout MessageWriter) -> Void,
      write: ((Call, inout MessageReader) -> Void)? = nil
    ) {
      precondition(dbus_validate_member(name, nil) != 0, name)
      precondition(dbus_signature_validate_single(signature, nil) != 0, "\(name): \(signature)")
      self.name = name
      self.signature = signature
      self.emits = emits
      self.annotations = annotations.map(Annotation.init)
      self.isVisible = isVisible
      self.read = read
      self.write = write
    }
  }

  public struct Signal {
    public let name: String
    public let arguments: [Argument]

    public init(_ name: String, _ arguments: KeyValuePairs<String, String> = [:]) {
      precondition(dbus_validate_member(name, nil) != 0, name)
      self.name = name
      self.arguments = arguments.map(Argument.init)
    }
  }
}
