// `dial` of the platform's files, and of an operator's -> what is in force (DESIGN §2.5).

internal import PolicyImage

/// What the platform's files state of the dial.
struct DialDraft {
  private var `default`: Stated<Degree>?
  private var operatorsMay: Stated<Degree>?
  private var usersMay: Stated<Degree>?
  private var after: [String: AlternativeDraft<Degree>] = [:]

  /// Merges one file's `dial`.
  mutating func read(_ shape: Shape, _ node: NodeID?) {
    guard let node, let fields = shape.fields(node, .dial) else { return }
    shape.report.merge(&`default`, shape.degree(fields[.default]), "`default` of the dial")
    shape.report.merge(&operatorsMay, shape.degree(fields[.operatorsMay]), "`operators-may` of the dial")
    shape.report.merge(&usersMay, shape.degree(fields[.usersMay]), "`users-may` of the dial")
    shape.readAlternatives(fields[.after], .dialAlternative, into: &after, "the dial") { shape.degree($0) }
  }

  /// After all files. Ceilings that are omitted equal the default, as a behaviour's do.
  func dial(_ report: Report, _ periods: [Period]) -> Dial {
    for (ceiling, key) in [(operatorsMay, "operators-may"), (usersMay, "users-may")] {
      guard let ceiling else { continue }
      guard let `default` else {
        report.error(
          .ceilingWithoutDefault, ceiling.location, "the dial's `\(key)` needs a `default` beside it",
          length: ceiling.length,
          hint: "a platform that states no dial has \(Degree.unstatedDial), and ceilings alike")
        continue
      }
      if ceiling.value < `default`.value {
        report.error(
          .ceilingBelowDefault, ceiling.location, "the dial's `\(key)` is below its default", length: ceiling.length,
          hint: "a ceiling says how far others may raise the dial; to make things stricter, lower the default",
          related: .init(location: `default`.location, message: "the default is `\(`default`.value)`"))
      }
    }
    let check = AlternativeCheck(report: report, periods: periods, what: "the dial")
    check.check(after, own: `default`.map { ($0.value, operatorsMay?.value, usersMay?.value) }, at: `default`?.location)
    guard let `default` else { return .unstated }
    var dial = Dial(
      default: StatedDegree(`default`), operatorsMay: operatorsMay.map { StatedDegree($0) },
      usersMay: usersMay.map { StatedDegree($0) })
    dial.after = after.mapValues(\.alternative)
    return dial
  }
}

extension StatedDegree {
  init(_ stated: Stated<Degree>) { self.init(stated.value, at: stated.location) }
}

extension Shape {
  /// A dial's number, rounded down: the cautious way.
  func degree(_ node: NodeID?) -> Stated<Degree>? {
    stated(node, node.flatMap(number).flatMap { Degree($0, up: false) })
  }

  /// Strictly between the ends, and no higher than a dial may be while no period has ended.
  func checkDial(_ node: NodeID, _ name: String, highest: Degree) -> Bool {
    guard let number = number(node) else {
      wrongType(node, "`\(name)` has to be a number")
      return false
    }
    guard let degree = Degree(number, up: false), degree > .zero, degree < .one else {
      report.error(
        .outOfRange, document, node, "`\(name)` has to lie strictly between 0 and 1",
        hint: "0 would be fully corrigible, 1 fully autonomous; neither end is safe")
      return false
    }
    guard degree <= highest else {
      report.error(
        .dialAboveHalf, document, node, "`\(name)` may be at most \(highest)",
        hint: "more is for when a period has ended: `after: {PERIOD: {…}}`")
      return false
    }
    return true
  }
}
