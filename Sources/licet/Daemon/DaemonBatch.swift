// `check --batch` by the daemon: lines of one operator go together, a thousand at a time; one that is refused takes
// none of the others with it.

import Bus

struct DaemonBatch {
  /// CheckMany takes at most 4,096 requests and 1 MiB.
  static let maximumCount = 1000
  static let maximumBytes = 256 << 10

  private struct Item {
    let form: RequestForm
    let request: DaemonRequest
  }

  /// What stands for a line: decided with others, or known to be wrong.
  private enum Entry {
    case item(Item, size: Int)
    case failed(CommandError)
  }

  private let daemon: Daemon
  private let session: DaemonSession?

  init(_ daemon: Daemon, in session: DaemonSession?) { (self.daemon, self.session) = (daemon, session) }

  /// One line out a line in, in order; 0, or 64 if any line had an error.
  func run(_ file: BatchFile) throws(CommandError) -> Int32 {
    var failures = 0
    var chunk: [Item] = []
    var size = 0
    func flush() throws(CommandError) {
      guard !chunk.isEmpty else { return }
      failures += try decide(chunk)
      chunk = []
      size = 0
    }
    for line in file.lines {
      switch entry(line) {
      case .failed(let error):
        try flush()
        failures += 1
        Output.line(error.json.compact)
      case .item(let item, let bytes):
        let isOther = chunk.first.map { $0.request.operatorName != item.request.operatorName } ?? false
        if isOther || chunk.count == Self.maximumCount || size + bytes > Self.maximumBytes { try flush() }
        chunk.append(item)
        size += bytes
      }
    }
    try flush()
    return failures == 0 ? 0 : Exit.usage.rawValue
  }

  private func entry(_ line: BatchFile.Line) -> Entry {
    do throws(CommandError) {
      let form = try line.form()
      return .item(Item(form: form, request: try DaemonRequest(form, in: session)), size: line.bytes.count &+ 64)
    } catch {
      return .failed(error)
    }
  }

  /// Prints a line each; how many were errors.
  private func decide(_ chunk: [Item]) throws(CommandError) -> Int {
    var failures = 0
    do throws(CommandError) {
      for (answer, item) in zip(try askTogether(chunk), chunk) {
        failures += print { () throws(CommandError) in try DaemonAnswer(answer.items, asked: item.form.behaviors) }
      }
    } catch {
      // Something in it is wrong: one by one, each says what. What concerns the daemon itself ends the batch.
      guard error.code.exit == .usage || error.code == .notBound else { throw error }
      for item in chunk {
        failures += print { () throws(CommandError) in try daemon.ask(.check, item.form, in: session) }
      }
    }
    return failures
  }

  private func print(_ decide: () throws(CommandError) -> DaemonAnswer) -> Int {
    do throws(CommandError) {
      let decided = try decide()
      Output.line(AnswerJSON.json(decided.answer, generation: decided.generation).compact)
      return 0
    } catch {
      Output.line(error.json.compact)
      return 1
    }
  }

  private func askTogether(_ chunk: [Item]) throws(CommandError) -> [JSON] {
    let reply = try daemon.call(of: session, "CheckMany") { writer in
      if session == nil { writer.append(chunk[0].request.operatorName) }
      writer.array("(asa{sv})") { list in
        for item in chunk {
          list.structure { fields in
            fields.append(item.request.behaviors)
            item.request.write(&fields, explaining: true)
          }
        }
      }
    }
    guard let answers = reply.first?.items, answers.count == chunk.count else {
      throw CommandError(.badReply, "the daemon answered another number of requests than it was asked", at: "licetd")
    }
    return answers
  }
}
