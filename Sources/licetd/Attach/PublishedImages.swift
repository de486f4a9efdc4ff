// Images as they are handed out: descriptors of sealed copies, made when somebody asks first, kept as long as the image is
// in force. Each has the number of the generation that brought it, so that a client takes what it has not.

import Attach
import Authority
import PolicyImage
import System

/// Loop-owned.
final class PublishedImages {
  /// An image in force, by where it lies: as long as it is held here nothing else can lie there.
  private struct Entry {
    let held: HeldImage
    let since: UInt64
    var descriptor: Descriptor?
  }

  private(set) var generation: Generation
  private var platform: Entry?
  /// Those that somebody asked for.
  private var overlays: [String: Entry] = [:]

  init(_ generation: Generation) {
    self.generation = generation
    platform = generation.platform.map { Entry(held: $0, since: generation.number) }
  }

  /// Keeps what stayed the same.
  func follow(_ next: Generation) {
    generation = next
    platform = next.platform.map { PublishedImages.next($0, after: platform, next.number) }
    for (name, entry) in overlays {
      overlays[name] = next.operators[name].map { PublishedImages.next($0.held, after: entry, next.number) }
    }
  }

  private static func next(_ held: HeldImage, after old: Entry?, _ number: UInt64) -> Entry {
    if let old, old.held.image.base == held.image.base { return old }
    return Entry(held: held, since: number)
  }

  /// One image, for who has none of it.
  struct Handout {
    let since: UInt64
    /// nil: the client has it.
    let descriptor: Descriptor?
  }

  /// The platform's image, for a client that holds the one of `known`; nil: there is none.
  func platform(known: UInt64) throws(SystemError) -> Handout? {
    guard var entry = platform else { return nil }
    let handout = try PublishedImages.handOut(&entry, known, "licet-platform")
    platform = entry
    return handout
  }

  /// An operator's image; nil: it has none in force.
  func overlay(_ name: String, known: UInt64) throws(SystemError) -> Handout? {
    guard let one = generation.operators[name] else { return nil }
    // Who was never asked for has come with this generation, as far as clients can know.
    var entry = overlays[name] ?? Entry(held: one.held, since: generation.number)
    let handout = try PublishedImages.handOut(&entry, known, "licet-operator")
    overlays[name] = entry
    return handout
  }

  private static func handOut(_ entry: inout Entry, _ known: UInt64, _ name: String) throws(SystemError) -> Handout {
    if entry.since == known { return Handout(since: known, descriptor: nil) }
    if entry.descriptor == nil {
      let image = entry.held.image
      entry.descriptor = try SealedMemory.makeToHandOut(
        name: name, UnsafeRawBufferPointer(start: image.base, count: image.size))
    }
    return Handout(since: entry.since, descriptor: entry.descriptor)
  }
}
