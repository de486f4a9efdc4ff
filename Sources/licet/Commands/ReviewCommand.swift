// `licet review`: what two newspapers would print about a policy, and where a panel of reviewers disagrees with it.

import ArgumentParser
import Consultation
import Offline
import PolicyLanguage

struct ReviewCommand: LicetCommand {
  static let configuration = CommandConfiguration(
    commandName: "review",
    abstract: "Weigh a policy for those who ask: expected harm, benefit lost, and a panel's verdict.",
    discussion: """
      For the platform alone and for each operator, and for each behaviour that states a population: what a reporter on \
      AI harm would print (it is allowed, and some come to harm) and what a reporter on paternalism would print (it is \
      denied or asked about, and some go without), the gravest first, with the statement that decides. Statements with a \
      condition are left out of it and listed. Then every *_panel.yaml below the folders, or the files of --panel: \
      scenarios marked `harmful-if` or `preachy-if`. Exits with 1 if one errs.
      """)

  @OptionGroup var policy: PolicyOptions
  @Argument(help: "Policy folders, as with --policy.", completion: .directory)
  var folders: [String] = []
  @Option(name: .long, help: "Only this operator.")
  var `operator`: String?
  @Option(name: .long, help: "A panel file (repeatable), in place of those below the folders.", completion: .file())
  var panel: [String] = []
  @Option(name: .long, help: ArgumentHelp("Write a page with charts.", valueName: "file"), completion: .file())
  var html: String?
  @OptionGroup var format: FormatOptions

  func perform() throws(CommandError) -> Int32 {
    guard policy.image == nil else {
      throw CommandError(.conflictingFlags, "an image holds choices, not populations; name its folder", at: "--image")
    }
    guard html == nil || !format.json else {
      throw CommandError(.conflictingFlags, "--html and --json exclude each other", at: "--html")
    }
    let source = try policy.source(folders)
    let table = AttributeTable(try source.requirePolicy())
    if let `operator` { _ = try source.resolve(operator: `operator`) }
    guard let set = source.set else { throw CommandError(.badPolicy, "no platform is in force") }
    var review = try Review(set, only: `operator`)
    for path in panel.isEmpty ? source.names.flatMap(Panel.files) : panel {
      let cases = try Panel.read(path).filter { `operator` == nil || $0.form.operatorName == `operator` }
      review.panel += cases.map { source.judge($0, table) }
    }
    try write(review)
    if !source.errors.isEmpty {
      Output.error("licet: the policy has errors; `licet validate` shows them")
      return Exit.data.rawValue
    }
    return review.errors.isEmpty ? 0 : 1
  }

  private func write(_ review: Review) throws(CommandError) {
    if let html {
      try Files.write(Array(ReviewPage(review).text.utf8), to: html)
    } else if format.json {
      Output.line(ReviewJSON.json(review).pretty)
    } else {
      Output.text(ReviewText(style: .detected()).page(review))
    }
  }
}
