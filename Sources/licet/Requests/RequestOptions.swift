// The flags that state one request (DESIGN §10), or the file that holds it.

import ArgumentParser
import Consultation
import Offline

struct RequestOptions: ParsableArguments {
  @Option(name: .long, help: "The operator that asks; may be left out where there is only one.")
  var `operator`: String?

  @Option(name: .long, help: "What is asked about, as tool.shell.exec; several are one action that is all of them.")
  var behavior: [String] = []

  @Option(name: .long, help: "What it is done to, as mailto:a@b.c.")
  var resource: String?

  @Option(
    name: .long, help: "On whose instruction: platform, operator, user, agent (the default) or untrusted.",
    completion: .list(["platform", "operator", "user", "agent", "untrusted"]))
  var source: String?

  @Option(name: .long, help: "Who the user is (user.id).")
  var user: String?

  @Option(name: .long, help: ArgumentHelp("An attribute, as user.role=member.", valueName: "name=value"))
  var set: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("An attribute in JSON, as 'request.args={\"path\": \"/tmp\"}'.", valueName: "name=json"))
  var setJson: [String] = []

  @Option(name: .long, help: "Free text that tries to justify it; it can only make the answer stricter.")
  var argument: String?

  @Option(
    name: .long, help: "The user's wish: deny, ask or allow.", completion: .list(["deny", "ask", "allow"]))
  var preference: String?

  @Option(
    name: .long,
    help: "The session's dial, between 0 and 1: how far the agent may go on its own, as far as users may raise it.")
  var dial: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Terms of a session, the root's first and then each delegate's: a JSON file; `-` is standard input.",
      valueName: "file"),
    completion: .file(extensions: ["json"]))
  var terms: String?

  @Option(name: .long, help: "How suspect whoever asks is: 1 for an attempt at what is hard-coded off.")
  var suspicion: String?

  @Option(
    name: .long, help: ArgumentHelp("A period that is to count as ended; all others run.", valueName: "period"))
  var ended: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What a counter has come to, the request included; of all others it isn't known.", valueName: "name=n"))
  var setCounter: [String] = []

  @Option(name: .long, help: "The time to decide for, as 2027-01-01T00:00:00Z; now, when left out.")
  var now: String?

  @Option(
    name: .long, help: ArgumentHelp("Read the request from a JSON file; `-` is standard input.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var request: String?

  /// The file's request with the flags' statements over it, or the flags' alone.
  func form() throws(CommandError) -> RequestForm {
    var form = RequestForm()
    if let request { form = try RequestForm(try JSON(file: request, try Files.read(request))) }
    if let `operator` { form.operatorName = `operator` }
    if !behavior.isEmpty { form.behaviors = behavior }
    if let resource { form.resource = resource }
    if let source { form.source = try .init(named: source, at: "--source") }
    if let argument { form.argument = argument }
    if let preference { form.preference = try .init(named: preference, at: "--preference") }
    if let dial { form.dial = try .init(parsing: Double(dial), at: "--dial") }
    if let terms {
      form.terms = try TermsForm.levels(try JSON(file: terms, try Files.read(terms)), at: "--terms")
    }
    if let suspicion { form.suspicion = try suspicionLevel(parsing: Double(suspicion), at: "--suspicion") }
    form.ended += ended
    for assignment in setCounter { try form.setCounter(assignment, flag: "--set-counter") }
    if let now { form.now = try Instant(parsing: now, at: "--now") }
    if let user { form.attributes["user", default: [:]]["id"] = .string(user) }
    for assignment in set { try form.set(assignment, flag: "--set", isJSON: false) }
    for assignment in setJson { try form.set(assignment, flag: "--set-json", isJSON: true) }
    return form
  }
}
