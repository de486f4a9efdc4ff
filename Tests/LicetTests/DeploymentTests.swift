// What `licet apply` does to a policy folder, and how it takes that back.

import Foundation
import Testing

@testable import licet

@Suite struct DeploymentTests {
  private func files(_ folder: borrowing TemporaryFolder) throws -> PolicyFiles {
    try PolicyFiles(folder: folder.url.path)
  }

  @Test func onlyWhatIsPolicyIsTaken() throws {
    let folder = try TemporaryFolder()
    for name in [
      "platform.yaml", "platform.d/10-x.yaml", "operators.d/o.yaml", "operators.d/o.d/20-y.yaml", "tests/o_test.yaml",
      "operators.d/o_test.yaml", "operators.d/.o.yaml", "operators.d/o.yaml~", "README.md", "platform.d/x.d/z.yaml",
    ] {
      _ = try folder.write("x", to: name)
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder.url.path + "/operators.d/mask.yaml", withDestinationPath: "/dev/null")
    let found = try files(folder)
    #expect(
      found.files.keys.sorted() == [
        "operators.d/mask.yaml", "operators.d/o.d/20-y.yaml", "operators.d/o.yaml", "platform.d/10-x.yaml",
        "platform.yaml",
      ])
    #expect(found.files["operators.d/mask.yaml"] == .mask)
  }

  @Test(arguments: [
    ("platform.yaml", ""), ("platform.d/x.yaml", ""), ("operators.d/o.yaml", "o"), ("operators.d/o.d/x.yaml", "o"),
    ("operators.d/a.b.yaml", "a.b"),
  ]) func aFileBelongsToSomebody(_ path: String, _ owner: String) {
    #expect(PolicyFiles.owner(of: path) == owner)
  }

  @Test(arguments: [false, true]) func whatIsDoneCanBeUndone(_ pruning: Bool) throws {
    let new = try TemporaryFolder()
    let target = try TemporaryFolder()
    _ = try new.write("new", to: "platform.yaml")
    _ = try new.write("same", to: "operators.d/same.yaml")
    _ = try new.write("more", to: "operators.d/o.d/10-more.yaml")
    _ = try target.write("old", to: "platform.yaml")
    _ = try target.write("same", to: "operators.d/same.yaml")
    _ = try target.write("gone?", to: "operators.d/left.yaml")
    let before = try files(target)
    let deployment = Deployment(try files(new), over: before, in: target.url.path, pruning: pruning)
    #expect(deployment.owners == (pruning ? ["", "o", "left"] : ["", "o"]))
    try deployment.run()
    let after = try files(target)
    #expect(after == deployment.after)
    #expect(after.files["platform.yaml"] == .bytes(Array("new".utf8)))
    #expect((after.files["operators.d/left.yaml"] == nil) == pruning)
    try deployment.undo()
    #expect(try files(target) == before)
    let names = try FileManager.default.contentsOfDirectory(atPath: target.url.path)
    #expect(names.allSatisfy { !$0.hasPrefix(".licet-") })
  }

  @Test func aStepThatFailsUndoesThoseBefore() throws {
    let new = try TemporaryFolder()
    let target = try TemporaryFolder()
    _ = try new.write("first", to: "operators.d/a.yaml")
    _ = try new.write("second", to: "operators.d/b.d/10-x.yaml")
    // A file stands where the drop-ins' folder is wanted.
    _ = try target.write("a file", to: "operators.d/b.d")
    let before = try files(target)
    let deployment = Deployment(try files(new), over: before, in: target.url.path, pruning: false)
    #expect(throws: CommandError.self) { try deployment.run() }
    #expect(try files(target) == before)
  }
}
