// Policy folders on disk: what is read, what masks what, and what becomes of what can't be read.

import Foundation
import PolicyImage
import Testing

@testable import PolicyLanguage

@Suite struct PolicyFolderTests {
  private static let files = [
    "platform.yaml": Sample.platform, "operators.d/shop.yaml": Sample.text("shop"),
    "operators.d/shop.d/10-more.yaml": Sample.text("shop", "rules:\n  - ask: content\n"),
    "operators.d/clinic.yaml": Sample.text("clinic"),
  ]

  @Test func readsThePolicyAndNothingElse() throws {
    let folder = try Folder(Self.files)
    for path in ["README.md", "operators.d/.hidden.yaml", "operators.d/shop_test.yaml", "operators.d/old.yml", "tests/x.yaml"] {
      try folder.write("not: [policy", to: path)
    }
    let files = PolicyFolder.read([folder.path])
    #expect(files.map(\.path) == Self.files.keys.sorted())
    let set = load(files)
    #expect(set.summary == [])
    #expect(set.operators.keys.sorted() == ["clinic", "shop"])
    #expect(set.operators["shop"]?.statements.count == 2)
  }

  // MARK: several folders

  @Test func aHigherFileMasksTheLowerOneOfItsName() throws {
    let (low, high) = (try Folder(Self.files), try Folder())
    try high.write(Sample.text("shop", "rules:\n  - allow: tool\n"), to: "operators.d/shop.yaml")
    let set = load(PolicyFolder.read([low.path, high.path]))
    #expect(set.summary == [])
    #expect(set.operators["shop"]?.statements.filter { $0.behavior == "tool" }.map(\.effect) == [.allow])
    #expect(set.operators["shop"]?.statements.count == 2, "the lower folder's drop-in stays")
  }

  @Test func aLinkToNullMasksAndSaysNothing() throws {
    let (low, high) = (try Folder(Self.files), try Folder())
    try high.link("operators.d/shop.d/10-more.yaml", to: "/dev/null")
    try high.link("operators.d/clinic.yaml", to: "/dev/null")
    let set = load(PolicyFolder.read([low.path, high.path]))
    #expect(set.summary == [])
    #expect(set.operators.keys.sorted() == ["shop"] && set.broken == [])
    #expect(set.operators["shop"]?.statements.map(\.behavior) == ["tool"])
  }

  @Test(arguments: ["", "\n", "# what was here is gone\n", "\u{FEFF}", "%YAML 1.2\n"])
  func anEmptyFileIsAnErrorAndNoMask(_ text: String) throws {
    let (low, high) = (try Folder(Self.files), try Folder())
    try high.write(text, to: "operators.d/shop.yaml")
    let set = load(PolicyFolder.read([low.path, high.path]))
    #expect(set.broken == ["shop"] && set.operators.keys.sorted() == ["clinic"])
    #expect(set.errors.allSatisfy { $0.location.file == "operators.d/shop.yaml" } && !set.errors.isEmpty)
    let platform = load([file("platform.yaml", text)])
    #expect(platform.platform == nil && !platform.errors.isEmpty)
  }

  @Test func aMaskedPlatformIsNoPlatform() throws {
    let (low, high) = (try Folder(Self.files), try Folder())
    try high.link("platform.yaml", to: "/dev/null")
    let set = load(PolicyFolder.read([low.path, high.path]))
    #expect(set.platform == nil && set.operators.isEmpty)
    #expect(set.codes.contains(.noPlatform))
  }

  // MARK: what can't be read

  @Test func aFileThatVanishesBreaksItsOwner() throws {
    for (path, broken) in [("operators.d/shop.yaml", ["shop"]), ("operators.d/shop.d/10-more.yaml", ["shop"])] {
      let folder = try Folder(Self.files)
      let files = PolicyFolder.read([folder.path], maximumFiles: 10) { reading in
        if reading == path { try? folder.remove(path) }
      }
      let set = load(files)
      #expect(set.summary == ["\(path):1 file-vanished"])
      #expect(set.broken == Set(broken) && set.operators.keys.sorted() == ["clinic"])
    }
  }

  @Test func aPlatformDropInThatVanishesLeavesNothingInForce() throws {
    let folder = try Folder(Self.files)
    try folder.write("licet: 1\nlayer: platform\nrules: [{limit: tool, to: deny}]\n", to: "platform.d/50-strict.yaml")
    let files = PolicyFolder.read([folder.path], maximumFiles: 10) { reading in
      if reading.hasSuffix("50-strict.yaml") { try? folder.remove(reading) }
    }
    let set = load(files)
    #expect(set.platform == nil && set.operators.isEmpty)
    #expect(set.summary == ["platform.d/50-strict.yaml:1 file-vanished"])
  }

