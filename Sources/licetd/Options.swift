// The command line: a few flags, read by hand, because a parser of commands would bring Foundation into the daemon.

import Bus
import CompilerProtocol
import Glibc
import System

struct Options {
  enum Outcome {
    case run(Options)
    /// Text and exit code.
    case say(String, Int32)
  }

  var address = BusAddress.system
  var policy: [String] = []
  var state = "/var/lib/licet"
  var runtime = "/run/licetd"
  /// nil: the socket in the runtime folder if it is there, else the program beside this one.
  var compiler: String?
  /// For whom determinations about periods are, beside this host alone.
  var fleet: String?
  var level = Log.Level.info
  /// Calls a second of one user; nil: as CallerLimits has it.
  var rate: Double?

  static let help = """
    usage: licetd [--address system|session|ADDRESS] [--policy DIR]… [--state DIR] [--runtime DIR]
                  [--compiler PATH] [--fleet NAME] [--rate CALLS]
                  [--log-level err|warning|notice|info|debug] [--version] [--help]

    The authority on this host: decides over D-Bus by the policy folders, lowest first
    (/usr/lib/licet, /run/licet and /etc/licet without --policy).

      --address    the bus to serve on: system (default), session, or an address such as unix:path=/run/x/bus
      --policy     a policy folder; given several times, later ones override earlier ones
      --state      where generations, archived sources and stops are kept (/var/lib/licet)
      --runtime    where sockets are (/run/licetd)
      --compiler   licet-compiler's listening socket, or the program itself
      --fleet      what determinations about periods have to be for; this host alone without it
      --rate       calls a second that one user may make, from 1 to 1000000 (30000)
      --log-level  what is written to standard error (info)

    See licetd(8) and licet(1); the policy language is described in the reference.

    """

  static func parse(_ arguments: [String]) -> Outcome {
    var options = Options()
    var rest = arguments[...]
    while let flag = rest.popFirst() {
      if flag == "--help" || flag == "-h" { return .say(help, 0) }
      if flag == "--version" { return .say("licetd \(Product.version)\n", 0) }
      var name = flag
      var value: String?
      if let equals = flag.firstIndex(of: "="), flag.hasPrefix("--") {
        name = String(flag[..<equals])
        value = String(flag[flag.index(after: equals)...])
      }
      guard known.contains(name) else { return .say("licetd: \(flag) is no flag of it\n\n\(help)", 64) }
      guard let word = value ?? rest.popFirst(), !word.isEmpty else {
        return .say("licetd: \(name) needs a value; licetd --help says which\n", 64)
      }
      if let problem = options.set(name, word) { return .say("licetd: \(problem)\n", 64) }
    }
    return .run(options)
  }

  private static let known: Set<String> = [
    "--address", "--policy", "--state", "--runtime", "--compiler", "--fleet", "--rate", "--log-level",
  ]

  /// nil, or what is wrong.
  private mutating func set(_ name: String, _ value: String) -> String? {
    switch name {
    case "--address": address = BusAddress(parsing: value)
    case "--policy": policy.append(value)
    case "--state": state = Options.absolute(value)
    case "--runtime": runtime = Options.absolute(value)
    case "--compiler": compiler = value
    case "--fleet":
      guard value.utf8.count <= 64, value.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) else {
        return "--fleet is a name of at most 64 characters without spaces"
      }
      fleet = value
    case "--rate":
      guard let number = Int(value), (1...1_000_000).contains(number) else {
        return "--rate is a number of calls a second from 1 to 1000000, not \(value)"
      }
      rate = Double(number)
    default:
      guard let level = Log.Level(name: value) else {
        return "--log-level is one of \(Log.Level.allCases.map(\.name).joined(separator: ", ")), not \(value)"
      }
      self.level = level
    }
    return nil
  }

  /// From the folder that it was started in.
  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return "\(String(cString: folder))/\(path)"
  }

  var folders: [String] { policy.isEmpty ? ["/usr/lib/licet", "/run/licet", "/etc/licet"] : policy }

  /// Where the compiler is: a socket that a manager made, or a program.
  var compilerLocation: CompilerLocation {
    if let compiler { return Options.isSocket(compiler) ? .socket(compiler) : .spawn(compiler) }
    let socket = "\(runtime)/compiler.sock"
    if Options.isSocket(socket) { return .socket(socket) }
    let own = Process.ownPath() ?? "/usr/sbin/licetd"
    let folder = own[..<(own.lastIndex(of: "/") ?? own.startIndex)]
    for path in [
      "\(folder)/licet-compiler", "\(folder)/../lib/licet/licet-compiler", "\(folder)/../libexec/licet-compiler",
    ]
    where access(path, X_OK) == 0 {
      return .spawn(path)
    }
    return .spawn("\(folder)/licet-compiler")
  }

  private static func isSocket(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
  }
}

func say(_ text: String, toError: Bool) {
  let bytes = Array(text.utf8)
  _ = write(toError ? 2 : 1, bytes, bytes.count)
}
