// Whole file systems: what no single file's call does.

internal import CSystem

public enum FileSystem {
  /// All that was written to the file system on which `descriptor` is, by whomever, is on disk when it returns. Thread-safe.
  /// syncfs(2)
  public static func synchronize(of descriptor: Int32) throws(SystemError) {
    try checked("syncfs", licet_syncfs(descriptor))
  }
}