  @Test func aFileThatChangesIntoAnotherWhileItIsListedIsReadAsItIsThen() throws {
    let folder = try Folder(Self.files)
    let files = PolicyFolder.read([folder.path], maximumFiles: 10) { reading in
      if reading == "operators.d/shop.yaml" { try? folder.write("rules: [", to: reading) }
    }
    #expect(load(files).broken == ["shop"])
  }

  @Test func whatIsNoFileBreaksItsOwnerAlone() throws {
    let spoils: [(DiagnosticCode, (Folder, String) throws -> Void)] = [
      (.fileIsDirectory, { try $0.makeFolder($1) }),
      (.fileIsLoop, { try $0.link($1, to: "shop.yaml") }),
      (
        .fileIsSpecial,
        { folder, path in
          let made = mkfifo(try folder.place(path).path, 0o600)
          #expect(made == 0)
        }
      ),
      (.fileIsSpecial, { try $0.link($1, to: "/dev/zero") }),
      (.fileVanished, { try $0.link($1, to: "nowhere") }),
      (.fileUnreadable, { try $0.link($1, to: "clinic.yaml/shop.yaml") }),
      (
        .fileTooLarge,
        { folder, path in
          try folder.write("", to: path)
          try FileHandle(forWritingTo: folder.place(path)).truncate(atOffset: 64 << 20)
        }
      ),
    ]
    for (code, spoil) in spoils {
      let folder = try Folder(Self.files)
      try folder.remove("operators.d/shop.yaml")
      try spoil(folder, "operators.d/shop.yaml")
      let set = load(PolicyFolder.read([folder.path]))
      #expect(set.codes == [code], "\(set.summary)")
      #expect(set.platform != nil && set.broken == ["shop"] && set.operators.keys.sorted() == ["clinic"])
    }
  }

  @Test func twoLinksThatLeadToEachOther() throws {
    let folder = try Folder(Self.files)
    try folder.link("operators.d/a.yaml", to: "b.yaml")
    try folder.link("operators.d/b.yaml", to: "a.yaml")
    let set = load(PolicyFolder.read([folder.path]))
    #expect(set.codes == [.fileIsLoop, .fileIsLoop])
    #expect(set.broken == ["a", "b"] && set.operators.count == 2)
  }

  // MARK: folders that can't be listed

  @Test(arguments: ["file", "loop"]) func anUnlistedDropInFolderBreaksItsOperatorAlone(_ kind: String) throws {
    let folder = try Folder(Self.files)
    try folder.remove("operators.d/shop.d")
    if kind == "file" { try folder.write("", to: "operators.d/shop.d") }
    if kind == "loop" { try folder.link("operators.d/shop.d", to: "shop.d") }
    let set = load(PolicyFolder.read([folder.path]))
    #expect(set.summary == ["operators.d/shop.d:1 folder-unreadable"])
    #expect(set.broken == ["shop"] && set.operators.keys.sorted() == ["clinic"])
  }

  @Test func anUnlistedDropInFolderOfALowerFolderBreaksItsOperatorToo() throws {
    let (low, high) = (try Folder(["operators.d/shop.d": ""]), try Folder(Self.files))
    let set = load(PolicyFolder.read([low.path, high.path]))
    #expect(set.broken == ["shop"] && set.operators.keys.sorted() == ["clinic"])
  }

  @Test func anUnlistedOperatorFolderBreaksAllOfThem() throws {
    let (low, high) = (try Folder(Self.files), try Folder(["operators.d": ""]))
    let set = load(PolicyFolder.read([low.path, high.path]))
    #expect(set.platform != nil)
    #expect(set.operators.isEmpty && set.broken == ["clinic", "shop"])
  }

  @Test func anUnlistedPlatformFolderLeavesNothingInForce() throws {
    let folder = try Folder(Self.files)
    try folder.write("", to: "platform.d")
    let set = load(PolicyFolder.read([folder.path]))
    #expect(set.platform == nil && set.operators.isEmpty && set.codes == [.folderUnreadable])
  }

  @Test func aMissingFolderIsSkippedUnlessNoneIsThere() throws {
    let folder = try Folder(Self.files)
    let missing = folder.path + "/missing"
    #expect(load(PolicyFolder.read([missing, folder.path])).summary == [])
    let set = load(PolicyFolder.read([missing, missing + "-too"]))
    #expect(set.platform == nil && set.codes == [.folderUnreadable])
  }

  @Test func moreFilesThanTheBoundAreRefused() throws {
    let folder = try Folder(Self.files)
    let set = load(PolicyFolder.read([folder.path], maximumFiles: 2))
    #expect(set.codes.contains(.tooManyFiles) && set.operators.isEmpty)
  }
}
