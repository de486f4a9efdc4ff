/// LicetC: the C ABI of liblicet (include/licet.h): handles, requests, decisions, the snapshot of a daemon. May import
/// Decision, PolicyImage, Attach and CLicet (libc). Embedded Swift without allocations: what has to live longer than a
/// call is malloc's or mmap's. No trap that a caller's bytes can reach; no global state. Built by tools/build-library.
///
/// This file: what stands behind the opaque handles, and how long it lives.

internal import Attach
internal import CLicet
internal import Decision
internal import PolicyImage

typealias AuthorityRef = UnsafeMutablePointer<Authority>
typealias SnapshotRef = UnsafeMutablePointer<Snapshot>
typealias RequestRef = UnsafeMutablePointer<Request>

/// Behind a `licet`. Shared by threads: what changes after `licet_open` is atomic, or changed under `lock`.
struct Authority {
  /// One for the handle, one a request.
  var references: UInt32 = 1
  /// Read by any thread without the lock, each by an atomic load: the mode, the generation that was fetched last. Owned.
  let words: UnsafeMutablePointer<UInt64>
  /// In a page that a forked child finds zeroed: the locks, free then, and the marks that connection and ring are our own.
  let wiped: UnsafeMutablePointer<UInt32>
  let behaviors: NameTable
  let attributes: NameTable
  var settings: Settings
  /// What is in force, as far as it was fetched; one reference. Under the lock.
  var current: SnapshotRef?
  var connection = Connection()
  /// Of the protocol, as the last attachment has it. Under the lock.
  var version: UInt16 = 0
  /// Under the lock.
  var region = Region()
  /// The number of the last attachment that came to something. Under the lock; `mark` says it to everybody.
  var attachment: UInt32 = 0
  /// The ring that decisions are counted and recorded in; one reference. Under the lock.
  var recorder: RecorderRef?
  var lastRecorder: UInt32 = 0
  /// CLOCK_MONOTONIC_COARSE: before then the daemon is not asked again, because it did not answer.
  var retryAt: UInt64 = 0
  /// The last refusal of an attachment, which holds until `retryAt`: a code, or 0.
  var refusal: Int32 = 0
  /// Why the last attempt to reach the daemon failed: a code.
  var lastFailure: Int32 = 0

  var lock: UnsafeMutablePointer<UInt32> { wiped }
  /// The attachment that counts; in a forked child none does.
  var mark: UnsafeMutablePointer<UInt32> { wiped + 1 }
  /// 1: this process has tried to attach, so that `retryAt` and `refusal` are its own.
  var trialMark: UnsafeMutablePointer<UInt32> { wiped + 3 }
  /// Its lines of memory are written by whoever records; the others are read by all.
  var recordLock: UnsafeMutablePointer<UInt32> { wiped + 64 }
  var recorderMark: UnsafeMutablePointer<UInt32> { wiped + 2 }
  static let wipedSize = 4096

  /// LICET_SNAPSHOT, LICET_REMOTE or LICET_EMBEDDED; a snapshot may turn into remote.
  var mode: Int32 {
    @inline(__always) get { Int32(truncatingIfNeeded: clicet_load_relaxed(words)) }
    nonmutating set { clicet_store_relaxed(words, UInt64(UInt32(bitPattern: newValue))) }
  }
  var generation: UInt64 {
    get { clicet_load_acquire(words + 1) }
    nonmutating set { clicet_store_release(words + 1, newValue) }
  }
  static let wordCount = 2
}

/// What `licet_options` said.
struct Settings {
  /// Ends with a zero. Owned.
  var path: UnsafeMutablePointer<CChar>
  /// Owned.
  var operatorName: Name
  /// Milliseconds.
  var timeout: Int64
  /// Nanoseconds.
  var staleAfter: UInt64
  var onLoss: Effect
}

/// Memory that an image lies in, or the state page.
struct Mapping {
  var references: UInt32 = 1
  let base: UnsafeMutableRawPointer
  let size: Int
  /// The generation that the image came with.
  let since: UInt64

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: size) }

  static func make(_ base: UnsafeMutableRawPointer, _ size: Int, since: UInt64) -> UnsafeMutablePointer<Mapping>? {
    guard let memory = clicet_allocate(MemoryLayout<Mapping>.size) else {
      clicet_unmap(base, size)
      return nil
    }
    let mapping = memory.bindMemory(to: Mapping.self, capacity: 1)
    mapping.initialize(to: Mapping(base: base, size: size, since: since))
    return mapping
  }

  static func retain(_ mapping: UnsafeMutablePointer<Mapping>?) {
    guard let mapping else { return }
    _ = clicet_add32(referenceWord(mapping), 1)
  }

  static func release(_ mapping: UnsafeMutablePointer<Mapping>?) {
    guard let mapping, clicet_subtract32(referenceWord(mapping), 1) == 1 else { return }
    clicet_unmap(mapping.pointee.base, mapping.pointee.size)
    clicet_free(mapping)
  }
}

/// Each of these structs begins with its count of references.
@inline(__always)
func referenceWord<T>(_ p: UnsafeMutablePointer<T>) -> UnsafeMutablePointer<UInt32> {
  UnsafeMutableRawPointer(p).assumingMemoryBound(to: UInt32.self)
}

extension Authority {
  static func retain(_ authority: AuthorityRef) { _ = clicet_add32(referenceWord(authority), 1) }

  static func release(_ authority: AuthorityRef) {
    guard clicet_subtract32(referenceWord(authority), 1) == 1 else { return }
    authority.pointee.connection.close()
    Snapshot.release(authority.pointee.current)
    Recorder.release(authority.pointee.recorder)
    Mapping.release(authority.pointee.region.mapping)
    authority.pointee.behaviors.free()
    authority.pointee.attributes.free()
    clicet_free(authority.pointee.words)
    clicet_free(authority.pointee.settings.path)
    clicet_free(UnsafeMutableRawPointer(mutating: authority.pointee.settings.operatorName.baseAddress))
    clicet_unmap(authority.pointee.wiped, Authority.wipedSize)
    clicet_free(authority)
  }
}

extension UnsafeMutablePointer where Pointee == Authority {
  /// Whether the connection was made by this very process, not by one that it was forked from. Under the lock.
  var isOwnConnection: Bool { pointee.attachment != 0 && clicet_load32(pointee.mark) == pointee.attachment }
}

/// `count` bytes of one's own; nil: no memory. An empty text has an address too.
func copied(_ text: Name) -> Name? {
  guard let memory = clicet_allocate(text.count &+ 1) else { return nil }
  if let base = text.baseAddress { memory.copyMemory(from: base, byteCount: text.count) }
  return Name(start: memory, count: text.count)
}

extension Name {
  /// The bytes behind a C pointer; nil for a null one that should have some.
  @inline(__always)
  init?(_ bytes: UnsafePointer<CChar>?, _ length: Int) {
    guard length >= 0, bytes != nil || length == 0 else { return nil }
    self.init(start: bytes, count: length)
  }

  init?(_ text: licet_text) { self.init(text.bytes, text.length) }

  /// For a caller.
  var text: licet_text {
    licet_text(bytes: baseAddress?.assumingMemoryBound(to: CChar.self), length: count)
  }
}
