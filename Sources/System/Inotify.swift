// Watches on folders: inotify(7) in the event loop.

internal import CSystem
internal import Glibc

/// Not thread-safe.
public final class Inotify {
  /// Something that happened in a watched folder.
  public struct Event: Hashable, Sendable {
    /// As `add` returned it; -1 for an overflow.
    public var watch: Int32
    public var mask: UInt32
    /// Within the folder; empty for the folder itself.
    public var name: String

    /// Events were lost: everything may have changed.
    public var isOverflow: Bool { mask & UInt32(IN_Q_OVERFLOW) != 0 }
    /// The kernel has taken the watch away: the folder is gone or unmounted.
    public var isGone: Bool { mask & UInt32(IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF) != 0 }
  }

  /// What tells that a policy file was put in force, changed or taken away: not each write, but its end.
  public static let changes =
    UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB)
    | UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

  private let descriptor: Descriptor
  private let watch: EventLoop.Watch

  /// inotify_init1(2)
  public init(_ loop: EventLoop, _ body: @escaping (Event) -> Void) throws(SystemError) {
    let raw = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    guard raw >= 0 else { throw SystemError(call: "inotify_init1", code: errno) }
    let descriptor = Descriptor(owning: raw)
    self.descriptor = descriptor
    watch = try loop.watch(raw, .readable) { _ in Inotify.drain(descriptor, body) }
  }

  /// Watches a folder; the same folder again has the same number. inotify_add_watch(2)
  public func add(_ path: String, mask: UInt32 = Inotify.changes) throws(SystemError) -> Int32 {
    let number = inotify_add_watch(descriptor.raw, path, mask)
    guard number >= 0 else { throw SystemError(call: "inotify_add_watch", code: errno) }
    return number
  }

  /// inotify_rm_watch(2); one that is gone already is fine.
  public func remove(_ number: Int32) { inotify_rm_watch(descriptor.raw, number) }

  public func cancel() { watch.cancel() }

  private static func drain(_ descriptor: Descriptor, _ body: (Event) -> Void) {
    let header = MemoryLayout<inotify_event>.size
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 8)
    defer { buffer.deallocate() }
    while true {
      let count = read(descriptor.raw, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      var at = 0
      while at + header <= count {
        let event = buffer.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
        let length = min(Int(event.len), count - at - header)
        let name = buffer[(at + header)..<(at + header + length)].prefix { $0 != 0 }
        body(Event(watch: event.wd, mask: event.mask, name: String(decoding: name, as: UTF8.self)))
        at += header + length
      }
    }
  }
}
