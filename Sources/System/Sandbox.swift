// What a process gives away before it reads what others wrote: privileges, files, and system calls.

internal import CSystem

public enum Sandbox {
  public enum Profile: Int32, Sendable {
    /// Makes children and talks on sockets that it has.
    case parent = 0
    /// Computes, and answers on descriptors that it has.
    case child = 1
  }

  /// What the kernel granted. Landlock is missing from some kernels; the rest must work.
  public struct Report: Hashable, Sendable {
    /// nil: this kernel has none.
    public var landlockVersion: Int32?
  }

  /// No new privileges, no file system (where the kernel has Landlock), no system call outside the profile: one that is
  /// made all the same ends the process with SIGSYS. Can't be undone; a child's profile may follow its parent's.
  /// prctl(2), landlock(7), seccomp(2)
  @discardableResult
  public static func enter(_ profile: Profile) throws(SystemError) -> Report {
    try checked("prctl", licet_no_new_privileges())
    var report = Report(landlockVersion: nil)
    if profile == .parent {
      let landlock = licet_sandbox_landlock()
      if landlock > 0 { report.landlockVersion = landlock }
    }
    try checked("seccomp", licet_sandbox_seccomp(profile.rawValue))
    return report
  }
}
