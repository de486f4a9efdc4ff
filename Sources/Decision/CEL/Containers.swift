// Lists, maps and optionals: making them in the arena, and reading them. A list or map that the evaluator made has
// 16 bytes of room in front that say how far it may grow in place, so that a loop which appends is linear: the first
// to extend a prefix gets the room behind it, whoever holds the shorter prefix never sees what came after.

import PolicyImage

/// What stands before the elements of a container made here.
private struct Room {
  var capacity: UInt32
  var used: UInt32
  var reserved: UInt64 = 0
}

extension Evaluator {
  // MARK: Building

  private mutating func container(_ kind: ValueKind, capacity: Int) -> Value {
    guard let p = allocate(capacity &* 16 &+ 16) else { return .failure(.arenaFull) }
    p.bindMemory(to: Room.self, capacity: 1).pointee = Room(capacity: UInt32(truncatingIfNeeded: capacity), used: 0)
    var value = Value(kind: kind, address: p + 16, length: 0)
    value.reserved0 = 1
    return value
  }

  /// The value with room for `extra` more Values behind its content, copied when necessary; `length` unchanged.
  private mutating func grown(_ value: Value, extra: Int) -> Value {
    let cells = value.kind == .map ? value.count &* 2 : value.count
    guard pay(extra &+ 1) else { return .failure(.costLimit) }
    if value.reserved0 == 1, let base = value.address {
      let room = UnsafeMutablePointer<Room>(mutating: (base - 16).assumingMemoryBound(to: Room.self))
      if Int(room.pointee.used) == cells, Int(room.pointee.capacity) &- cells >= extra { return value }
    }
    guard pay(cells) else { return .failure(.costLimit) }
    let doubled = cells &* 2 &+ extra
    var copy = container(value.kind, capacity: doubled)
    if copy.kind == .error { copy = container(value.kind, capacity: cells &+ extra) }
    guard copy.kind != .error, let target = copy.mutableElements else { return copy }
    if let source = value.elements { target.update(from: source, count: cells) }
    copy.length = value.length
    return copy
  }

  /// Records that a grown container holds `cells` Values now.
  private func setUsed(_ value: Value, cells: Int) {
    guard let base = value.address else { return }
    let room = UnsafeMutablePointer<Room>(mutating: (base - 16).assumingMemoryBound(to: Room.self))
    room.pointee.used = UInt32(truncatingIfNeeded: cells)
  }

  mutating func newList(_ elements: UnsafeMutablePointer<Value>, count: Int, optionals: UInt32) -> Value {
    let list = container(.list, capacity: count)
    return list.kind == .error ? list : appending(to: list, elements, count: count, optionals: optionals)
  }

  mutating func appending(
    to list: Value, _ elements: UnsafeMutablePointer<Value>, count: Int, optionals: UInt32
  ) -> Value {
    guard list.kind == .list else { return .failure(list) }
    var i = 0
    while i < count {
      if elements[i].kind == .error { return elements[i] }
      i &+= 1
    }
    var result = grown(list, extra: count)
    guard result.kind == .list, let base = result.mutableElements else { return result }
    var n = result.count
    i = 0
    while i < count {
      if let element = present(elements[i], isOptional: optionals >> UInt32(truncatingIfNeeded: i) & 1 == 1) {
        if element.kind == .error { return element }
        base[n] = element
        n &+= 1
      }
      i &+= 1
    }
    result.length = UInt32(truncatingIfNeeded: n)
    setUsed(result, cells: n)
    return result
  }

  /// What an element written with `?` contributes: nothing, its value, or a failure.
  private func present(_ value: Value, isOptional: Bool) -> Value? {
    if !isOptional { return value }
    guard value.kind == .optional else { return .failure(value) }
    return value.elements?.pointee
  }

  mutating func concatenatedLists(_ a: Value, _ b: Value) -> Value {
    var result = grown(a, extra: b.count)
    guard result.kind == .list, let base = result.mutableElements else { return result }
    if let source = b.elements { (base + result.count).update(from: source, count: b.count) }
    result.length = result.length &+ b.length
    setUsed(result, cells: result.count)
    return result
  }

  mutating func newMap(_ pairs: UnsafeMutablePointer<Value>, count: Int, optionals: UInt32) -> Value {
    let map = container(.map, capacity: count &* 2)
    return map.kind == .error ? map : inserting(into: map, pairs, count: count, optionals: optionals)
  }

