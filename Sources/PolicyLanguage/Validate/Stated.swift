// A value together with where it is stated, and how values of several files become one: a higher folder overrides a
// lower one; two places of one folder have to agree.

struct Stated<Value: Equatable> {
  var value: Value
  var location: Location
  var length: Int
  var rank: Int
}

extension Report {
  /// Files come in the order of rank, then path, so what is kept and what is reported doesn't depend on the caller's.
  func merge<Value>(_ slot: inout Stated<Value>?, _ new: Stated<Value>?, _ what: @autoclosure () -> String) {
    guard let new else { return }
    guard let old = slot, old.rank >= new.rank else {
      slot = new
      return
    }
    guard old.value != new.value else { return }
    error(
      .conflict, new.location, "two files of one folder disagree on \(what())", length: new.length,
      hint: "keep one, or put the one that is to win into a higher folder",
      related: .init(location: old.location, message: "it is stated differently here"))
  }
}

extension Shape {
  func stated<Value>(_ node: NodeID?, _ value: Value?) -> Stated<Value>? {
    guard let node, let value else { return nil }
    return Stated(
      value: value, location: document.location(node), length: document.length(node), rank: document.rank)
  }
}
