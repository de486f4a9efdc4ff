// `licet compile DIR -o FILE`: a platform and its operators as one image file, for containers and tests.

import ArgumentParser
import Consultation
import Offline
import PolicyImage
import PolicyLanguage

struct Compile: LicetCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compile a policy folder into one image file.",
    discussion: """
      The file holds the platform and every operator, needs no daemon, and is what --image reads. A folder with an \
      error in it is refused (65) unless --keep-going leaves the broken operators out.
      """)

  @Argument(help: "Policy folders; later ones override earlier ones.", completion: .directory)
  var folders: [String]

  @Option(name: .shortAndLong, help: "The image file to write.")
  var output: String

  @Flag(name: .long, help: "Leave operators with errors out instead of refusing the folder.")
  var keepGoing = false

  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let source = try PolicySource(folders: folders)
    let policy = try source.requirePolicy()
    if !source.errors.isEmpty, !keepGoing {
      if !format.json { Output.error(source.renderer(color: Style.detected().color).render(source.errors)) }
      throw CommandError(
        .badPolicy, "\(DiagnosticsText.count(source.errors.count, "error")), nothing is written",
        at: folders.joined(separator: ", "), hint: "--keep-going leaves the broken operators out")
    }
    let bundle = Bundle.build(
      platform: source.loaded?.platformImage ?? [], overlays: source.loaded?.overlayImages ?? [:])
    try Files.write(bundle, to: output)
    if format.json {
      Output.line(
        JSON.fields([
          "output": .string(output), "bytes": .int(Int64(bundle.count)), "platform": .string(policy.identity.name),
          "operators": .strings(policy.operators), "broken": .strings(source.set?.broken.sorted() ?? []),
        ]).pretty)
    } else {
      Output.line(
        "\(output): \(bundle.count) bytes, platform \(policy.identity.name) with "
          + DiagnosticsText.count(policy.operators.count, "operator"))
    }
    return 0
  }
}