  mutating func inserting(
    into map: Value, _ pairs: UnsafeMutablePointer<Value>, count: Int, optionals: UInt32
  ) -> Value {
    guard map.kind == .map else { return .failure(map) }
    var result = grown(map, extra: count &* 2)
    guard result.kind == .map, let base = result.mutableElements else { return result }
    var i = 0
    while i < count {
      let key = pairs[i &* 2]
      let entry = present(pairs[i &* 2 &+ 1], isOptional: optionals >> UInt32(truncatingIfNeeded: i) & 1 == 1)
      i &+= 1
      guard key.isKey else { return .failure(key) }
      guard let value = entry else { continue }
      if value.kind == .error { return value }
      if find(key, in: result) != nil { return .failure(.duplicateKey) }
      if budget < 0 { return .failure(.costLimit) }
      base[result.count &* 2] = key
      base[result.count &* 2 &+ 1] = value
      result.length = result.length &+ 1
    }
    setUsed(result, cells: result.count &* 2)
    return result
  }

  /// `cel.@mapInsert(map, map)`.
  mutating func insertingAll(_ a: Value, _ b: Value) -> Value {
    guard a.kind == .map, b.kind == .map else { return .failure(a, b) }
    guard let source = b.elements else { return a }
    var result = a
    var i = 0
    while i < b.count, result.kind == .map {
      result = inserting(
        into: result, UnsafeMutablePointer(mutating: source + i &* 2), count: 1, optionals: 0)
      i &+= 1
    }
    return result
  }

  mutating func some(_ value: Value) -> Value {
    if value.kind == .error { return value }
    guard let p = allocateValues(1) else { return .failure(.arenaFull) }
    p.pointee = value
    return Value(kind: .optional, address: p, length: 0)
  }

  // MARK: Reading

  mutating func membership(of element: Value, in container: Value) -> Value {
    if element.kind == .error || container.kind == .error { return .failure(element, container) }
    switch container.kind {
    case .list:
      guard let base = container.elements else { return .bool(false) }
      var i = 0
      while i < container.count {
        if element.kind == .string && base[i].kind == .string && element.length != base[i].length {
          if !pay(1) { break }
        } else if areEqual(element, base[i], depth: 0) {
          return .bool(true)
        }
        i &+= 1
      }
    case .map:
      if find(element, in: container) != nil { return .bool(true) }
    default: return .failure(.noSuchOverload)
    }
    return budget < 0 ? .failure(.costLimit) : .bool(false)
  }

  mutating func indexed(_ container: Value, _ key: Value) -> Value {
    if container.kind == .error || key.kind == .error { return .failure(container, key) }
    switch container.kind {
    case .list:
      guard let position = listPosition(key) else { return .failure(.noSuchOverload) }
      guard position >= 0, position < container.count, let base = container.elements else {
        return .failure(.outOfRange)
      }
      return base[position]
    case .map:
      guard key.isNumber || key.isKey else { return .failure(.noSuchOverload) }
      if let value = find(key, in: container) { return value }
      return .failure(budget < 0 ? .costLimit : .noSuchKey)
    case .optional:
      guard let inner = container.elements else { return container }
      return optionally(indexed(inner.pointee, key))
    default: return .failure(.noSuchOverload)
    }
  }

  /// The position that a list's index stands for: whole numbers of every kind; -1 for one outside any list.
  private func listPosition(_ key: Value) -> Int? {
    switch key.kind {
    case .int: return key.asInt >= 0 && key.asInt < 1 << 40 ? Int(truncatingIfNeeded: key.asInt) : -1
    case .uint: return key.payload < 1 << 40 ? Int(truncatingIfNeeded: key.payload) : -1
    case .double:
      let d = key.asDouble
      guard d > -1e12, d < 1e12 else { return d.isNaN ? nil : -1 }
      let whole = Int(d)
      return Double(whole) == d ? whole : nil
    default: return nil
    }
  }

  /// A value as an optional; a key or index that is not there is none.
  private mutating func optionally(_ value: Value) -> Value {
    if value.kind == .error, value.failure == .noSuchKey || value.failure == .outOfRange { return .none }
    return some(value)
  }

  mutating func optionallyIndexed(_ container: Value, _ key: Value) -> Value {
    if container.kind == .optional { return indexed(container, key) }
    return optionally(indexed(container, key))
  }

  mutating func selected(_ operand: Value, _ field: Value) -> Value {
    guard operand.kind == .map || operand.kind == .optional else { return .failure(operand) }
    return indexed(operand, field)
  }

  mutating func hasField(_ operand: Value, _ field: Value) -> Value {
    switch operand.kind {
    case .map:
      let found = find(field, in: operand) != nil
      return budget < 0 ? .failure(.costLimit) : .bool(found)
    case .optional:
      guard let inner = operand.elements else { return .bool(false) }
      return inner.pointee.kind == .optional ? .failure(.noSuchOverload) : hasField(inner.pointee, field)
    default: return .failure(operand)
    }
  }
}

extension Value {
  static var none: Value { Value(kind: .optional, payload: 0) }
  @inline(__always) var isKey: Bool { kind == .string || kind == .int || kind == .uint || kind == .bool }
  /// Only of containers that the evaluator has just made.
  var mutableElements: UnsafeMutablePointer<Value>? { elements.map { UnsafeMutablePointer(mutating: $0) } }
}
