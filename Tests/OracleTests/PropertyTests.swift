// Each property on generated cases, for the Oracle and for the engine; and each shown to bite: a deliberate fault
// that breaks it is found.

import Oracle
import PolicyImage
import PolicyLanguage
import TestKit
import Testing

@Suite struct PropertyTests {
  /// A property's share of an ordinary run: half of the decisions over the properties and two evaluators.
  static let share = max(1, Trial.decisions / 36)
  /// In how many decisions a fault must show. Fixed, so that a short run doesn't miss it.
  static let patience = 20_000

  @Test(arguments: Property.allCases)
  func holdsForTheOracle(_ property: Property) {
    let counterexample = Trial.run(.oracle, upTo: Self.share, property.check)
    #expect(counterexample == nil, "\(property.rawValue) \(counterexample?.description ?? "")")
  }

  @Test(arguments: Property.allCases)
  func holdsForTheEngine(_ property: Property) {
    let counterexample = Trial.run(.engine, upTo: Self.share, property.check)
    #expect(counterexample == nil, "\(property.rawValue) \(counterexample?.description ?? "")")
  }

  static let faults: [(Fault, Property)] = [
    (.absolutesForgotten, .absolutesStand), (.ceilingsForgotten, .ceilingsBound),
    (.argumentLoosens, .argumentsNeverLoosen),
    (.failedLimitsIgnored, .failuresNeverLoosen), (.failedDutiesApply, .failuresNeverLoosen),
    (.onlyDeepestLimits, .restrictionsNeverLoosen), (.missingGrantsLift, .restrictionsNeverLoosen),
    (.dutiesCap, .restrictionsNeverLoosen), (.firstSettingWins, .orderDoesNotMatter),
    (.namesBelowForgotten, .widerNeverLooser), (.dutiesOutrankHalts, .haltsDeny),
    (.failedObligationsLost, .failuresKeepObligations), (.smallDialsForgotten, .lowerDialsNeverLoosen),
    (.dutiesOutrankDial, .agentsAskAboveTheDial), (.periodsInverted, .runningPeriodsNeverLooser),
    (.unknownCountersAreZero, .unknownCountersNeverLoosen),
    (.parentsForgotten, .delegatesNeverHaveMore), (.delegatesLift, .delegatesNeverHaveMore),
    (.delegatesDialsForgotten, .agentsAskAboveTheDial), (.delegatesSpeakForUsers, .agentsAskAboveTheDial),
    (.termNamesForgotten, .widerNeverLooser), (.highSuspicionForgotten, .suspicionNeverLoosens),
    (.boundsForgotten, .populationsAreServed), (.payoffsRounded, .populationsAreServed),
    (.audiencesForgotten, .populationsAreServed), (.audiencesUnbounded, .populationsAreServed),
  ]

  @Test func everyFaultIsTried() {
    #expect(Set(Self.faults.map(\.0)) == Set(Fault.allCases))
    #expect(Set(Self.faults.map(\.1)) == Set(Property.allCases))
  }

  @Test(arguments: faults)
  func bites(_ fault: Fault, _ property: Property) {
    let counterexample = Trial.run(Evaluator.oracle.with(fault), upTo: Self.patience, property.check)
    #expect(counterexample != nil, "\(property.rawValue) doesn't notice \(fault)")
  }

  /// The ordered fold that the trace tells and the form without an order that decides are the same.
  @Test func traceEndsWithTheDecision() {
    let counterexample = Trial.run(.oracle, upTo: Self.share) { one, _, answer in
      let decision = try answer(one.request)
      var last: [String: Effect] = [:]
      for entry in decision.trace { last[entry.name] = entry.effect }
      return last.values.min() == decision.effect ? nil : "\(decision.summary), but the trace ends with \(last)"
    }
    #expect(counterexample == nil, "\(counterexample?.description ?? "")")
  }
}
