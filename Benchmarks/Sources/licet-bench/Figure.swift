// A measured figure, and the table of them.

struct Figure {
  let name: String
  let value: Double
  let unit: String
  let goal: Double?
  /// What it is a multiple of.
  let floor: Double?

  init(_ name: String, _ value: Double, unit: String, goal: Double? = nil, floor: Double? = nil) {
    self.name = name
    self.value = value
    self.unit = unit
    self.goal = goal
    self.floor = floor
  }

  var isMet: Bool { goal.map { value <= $0 } ?? true }

  /// name | value | goal | ratio to the floor | verdict
  var line: String {
    let verdict = goal == nil ? "" : isMet ? "met" : "MISSED"
    return padded(name, 44) + padded("\(short(value)) \(unit)", 14, right: true)
      + padded(goal.map { "\(short($0)) \(unit)" } ?? "", 14, right: true)
      + padded(floor.map { "\(short(value / $0))x" } ?? "", 9, right: true) + "  " + verdict
  }

  static let header =
    padded("figure", 44) + padded("measured", 14, right: true) + padded("goal", 14, right: true)
    + padded("floor", 9, right: true)
}
