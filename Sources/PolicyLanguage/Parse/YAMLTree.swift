// One YAML document as flat arrays: records, child lists, and the bytes of all scalars. Indices are made by the
// composer and never leave the module; an alias is the index of what it stands for, so the tree is a graph without
// cycles.

typealias NodeID = Int32

struct YAMLNode {
  enum Kind: UInt8 { case scalar, sequence, mapping }
  enum Style: UInt8 { case plain, singleQuoted, doubleQuoted, literal, folded }

  var kind: Kind
  var style: Style
  /// Where it starts and ends, counted from 0.
  var line: Int32
  var column: Int32
  var endLine: Int32
  var endColumn: Int32
  /// Into `text` for a scalar, into `children` for a collection (a mapping's alternate key, value).
  var first: Int32
  var count: Int32
}

/// One policy file, composed. Immutable after composing.
final class Document {
  let path: String
  let rank: Int
  let bytes: [UInt8]
  var nodes: [YAMLNode] = []
  var children: [NodeID] = []
  var text: [UInt8] = []
  /// nil: the file is empty, or only comments.
  var root: NodeID?

  init(path: String, rank: Int, bytes: [UInt8]) {
    self.path = path
    self.rank = rank
    self.bytes = bytes
  }

  func node(_ id: NodeID) -> YAMLNode { nodes[Int(id)] }
  func kind(_ id: NodeID) -> YAMLNode.Kind { nodes[Int(id)].kind }

  /// A scalar's bytes; empty for a collection.
  func content(_ id: NodeID) -> ArraySlice<UInt8> {
    let node = nodes[Int(id)]
    guard node.kind == .scalar else { return [] }
    return text[Int(node.first)..<Int(node.first + node.count)]
  }

  func string(_ id: NodeID) -> String { String(decoding: content(id), as: UTF8.self) }

  /// A sequence's items; keys and values of a mapping in turn.
  func items(_ id: NodeID) -> ArraySlice<NodeID> {
    let node = nodes[Int(id)]
    guard node.kind != .scalar else { return [] }
    return children[Int(node.first)..<Int(node.first + node.count)]
  }

  /// A mapping's (key, value) pairs in the order written.
  func pairs(_ id: NodeID) -> [(key: NodeID, value: NodeID)] {
    guard kind(id) == .mapping else { return [] }
    let items = items(id)
    return stride(from: items.startIndex, to: items.endIndex - 1, by: 2).map { (items[$0], items[$0 + 1]) }
  }

  func location(_ id: NodeID) -> Location {
    let node = nodes[Int(id)]
    return Location(file: path, line: Int(node.line) + 1, column: Int(node.column) + 1)
  }

  func location(_ mark: Mark) -> Location { Location(file: path, line: mark.line + 1, column: mark.column + 1) }

  /// How many scalars of its first line a caret underlines.
  func length(_ id: NodeID) -> Int {
    let node = nodes[Int(id)]
    if node.line == node.endLine { return max(1, Int(node.endColumn) - Int(node.column)) }
    return 1
  }
}
