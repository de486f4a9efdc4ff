// Files of the state folder: all of a batch or what was there, and nothing unfinished left behind.

import Foundation
import TestKit
import Testing

@testable import Authority

@Suite struct StateFolderTests {
  @Test(arguments: [1, 3, StateFolder.many - 1, StateFolder.many, 200])
  func aBatchIsWhole(_ count: Int) throws {
    let scratch = try PolicyScratch("state")
    let state = StateFolder(root: scratch.state)
    for folder in ["a", "b"] { try state.makeFolder(folder) }
    let files = (0..<count).map { (path: "\($0 % 2 == 0 ? "a" : "b")/\($0)", bytes: Array("text \($0)".utf8)) }
    try state.write(all: files)
    for file in files { #expect(try state.read(file.path, maximum: 100) == file.bytes) }
    let names = try ["a", "b"].flatMap { try FileManager.default.contentsOfDirectory(atPath: "\(scratch.state)/\($0)") }
    #expect(names.count == count)
    try state.remove(all: files.map(\.path) + ["a/never-there"])
    #expect(try state.list("a", maximum: 10).isEmpty)
  }

  /// The folder of the last one isn't there: what was there before stays as it was.
  @Test func aBatchThatFailsChangesNothing() throws {
    let scratch = try PolicyScratch("state")
    let state = StateFolder(root: scratch.state)
    try state.makeFolder("a")
    try state.write("a/0", Array("old".utf8))
    let files = (0..<40).map { (path: $0 == 39 ? "missing/39" : "a/\($0)", bytes: Array("new".utf8)) }
    #expect(throws: StateError.self) { try state.write(all: files) }
    #expect(try state.read("a/0", maximum: 100) == Array("old".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(scratch.state)/a") == ["0"])
  }

  @Test func nothingIsNothing() throws {
    let state = StateFolder(root: "/nonexistent/licet")
    try state.write(all: [])
    try state.remove(all: [])
  }
}
