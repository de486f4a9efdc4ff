// Running the built program as a process, and golden files of what it prints.

import Foundation
import Testing

enum PackageFiles {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static var examples: String { root.appending(path: "examples").path }
}

/// Where the build puts programs and test bundles: the helper that runs tests is told the bundle's path.
private var programFolder: URL {
  let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
  return URL(filePath: bundle).deletingLastPathComponent()
}

/// What a run of `licet` left behind.
struct Run {
  var status: Int32
  var output: String
  var errors: String
}

/// Runs the program that was built beside this test bundle, in the package's folder, without colour.
func licet(_ arguments: String..., input: String? = nil, environment: [String: String] = [:]) throws -> Run {
  try runLicet(arguments, input: input, environment: environment)
}

func runLicet(_ arguments: [String], input: String?, environment: [String: String]) throws -> Run {
  let process = Process()
  process.executableURL = programFolder.appending(path: "licet")
  process.arguments = arguments
  process.currentDirectoryURL = PackageFiles.root
  process.environment = ["LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
  let (output, errors) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = errors
  if let input {
    let file = FileManager.default.temporaryDirectory.appending(path: "licet-input-\(UUID().uuidString)")
    try input.write(to: file, atomically: true, encoding: .utf8)
    process.standardInput = try FileHandle(forReadingFrom: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try process.run()
  } else {
    process.standardInput = FileHandle.nullDevice
    try process.run()
  }
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  return Run(status: process.terminationStatus, output: text, errors: complaint)
}

/// Holds `text` to a golden file. LICET_RECORD=1 writes it anew, and fails, so that no recording passes for a test.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let file = PackageFiles.root.appending(path: "Tests/LicetTests/Golden/\(name).txt")
  if ProcessInfo.processInfo.environment["LICET_RECORD"] == "1" {
    try text.write(to: file, atomically: true, encoding: .utf8)
    Issue.record("recorded \(name)", sourceLocation: sourceLocation)
    return
  }
  #expect(text == (try String(contentsOf: file, encoding: .utf8)), sourceLocation: sourceLocation)
}

/// A folder that goes when the test ends.
struct TemporaryFolder: ~Copyable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "licet-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  func write(_ text: String, to name: String) throws -> String {
    let file = url.appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}
