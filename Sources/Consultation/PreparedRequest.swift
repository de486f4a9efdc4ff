// A request laid out once and decided many times, as a library's caller does on its hot path: what `licet bench` times.

internal import Decision
public import PolicyImage

/// One thread at a time; keeps the policy that it belongs to alive.
public final class PreparedRequest {
  private let owner: OfflinePolicy
  private let policy: Policy
  private let values: ValueMemory
  private let workspace: Workspace
  private let session: SessionMemory?
  private let names: [Name]
  private let preference: Effect?
  private var frame: Frame

  fileprivate init(
    owner: OfflinePolicy, policy: Policy, values: ValueMemory, workspace: Workspace, session: SessionMemory?,
    names: [Name], preference: Effect?, frame: Frame
  ) {
    self.owner = owner
    self.policy = policy
    self.values = values
    self.workspace = workspace
    self.session = session
    self.names = names
    self.preference = preference
    self.frame = frame
  }

  /// Decides and puts the answer into words; with `explaining`, trace and way as well.
  func answer(_ explaining: Bool) -> Answer {
    // Frame, names and policy point into what this object keeps.
    withExtendedLifetime(self) {
      names.withUnsafeBufferPointer {
        Consultation(policy: policy, names: $0, preference: preference).answer(&frame, explaining)
      }
    }
  }

  /// Decides; no allocation, lock or system call.
  @inline(never)
  @discardableResult
  public func run() -> Effect {
    withExtendedLifetime(self) {
      if names.count == 1 {
        return decide(policy, &frame, behavior: names[0], preference: preference).effect
      }
      return names.withUnsafeBufferPointer {
        decide(policy, &frame, behaviors: $0, preference: preference)?.effect ?? .deny
      }
    }
  }
}

extension OfflinePolicy {
  /// Checks a request and lays it out; the same refusals as `decide`.
  public func prepare(_ request: Request, operator name: String?) throws(RequestError) -> PreparedRequest {
    let policy = try policy(for: name, ended: request.ended)
    guard !request.behaviors.isEmpty else { throw RequestError(.noBehavior, at: "behavior") }
    let values = ValueMemory()
    var names: [Name] = []
    for behavior in request.behaviors {
      let bytes = values.bytes(Array(behavior.utf8))
      guard isBehaviorName(bytes) else { throw RequestError(.badName, at: behavior) }
      names.append(bytes)
    }
    let workspace = Workspace(slots: platform.count(.attributes))
    guard var frame = workspace.frame else { throw RequestError(.wrongType, at: "attributes") }
    let session = request.session.isEmpty ? nil : try SessionMemory(request.session)
    frame.setSession(session?.terms)
    try fill(&frame, request, operator: name, values)
    return PreparedRequest(
      owner: self, policy: policy, values: values, workspace: workspace, session: session, names: names,
      preference: request.preference, frame: frame)
  }
}
