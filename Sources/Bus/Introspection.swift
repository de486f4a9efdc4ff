// Interface -> introspection XML, as the D-Bus specification writes it.

/// An object's introspection data.
func introspection(path: String?, interfaces: [Interface], children: [String]) -> String {
  var xml = XML()
  xml.element("node", path.map { [("name", $0)] } ?? []) { xml in
    for interface in interfaces { xml.append(interface) }
    for child in children { xml.element("node", [("name", child)]) }
  }
  return """
    <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
      "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">

    """ + xml.text
}

private struct XML {
  var text = ""
  var indent = ""

  mutating func element(_ name: String, _ attributes: [(String, String)], _ body: (inout XML) -> Void = { _ in }) {
    let opening = "\(indent)<\(name)" + attributes.map { " \($0.0)=\"\(escape($0.1))\"" }.joined()
    var inner = XML(indent: indent + "  ")
    body(&inner)
    text += inner.text.isEmpty ? "\(opening)/>\n" : "\(opening)>\n\(inner.text)\(indent)</\(name)>\n"
  }

  private func escape(_ text: String) -> String {
    text.reduce(into: "") { escaped, character in
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case "\"": escaped += "&quot;"
      default: escaped.append(character)
      }
    }
  }

  mutating func append(_ interface: Interface) {
    element("interface", [("name", interface.name)]) { xml in
      for method in interface.methods { xml.append(method) }
      for property in interface.properties { xml.append(property) }
      for signal in interface.signals {
        xml.element("signal", [("name", signal.name)]) { $0.append(signal.arguments, nil) }
      }
      xml.append(interface.annotations)
    }
  }

  private mutating func append(_ method: Interface.Method) {
    element("method", [("name", method.name)]) { xml in
      xml.append(method.input, "in")
      xml.append(method.output, "out")
      xml.append(method.annotations)
    }
  }

  private mutating func append(_ property: Interface.Property) {
    let access = property.write == nil ? "read" : "readwrite"
    element("property", [("name", property.name), ("type", property.signature), ("access", access)]) { xml in
      if property.emits != .value {
        xml.append([
          Interface.Annotation("org.freedesktop.DBus.Property.EmitsChangedSignal", property.emits.rawValue)
        ])
      }
      xml.append(property.annotations)
    }
  }

  private mutating func append(_ arguments: [Interface.Argument], _ direction: String?) {
    for argument in arguments {
      let attributes = [("name", argument.name), ("type", argument.signature)]
      element("arg", attributes + (direction.map { [("direction", $0)] } ?? []))
    }
  }

  private mutating func append(_ annotations: [Interface.Annotation]) {
    for annotation in annotations { element("annotation", [("name", annotation.name), ("value", annotation.value)]) }
  }
}
