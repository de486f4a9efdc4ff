// Who asks, by the bus's or the kernel's own word, and for which operators that identity speaks (DESIGN §4).

internal import Glibc
internal import System

/// A caller as the system knows it. Never from its own words.
public struct Identity: Hashable, Sendable {
  public var uid: UInt32
  /// nil: not known yet; they are looked up.
  public var gids: Set<UInt32>?
  /// The security module's label at connect time.
  public var label: String?
  public var pid: Int32?

  public init(uid: UInt32, gids: Set<UInt32>? = nil, label: String? = nil, pid: Int32? = nil) {
    self.uid = uid
    self.gids = gids
    self.label = label
    self.pid = pid
  }
}

/// What names of users and groups stand for, as far as the system could say.
struct NameTable: Sendable {
  var users: [String: UInt32] = [:]
  var groups: [String: UInt32] = [:]
  /// Names that the system doesn't know.
  var unknown: Set<String> = []

  /// Asks the system, which may take its time: getpwnam_r(3), getgrnam_r(3).
  static func resolve(users: Set<String>, groups: Set<String>) -> NameTable {
    var table = NameTable()
    for name in users {
      if let id = userID(name) { table.users[name] = id } else { table.unknown.insert("user \(name)") }
    }
    for name in groups {
      if let id = groupID(name) { table.groups[name] = id } else { table.unknown.insert("group \(name)") }
    }
    return table
  }

  private static func userID(_ name: String) -> UInt32? {
    var record = passwd()
    var found: UnsafeMutablePointer<passwd>?
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64 << 10) { buffer in
      guard let space = buffer.baseAddress, getpwnam_r(name, &record, space, buffer.count, &found) == 0, found != nil
      else { return nil }
      return record.pw_uid
    }
  }

  private static func groupID(_ name: String) -> UInt32? {
    var record = group()
    var found: UnsafeMutablePointer<group>?
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1 << 20) { buffer in
      guard let space = buffer.baseAddress, getgrnam_r(name, &record, space, buffer.count, &found) == 0, found != nil
      else { return nil }
      return record.gr_gid
    }
  }

  /// Every group of a user: getpwuid_r(3), getgrouplist(3).
  static func groups(of uid: UInt32) -> Set<UInt32> {
    var record = passwd()
    var found: UnsafeMutablePointer<passwd>?
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64 << 10) { buffer in
      guard let space = buffer.baseAddress, getpwuid_r(uid, &record, space, buffer.count, &found) == 0, found != nil
      else { return [] }
      var groups = [gid_t](repeating: 0, count: 4096)
      var count = Int32(groups.count)
      guard getgrouplist(record.pw_name, record.pw_gid, &groups, &count) >= 0 else { return [record.pw_gid] }
      return Set(groups.prefix(Int(count)))
    }
  }
}

/// Where a process stands, so that it can be seen that a number still means the same one: field 22 of /proc/PID/stat.
func startTime(of pid: Int32) -> String? {
  guard let file = fopen("/proc/\(pid)/stat", "re") else { return nil }
  defer { fclose(file) }
  var buffer = [CChar](repeating: 0, count: 4096)
  guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
  let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  // The program's name is in brackets and may hold anything.
  guard let end = text.lastIndex(of: ")") else { return nil }
  let fields = text[text.index(after: end)...].split(separator: " ")
  return fields.count > 19 ? String(fields[19]) : nil
}
