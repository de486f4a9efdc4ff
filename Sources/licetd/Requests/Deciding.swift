// Questions on the bus, one or many at once: asked of an operator, or in a session. Deciding is DecisionPoint's; what follows
// from a decision (suspicion, counts, who watches) is put together here.

import Authority
import Bus
import Consultation
import Decision
import Glibc
import System

extension Daemon {
  /// Requests in one CheckMany (DESIGN §5).
  static let requestsInOneCall = 4096

  /// Answers (as, a{sv}). `name` is an operator that the caller may speak for, the session's own.
  func answer(
    _ call: Call, _ reader: inout MessageReader, operator name: String, in session: Session? = nil, isExplaining: Bool
  ) throws(Refusal) {
    var names = reader
    let outcome = try decide(
      &reader, name, asked(session), halts(name, session), isExplaining: isExplaining, now: wallClock())
    let writer = AnswerWriter(generation: authority.generation.number)
    call.reply { writer.write(outcome, &$0) }
    if !isExplaining, subscribers.wantsDecisions { subscribers.tellDecided(name, &names, outcome, self) }
  }

  /// Answers a(asa{sv}), all by one generation: nothing else runs meanwhile.
  func answerMany(
    _ call: Call, _ caller: Caller, _ reader: inout MessageReader, operator name: String, in session: Session? = nil
  ) throws(Refusal) {
    let count = reader.count
    guard count <= Daemon.requestsInOneCall else {
      throw Refusal(.tooMany, "requests: at most \(Daemon.requestsInOneCall) in one call, not \(count)")
    }
    guard decisionPoint.limits.take(caller.identity.uid, decisions: count, now: loop.now) else {
      throw Refusal(.limitsExceeded, "user \(caller.identity.uid) asks too much at once")
    }
    let now = wallClock()
    let answer = AnswerWriter(generation: authority.generation.number)
    let reply = call.message.reply()
    var refusal: Refusal?
    reply.write { writer in
      do throws(Refusal) {
        var list = writer.openArray("(sasa{sv})")
        defer { writer.close(&list) }
        var requests = try structs(&reader)
        var number = 0
        while !requests.atEnd {
          var one = try nextStruct(&requests)
          var names = one
          let outcome: Outcome
          do throws(Refusal) {
            // Each by what the one before it left: suspicion may have been raised.
            outcome = try decide(
              &one, name, asked(session), halts(name, session), isExplaining: false, now: now)
          } catch {
            throw Refusal(error.code, "requests[\(number)]: \(error.text)")
          }
          var item = list.openStruct()
          answer.write(outcome, &item)
          list.close(&item)
          if subscribers.wantsDecisions { subscribers.tellDecided(name, &names, outcome, self) }
          number += 1
        }
      } catch {
        refusal = error
      }
    }
    if let refusal { throw refusal }
    call.reply(reply)
  }

  private func decide(
    _ reader: inout MessageReader, _ name: String, _ asked: Asked?, _ stops: [Halt], isExplaining: Bool, now: timespec
  ) throws(Refusal) -> Outcome {
    let outcome = try decisionPoint.decide(
      &reader, operator: name, in: asked, stops: stops, explaining: isExplaining, now: now)
    guard !isExplaining else { return outcome }
    decisionPoint.chargeIfSuspect(name, decisionPoint.policy(for: name), decisionPoint.behaviors)
    observe(name, outcome.effect)
    return outcome
  }

  /// What a session's requests are decided in.
  func asked(_ session: Session?) -> Asked? {
    session.map {
      Asked(root: $0.root.id, memory: authority.sessions.memory(of: $0), attributes: $0.root.attributes)
    }
  }

  /// What halts an operator, and a session of it.
  func halts(_ name: String, _ session: Session?) -> [Halt] {
    let stops = authority.stops.halts(name)
    guard let session, authority.sessions.isHalted(session) else { return stops }
    return authority.sessions.halts(of: session) + stops
  }

  private func structs(_ reader: inout MessageReader) throws(Refusal) -> MessageReader {
    do throws(ReadError) { return try reader.nextArray(of: .structure) } catch {
      throw Refusal(.badRequest, "\(error)")
    }
  }

  private func nextStruct(_ reader: inout MessageReader) throws(Refusal) -> MessageReader {
    do throws(ReadError) { return try reader.nextStruct() } catch { throw Refusal(.badRequest, "\(error)") }
  }

  private func wallClock() -> timespec {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return now
  }
}
