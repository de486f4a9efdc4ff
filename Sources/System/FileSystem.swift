// File systems: what is done to paths and to the whole.

internal import CSystem
internal import Glibc

public enum FileSystem {
  /// All that was written to the file system on which `descriptor` is, by whomever, is on disk when it returns. Thread-safe.
  /// syncfs(2)
  public static func synchronize(of descriptor: Int32) throws(SystemError) {
    try checked("syncfs", licet_syncfs(descriptor))
  }

  /// A folder that everybody may look into; it may be there already. mkdir(2)
  public static func makeFolder(_ path: String) throws(SystemError) {
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw SystemError(call: "mkdir", code: errno) }
  }

  /// A file, if it is there. unlink(2)
  public static func remove(_ path: String) { unlink(path) }
}
