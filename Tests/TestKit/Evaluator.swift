// Whatever answers requests: the Oracle, the engine, or one of them with a fault. Properties are stated over this.

public import Oracle
internal import PolicyLanguage

public struct Evaluator: Sendable {
  public typealias Answer = (OracleRequest) throws -> OracleDecision
  public var name: String
  /// What a policy costs once (compiling it) happens here.
  public var prepare: @Sendable (LoadedPolicy) throws -> Answer

  public init(_ name: String, prepare: @escaping @Sendable (LoadedPolicy) throws -> Answer) {
    self.name = name
    self.prepare = prepare
  }

  public static let oracle = Evaluator("Oracle") { policy in
    { try Oracle.decide($0, platform: policy.platform, operator: policy.operator) }
  }
}
