// Policy folders as people, editors and orchestrators leave them: what a scan sees, and that nothing in one blocks it.

import Foundation
import System
import TestKit
import Testing

@testable import PolicyTree

@Suite struct PolicyTreeTests {
  private func scratch() throws -> PolicyScratch {
    let scratch = try PolicyScratch("tree")
    try scratch.save("platform.yaml", "platform")
    return scratch
  }

  private func look(
    _ scratch: PolicyScratch, trust: Trust = .anyone, since: Since = .nothing
  ) -> Snapshot {
    scan([scratch.policy], trust: trust, since: since)
  }

  private func text(_ path: String, _ snapshot: Snapshot) -> String? {
    guard case .bytes(let bytes)? = snapshot.entries.first(where: { $0.path == path })?.content else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func kind(_ path: String, _ snapshot: Snapshot) -> ReadFailure.Kind? {
    guard case .failure(let failure)? = snapshot.entries.first(where: { $0.path == path })?.content else { return nil }
    return failure.kind
  }

  // MARK: Links

  @Test(arguments: [1, 40, 41]) func asManyLinksAsInTheKernel(_ count: Int) throws {
    let scratch = try scratch()
    try scratch.save("end", "x")
    try scratch.makeFolder("links")
    for i in 1...count { try scratch.link("links/\(i)", to: i == 1 ? "../end" : "\(i - 1)") }
    try scratch.link("operators.d/a.yaml", to: "../links/\(count)")
    // The link in operators.d is one more.
    let seen = look(scratch)
    if count < 40 { #expect(text("operators.d/a.yaml", seen) == "x") }
    if count >= 40 { #expect(kind("operators.d/a.yaml", seen) == .loop) }
    try scratch.link("operators.d/b.yaml", to: "../links/\(count - 1)")
    if count == 40 { #expect(text("operators.d/b.yaml", look(scratch)) == "x") }
    if count == 41 { #expect(kind("operators.d/b.yaml", look(scratch)) == .loop) }
  }

  @Test func aTreeAsKubernetesMakesItIsSeenAndAllOfItsWayIsNamed() throws {
    let scratch = try scratch()
    for version in ["..2026_1", "..2026_2"] {
      try scratch.makeFolder(version)
      try scratch.save("\(version)/a.yaml", version)
    }
    try scratch.link("..data", to: "..2026_1")
    try scratch.link("operators.d/a.yaml", to: "../..data/a.yaml")
    let before = look(scratch)
    #expect(text("operators.d/a.yaml", before) == "..2026_1")
    for path in ["", "/operators.d", "/platform.d", "/..2026_1"] {
      #expect(before.directories.contains(real(scratch.policy) + path), "\(path)")
    }
    try scratch.link("..data", to: "..2026_2")
    let after = look(scratch, since: .snapshot(before))
    #expect(text("operators.d/a.yaml", after) == "..2026_2")
    #expect(after.directories.contains(real(scratch.policy) + "/..2026_2"))
    #expect(!after.directories.contains(real(scratch.policy) + "/..2026_1"))
  }

  @Test func everyFolderOnALinksWayIsNamed() throws {
    let scratch = try scratch()
    try scratch.makeFolder("one/two")
    try scratch.makeFolder("three")
    try scratch.save("three/end", "x")
    try scratch.link("one/two/next", to: "../../three")
    try scratch.link("operators.d/a.yaml", to: "\(scratch.policy)/one/two/next/end")
    try scratch.link("operators.d/gone.yaml", to: "../three/nothing/at/all")
    let seen = look(scratch)
    #expect(text("operators.d/a.yaml", seen) == "x")
    #expect(kind("operators.d/gone.yaml", seen) == .vanished)
    for path in ["", "/operators.d", "/one", "/one/two", "/three"] {
      #expect(seen.directories.contains(real(scratch.policy) + path), "\(path)")
    }
  }

  // MARK: Trust

  @Test func whatOthersMayWriteIsRefused() throws {
    let scratch = try scratch()
    let mine = Trust.owners([System.Process.userID])
    for (path, mode) in [("a", 0o644), ("group", 0o664), ("other", 0o646), ("folder", 0o644)] {
      try scratch.makeFolder("operators.d/\(path).d")
      try scratch.save("operators.d/\(path).d/x.yaml", path)
      #expect(chmod(scratch.path("operators.d/\(path).d/x.yaml"), mode_t(mode)) == 0)
    }
    #expect(chmod(scratch.path("operators.d/folder.d"), 0o777) == 0)
    let seen = look(scratch, trust: mine)
    #expect(text("operators.d/a.d/x.yaml", seen) == "a")
    #expect(kind("operators.d/group.d/x.yaml", seen) == .untrustedMode(0o664))
    #expect(kind("operators.d/other.d/x.yaml", seen) == .untrustedMode(0o646))
    #expect(kind("operators.d/folder.d", seen) == .untrustedMode(0o777))
    #expect(text("operators.d/folder.d/x.yaml", look(scratch)) == "folder")
    // Nor by a link that leads there.
    try scratch.link("operators.d/b.yaml", to: "folder.d/x.yaml")
    #expect(kind("operators.d/b.yaml", look(scratch, trust: mine)) == .untrustedMode(0o777))
    // A mode that becomes wrong is seen, though the bytes are those that were read.
    #expect(chmod(scratch.path("operators.d/a.d/x.yaml"), 0o666) == 0)
    #expect(kind("operators.d/a.d/x.yaml", look(scratch, trust: mine, since: .snapshot(seen))) == .untrustedMode(0o666))
  }

  @Test func whatOthersOwnIsRefused() throws {
    let scratch = try scratch()
    let own = System.Process.userID
    try scratch.save("operators.d/a.yaml", "x")
    let strange = look(scratch, trust: .owners([own &+ 1]))
    #expect(
      strange.entries.map(\.content) == [.failure(ReadFailure(kind: .untrustedOwner(own), folder: scratch.policy))])
    // Only root may give files away.
    guard chown(scratch.path("operators.d/a.yaml"), 4242, 4242) == 0 else { return }
    let seen = look(scratch, trust: .owners([own]))
    #expect(kind("operators.d/a.yaml", seen) == .untrustedOwner(4242))
    #expect(text("platform.yaml", seen) == "platform")
  }

  // MARK: What is no file

  @Test(.timeLimit(.minutes(1))) func nothingInAFolderBlocks() throws {
    let scratch = try scratch()
    #expect(mkfifo(scratch.path("operators.d/pipe.yaml"), 0o600) == 0)
    try scratch.link("operators.d/zero.yaml", to: "/dev/zero")
    try scratch.link("operators.d/topipe.yaml", to: "pipe.yaml")
    try scratch.makeFolder("operators.d/folder.yaml")
    let socket = try listen(scratch.path("operators.d/s.yaml"))
    defer { close(socket) }
    let seen = look(scratch)
    for name in ["pipe", "zero", "topipe", "s"] {
      #expect(kind("operators.d/\(name).yaml", seen) == .isSpecial, "\(name)")
    }
    #expect(kind("operators.d/folder.yaml", seen) == .isDirectory)
    #expect(text("platform.yaml", seen) == "platform")
  }

  private func listen(_ path: String) throws -> Int32 {
    let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // A long temporary folder doesn't fit into an address: bound by its name within the folder's descriptor.
    let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY)
    defer { close(folder) }
    let short = "/proc/self/fd/\(folder)/\((path as NSString).lastPathComponent)"
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(short.utf8).prefix($0.count - 1)) }
    let failed = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    try #require(failed == 0)
    return raw
  }

  // MARK: Names

  @Test func oddNamesAreNamesLikeOthers() throws {
    let scratch = try scratch()
    let long = String(repeating: "n", count: 250) + ".yaml"
    let names = [
      "a\nb.yaml", "-rf.yaml", " .yaml", long, "caf\u{E9}.yaml", "cafe\u{301}.yaml", "\u{301}.yaml", "x\u{600}.yaml",
      "a\r\n.yaml", "%s%n.yaml",
    ]
    for name in names { try write(Array("platform.d/\(name)".utf8), "x", in: scratch) }
    try write(Array("platform.d/.\u{301}hidden.yaml".utf8), "x", in: scratch)
    let seen = look(scratch)
    let found = Set(seen.entries.filter { $0.digest != nil }.map { Array($0.path.utf8) })
    for name in names { #expect(found.contains(Array("platform.d/\(name)".utf8)), "\(name.debugDescription)") }
    #expect(seen.entries.count == names.count + 1)
    #expect(look(scratch, since: .snapshot(seen)).entries.allSatisfy { $0.digest != nil })
  }

  @Test func aNameThatIsNoTextBreaksItsOwnerAndNobodyElse() throws {
    let scratch = try scratch()
    try write(Array("operators.d/bad".utf8) + [0xFF, 0xC3] + Array(".yaml".utf8), "x", in: scratch)
    try scratch.save("operators.d/a.yaml", "x")
    let seen = look(scratch)
    #expect(text("operators.d/a.yaml", seen) == "x")
    #expect(
      seen.entries.filter { $0.digest == nil }.map(\.path.utf8.count) == [26],
      "each byte that is no text is shown as U+FFFD")
  }

  @Test func aLinkIsFollowedNameByName() throws {
    // To a String "/" and an accent after it are one character: the folder before it must be looked at all the same.
    let scratch = try scratch()
    try scratch.makeFolder("open")
    try write(Array("open/\u{301}x".utf8), "x", in: scratch)
    try scratch.link("operators.d/a.yaml", to: "../open/\u{301}x")
    #expect(look(scratch).directories.contains(real(scratch.policy) + "/open"))
    #expect(chmod(scratch.path("open"), 0o777) == 0)
    let seen = look(scratch, trust: .owners([System.Process.userID]))
    #expect(kind("operators.d/a.yaml", seen) == .untrustedMode(0o777))
  }

  @Test func aShortSuffixIsSaid() throws {
    let scratch = try scratch()
    for path in ["platform.yml", "platform.d/x.yml", "operators.d/a.yml", "operators.d/.b.yml", "operators.d/yml"] {
      try scratch.save(path, "x")
    }
    try scratch.makeFolder("operators.d/a.d")
    try scratch.save("operators.d/a.d/y.yml", "x")
    let seen = look(scratch)
    #expect(seen.entries.map(\.path) == ["platform.yaml"])
    #expect(seen.misnamed == ["operators.d/a.d/y.yml", "operators.d/a.yml", "platform.d/x.yml", "platform.yml"])
  }

  private func write(_ path: [UInt8], _ text: String, in scratch: PolicyScratch) throws {
    let whole = Array("\(scratch.policy)/".utf8) + path + [0]
    let raw = whole.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        open($0.baseAddress ?? UnsafePointer(strdup("")), O_WRONLY | O_CREAT, 0o644)
      }
    }
    try #require(raw >= 0)
    #expect(Glibc.write(raw, text, text.utf8.count) == text.utf8.count)
    close(raw)
  }

  private func real(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
}
