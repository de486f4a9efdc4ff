// `licet import model-spec FILE.md [-o FILE]`: the published Model Spec as a platform file.

import ArgumentParser

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn a published document into a policy file.", subcommands: [ImportModelSpec.self])
}

struct ImportModelSpec: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "model-spec",
    abstract: "Turn the Model Spec into a platform file.",
    discussion: """
      Every section with a level of authority becomes the behaviour `departs-from.SECTION`: may the assistant depart \
      from what the section asks? At level root nobody may; at system the platform decides; at developer the \
      operator can allow it; at user and guideline the user can, too. The default is always deny.
      """)

  @Argument(help: "The document, as Markdown; `-` is standard input.", completion: .file(extensions: ["md"]))
  var file: String

  @Option(name: .shortAndLong, help: "Write the platform file here instead of to standard output.")
  var output: String?

  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    let text = try Files.text(file)
    let sections: [ModelSpecSection]
    do {
      sections = try ModelSpec.sections(in: text)
    } catch {
      throw CommandError(.badDocument, error.message, at: "\(file):\(error.line)")
    }
    let name = file == "-" ? "standard input" : file.split(separator: "/").last.map(String.init) ?? file
    let policy = ModelSpec.policy(of: sections, source: name)
    if let output { try Files.write(Array(policy.utf8), to: output) }
    if format.json {
      Output.line(summary(of: sections, policy: policy).pretty)
    } else if let output {
      Output.line("\(output): \(sections.count) sections")
    } else {
      Output.text(policy)
    }
    return 0
  }

  private func summary(of sections: [ModelSpecSection], policy: String) -> JSON {
    .fields([
      "sections": .array(
        sections.map {
          .fields([
            "behavior": .string("departs-from.\($0.anchor)"), "title": .string($0.title),
            "authority": .string($0.authority.rawValue), "tags": .strings($0.tags), "line": .int(Int64($0.line)),
          ])
        }),
      "policy": output == nil ? .string(policy) : nil,
    ])
  }
}
