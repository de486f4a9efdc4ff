// Sessions by when they end: a binary heap in which each session knows its place, so that one that is closed leaves
// nothing behind.

struct Deadlines {
  private var heap: [Session] = []

  var first: Session? { heap.first }
  var isEmpty: Bool { heap.isEmpty }

  mutating func insert(_ session: Session) {
    heap.append(session)
    rise(heap.count - 1)
  }

  mutating func remove(_ session: Session) {
    let place = Int(session.place)
    guard place >= 0, place < heap.count, heap[place] === session else { return }
    session.place = -1
    let last = heap.removeLast()
    guard last !== session else { return }
    put(last, place)
    sink(place)
    rise(Int(last.place))
  }

  private mutating func put(_ session: Session, _ place: Int) {
    heap[place] = session
    session.place = Int32(truncatingIfNeeded: place)
  }

  private mutating func rise(_ start: Int) {
    let session = heap[start]
    var place = start
    while place > 0, heap[(place - 1) / 2].deadline > session.deadline {
      put(heap[(place - 1) / 2], place)
      place = (place - 1) / 2
    }
    put(session, place)
  }

  private mutating func sink(_ start: Int) {
    let session = heap[start]
    var place = start
    while true {
      var child = 2 * place + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].deadline < heap[child].deadline { child += 1 }
      guard heap[child].deadline < session.deadline else { break }
      put(heap[child], place)
      place = child
    }
    put(session, place)
  }
}
