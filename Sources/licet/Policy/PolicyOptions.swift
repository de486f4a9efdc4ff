// The flags that say which policy a command works on.

import ArgumentParser
import PolicyLanguage

struct PolicyOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A policy folder; given several times, later ones override earlier ones.",
      discussion: "Without it: /usr/lib/licet, /run/licet and /etc/licet, in this order.", valueName: "dir"),
    completion: .directory)
  var policy: [String] = []

  @Option(
    name: .long, help: ArgumentHelp("An image that `licet compile` made.", valueName: "file"),
    completion: .file(extensions: ["licet"]))
  var image: String?

  /// Reads what the flags name.
  func source() throws(CommandError) -> PolicySource {
    if let image {
      guard policy.isEmpty else {
        throw CommandError(.conflictingFlags, "--policy and --image exclude each other", at: "--image")
      }
      return try PolicySource(image: image)
    }
    return try PolicySource(folders: policy.isEmpty ? PolicyFolder.systemFolders : policy)
  }
}
