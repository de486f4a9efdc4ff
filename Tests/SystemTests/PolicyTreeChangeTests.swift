// Scans that know an earlier one: what changed is read, however it was saved; what didn't is not read again.

import Foundation
import TestKit
import Testing

@testable import PolicyTree

@Suite struct PolicyTreeChangeTests {
  private func text(_ path: String, _ snapshot: Snapshot) -> String? {
    guard case .bytes(let bytes)? = snapshot.entries.first(where: { $0.path == path })?.content else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func anUnchangedFileIsNotReadAgainUnlessByDigest() throws {
    let scratch = try PolicyScratch("tree")
    try scratch.save("operators.d/a.yaml", "true")
    try scratch.save("operators.d/b.yaml", "b")
    var before = scan([scratch.policy], trust: .anyone)
    // What is remembered is made to differ from the disk: so it shows who is asked.
    let index = try #require(before.entries.firstIndex { $0.path == "operators.d/a.yaml" })
    before.entries[index].content = .bytes(Array("remembered".utf8))
    #expect(
      text("operators.d/a.yaml", scan([scratch.policy], trust: .anyone, since: .snapshot(before))) == "remembered")
    #expect(text("operators.d/a.yaml", scan([scratch.policy], trust: .anyone, since: .nothing)) == "true")
    // Of another folder nothing is remembered.
    #expect(
      text("operators.d/a.yaml", scan(["/nonexistent", scratch.policy], trust: .anyone, since: .snapshot(before)))
        == "true")
    // Touched, it is read again, and is the same.
    try scratch.overwrite("operators.d/a.yaml", "true")
    let after = scan([scratch.policy], trust: .anyone, since: .snapshot(before))
    #expect(text("operators.d/a.yaml", after) == "true" && text("operators.d/b.yaml", after) == "b")
    let again = scan([scratch.policy], trust: .anyone)
    #expect(zip(after.entries, again.entries).allSatisfy { $0.isSame(as: $1) })
    #expect(!before.entries[index].isSame(as: Entry(path: "operators.d/a.yaml", rank: 0, content: .bytes([]))))
  }

  @Test(arguments: ["rename", "in place", "delete and create", "backup and rename", "append", "same size and times"])
  func howeverAnEditorSavesItIsSeen(_ way: String) throws {
    let scratch = try PolicyScratch("tree")
    let path = "operators.d/a.yaml"
    try scratch.save(path, "one")
    let before = scan([scratch.policy], trust: .anyone)
    #expect(text(path, before) == "one")
    switch way {
    case "rename": try scratch.save(path, "two")
    case "in place": try scratch.overwrite(path, "two")
    case "delete and create":
      try scratch.remove(path)
      #expect(text(path, scan([scratch.policy], trust: .anyone, since: .snapshot(before))) == nil)
      try scratch.overwrite(path, "two")
    case "backup and rename":
      #expect(rename(scratch.path(path), scratch.path("\(path)~")) == 0)
      try scratch.overwrite(path, "two")
    case "append":
      let file = try #require(fopen(scratch.path(path), "a"))
      fputs(" two", file)
      fclose(file)
    default:
      // As a restore from a backup does; its change time can't be set.
      var status = stat()
      #expect(stat(scratch.path(path), &status) == 0)
      try scratch.overwrite(path, "two")
      var times = [status.st_atim, status.st_mtim]
      #expect(utimensat(AT_FDCWD, scratch.path(path), &times, 0) == 0)
    }
    let after = scan([scratch.policy], trust: .anyone, since: .snapshot(before))
    #expect(text(path, after) == (way == "append" ? "one two" : "two"))
    #expect(after.entries.count == 1)
  }

  @Test func manyFilesAreScannedAndOneThatChangedIsFound() throws {
    let scratch = try PolicyScratch("tree")
    for i in 0..<4000 {
      let file = try #require(fopen(scratch.path("operators.d/op\(i).yaml"), "w"))
      fputs("text \(i)", file)
      fclose(file)
    }
    let before = scan([scratch.policy], trust: .anyone)
    #expect(before.entries.count == 4000 && before.entries.allSatisfy { $0.digest != nil })
    #expect(before.entries.map(\.path) == before.entries.map(\.path).sorted())
    try scratch.save("operators.d/op1234.yaml", "changed")
    try scratch.remove("operators.d/op7.yaml")
    let after = scan([scratch.policy], trust: .anyone, since: .snapshot(before))
    let digests = Dictionary(uniqueKeysWithValues: before.entries.map { ($0.path, $0.digest) })
    #expect(after.entries.filter { digests[$0.path] != $0.digest }.map(\.path) == ["operators.d/op1234.yaml"])
    #expect(after.entries.count == 3999)
  }

  @Test func whatIsWrittenWhileItIsReadIsNeverHalf() throws {
    let scratch = try PolicyScratch("tree")
    let path = "operators.d/a.yaml"
    try scratch.save(path, "one")
    // Between being listed and being opened.
    let seen = scan([scratch.policy], trust: .anyone, since: .nothing, maximumFiles: 10) {
      if $0 == path { try? scratch.save(path, "two") }
    }
    #expect(text(path, seen) == "two")
    let gone = scan([scratch.policy], trust: .anyone, since: .snapshot(seen), maximumFiles: 10) {
      if $0 == path { try? scratch.remove(path) }
    }
    #expect(gone.entries.map(\.content) == [.failure(ReadFailure(kind: .vanished, folder: scratch.policy))])
  }
}
