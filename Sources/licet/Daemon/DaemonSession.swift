// A session of the daemon's, by its id.

import Bus

struct DaemonSession {
  let daemon: Daemon
  /// 32 hexadecimal digits.
  let id: String

  var path: String { DaemonSession.root + id }
  static let root = Daemon.path + "/session/"

  init(_ daemon: Daemon, _ id: String) { (self.daemon, self.id) = (daemon, id) }

  /// From --session, or from the environment of what `licet session open` runs.
  static func id(_ flag: String?, environment: [String: String], at: String = "--session") throws(CommandError)
    -> String?
  {
    let isFlag = flag != nil
    guard let text = flag ?? environment[variable], isFlag || !text.isEmpty else { return nil }
    let isHexadecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    guard text.utf8.count == 32, isHexadecimal else {
      throw CommandError(
        .badValue, "`\(harmless(String(text.prefix(80))))` is no session's id", at: isFlag ? at : "$\(variable)",
        hint: "it has 32 hexadecimal digits; `licet session list` shows those that there are")
    }
    return text
  }

  static let variable = "LICET_SESSION"

  func call(
    _ member: String, _ write: (inout MessageWriter) -> Void = { _ in }
  ) throws(CommandError) -> [JSON] {
    try daemon.call(.session, member, at: path, write)
  }

  func properties() throws(CommandError) -> JSON {
    try daemon.call(.properties, "GetAll", at: path) { $0.append(Daemon.Interface.session.rawValue) }.first ?? .null
  }

  /// Opens one for an operator (empty: the caller's only one), or delegates one from `parent`; a plain text that was taken for
  /// something else than its attribute's type is sent once more as a text.
  static func open(
    _ daemon: Daemon, operator name: String, from parent: DaemonSession?, _ form: OpeningForm
  ) throws(CommandError) -> DaemonSession {
    var asText: Set<String> = []
    while true {
      do throws(CommandError) {
        let reply =
          if let parent {
            try parent.call("Delegate") { form.write(&$0, asText: asText) }
          } else {
            try daemon.call(.authority, "OpenSession") {
              $0.append(name)
              form.write(&$0, asText: asText)
            }
          }
        guard let path = reply.first?.text, path.hasPrefix(root) else {
          throw CommandError(.badReply, "the daemon's answer names no session", at: "licetd")
        }
        return DaemonSession(daemon, String(path.dropFirst(root.count)))
      } catch {
        guard let name = form.plain.subtracting(asText).first(where: { error.isWrongType(of: $0) }) else { throw error }
        asText.insert(name)
      }
    }
  }
}
