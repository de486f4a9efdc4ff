// licet_open and what belongs to the handle.

internal import Attach
public import CLicet
internal import Decision
internal import PolicyImage

@c @implementation
public func licet_version() -> UnsafePointer<CChar>! {
  let text: StaticString = "0.1.0\0"
  return UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

@c @implementation
public func licet_open(
  _ options: UnsafePointer<licet_options>!, _ authority: UnsafeMutablePointer<OpaquePointer?>!,
  _ error: UnsafeMutablePointer<licet_error>!
) -> Int32 {
  guard let authority else { return report(error, LICET_E_INVALID) { $0.put("authority: NULL") } }
  authority.pointee = nil
  var given = licet_options()
  guard read(options, &given) else { return report(error, LICET_E_INVALID) { $0.put("options: not their size") } }
  let isLossKnown = given.on_authority_loss <= UInt32(LICET_ASK)
  guard given.mode <= UInt32(LICET_EMBEDDED), isLossKnown, let wanted = Name(given.operator_name), wanted.count <= 255
  else { return report(error, LICET_E_INVALID) { $0.put("options: a mode, operator or effect that there is not") } }
  var path = given.path
  if path == nil, given.mode != UInt32(LICET_EMBEDDED) { path = clicet_socket_variable() }
  let length = path.map { Int(clicet_length($0)) } ?? 0
  if length == 0, given.mode == UInt32(LICET_EMBEDDED) {
    return report(error, LICET_E_INVALID) { $0.put("path: an image file is wanted") }
  }
  let text =
    length == 0
    ? Name(start: AttachProtocol.defaultPath.utf8Start, count: AttachProtocol.defaultPath.utf8CodeUnitCount)
    : Name(start: path, count: length)
  guard let made = make(given, text, wanted) else {
    return report(error, LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) }
  }
  let code = given.mode == UInt32(LICET_EMBEDDED) ? made.load(error) : made.begin(error)
  guard code == 0 else {
    Authority.release(made)
    return code
  }
  authority.pointee = OpaquePointer(made)
  return 0
}

/// What the caller's struct holds, as far as its size says; false: a size that no header has.
private func read(_ options: UnsafePointer<licet_options>?, _ given: inout licet_options) -> Bool {
  guard let options else { return true }
  let size = Int(options.pointee.size)
  guard size >= MemoryLayout<licet_options>.size else { return false }
  given = options.pointee
  return true
}

private func make(_ given: licet_options, _ path: Name, _ operatorName: Name) -> AuthorityRef? {
  let memory = clicet_allocate(MemoryLayout<Authority>.size)
  let page = clicet_wiped_page(Authority.wipedSize)
  let (path, name) = (copied(path), copied(operatorName))
  let words = clicet_allocate(Authority.wordCount &* 8)
  let (behaviors, attributes) = (NameTable(), NameTable())
  guard let memory, let page, let path, let name, let words, let behaviors, let attributes else {
    behaviors?.free()
    attributes?.free()
    clicet_free(memory)
    if let page { clicet_unmap(page, Authority.wipedSize) }
    clicet_free(UnsafeMutableRawPointer(mutating: path?.baseAddress))
    clicet_free(UnsafeMutableRawPointer(mutating: name?.baseAddress))
    clicet_free(words)
    return nil
  }
  let authority = memory.bindMemory(to: Authority.self, capacity: 1)
  let settings = Settings(
    path: UnsafeMutableRawPointer(mutating: path.baseAddress ?? UnsafeRawPointer(memory)).assumingMemoryBound(
      to: CChar.self),
    operatorName: name, timeout: given.timeout_ms == 0 ? 1000 : Int64(given.timeout_ms),
    staleAfter: UInt64(given.stale_after_ms == 0 ? 30_000 : given.stale_after_ms) &* 1_000_000,
    onLoss: given.on_authority_loss == UInt32(LICET_ASK) ? .ask : .deny)
  authority.initialize(
    to: Authority(
      words: words.bindMemory(to: UInt64.self, capacity: Authority.wordCount),
      wiped: page.bindMemory(to: UInt32.self, capacity: Authority.wipedSize / 4), behaviors: behaviors,
      attributes: attributes, settings: settings))
  authority.pointee.mode = Int32(truncatingIfNeeded: given.mode)
  return authority
}

extension UnsafeMutablePointer where Pointee == Authority {
  /// The first attachment: whether anybody answers at all.
  fileprivate func begin(_ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
    switch attach(error, until: 0) {
    case .current: return 0
    // The sentence stands there already.
    case .lost: return pointee.lastFailure
    case .refused(let code): return code
    }
  }

  /// An image file, whole.
  fileprivate func load(_ error: UnsafeMutablePointer<licet_error>?) -> Int32 {
    var pages: UnsafeMutableRawPointer?
    var size = 0
    let failure = clicet_read_file(pointee.settings.path, ImageFormat.maximumSize, &pages, &size)
    let path = Name(pointee.settings.path, Int(clicet_length(pointee.settings.path))) ?? Name(start: nil, count: 0)
    guard failure == 0, let pages else {
      return report(error, LICET_E_SYSTEM, system: -failure) {
        $0.put(path)
        $0.put(": ")
        $0.put(system: -failure)
        if failure == -EISDIR { $0.put("; `licet compile DIR -o FILE` makes an image of a policy folder") }
      }
    }
    guard let mapping = Mapping.make(pages, size, since: 1) else {
      return report(error, LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) }
    }
    do throws(ImageError) {
      let bundle = try Bundle(mapping.pointee.bytes)
      let platform = try verifyPlatform(bundle.platform)
      let (index, code) = choose(bundle, path, error)
      guard code == 0 else {
        Mapping.release(mapping)
        return code
      }
      let policy =
        if let index {
          Policy(platform: platform, overlay: try verifyOverlay(bundle.overlay(index), on: platform))
        } else { Policy(platform: platform) }
      return take(policy, index.map { bundle.operatorName($0) }, mapping, error)
    } catch let broken {
      Mapping.release(mapping)
      return report(error, LICET_E_IMAGE) {
        $0.put(path)
        $0.put(
          broken.code == .unsupportedVersion ? ": an image of another version of Licet" : ": no image, or a broken one")
        $0.put("; `licet compile DIR -o FILE` makes one")
      }
    }
  }

  /// Whose overlay: who was named, the only one, or nobody's where the file holds none.
  private func choose(
    _ bundle: Bundle, _ path: Name, _ error: UnsafeMutablePointer<licet_error>?
  ) -> (index: Int?, code: Int32) {
    let wanted = pointee.settings.operatorName
    if wanted.count == 0 {
      if bundle.operatorCount <= 1 { return (bundle.operatorCount == 1 ? 0 : nil, 0) }
      return (
        nil,
        report(error, LICET_E_AMBIGUOUS_OPERATOR) {
          $0.put(path)
          $0.put(" holds several operators: say which in `operator_name`")
        }
      )
    }
    var i = 0
    while i < bundle.operatorCount {
      if equal(bundle.operatorName(i), wanted) { return (i, 0) }
      i &+= 1
    }
    return (
      nil,
      report(error, LICET_E_UNKNOWN_OPERATOR) {
        $0.put(path)
        $0.put(" holds no operator ")
        $0.put(wanted)
      }
    )
  }

  /// Makes the one snapshot that there will be.
  private func take(
    _ policy: Policy, _ name: Name?, _ mapping: UnsafeMutablePointer<Mapping>,
    _ error: UnsafeMutablePointer<licet_error>?
  ) -> Int32 {
    guard let name = copied(name ?? Name(start: nil, count: 0)) else {
      Mapping.release(mapping)
      return report(error, LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) }
    }
    var content = Snapshot(generation: 1, operatorName: name)
    content.platform = mapping
    content.policy = policy
    guard let made = Snapshot.make(content) else {
      return report(error, LICET_E_NO_MEMORY) { $0.put(meaning(LICET_E_NO_MEMORY)) }
    }
    pointee.current = made
    pointee.generation = 1
    return 0
  }
}

@c @implementation
public func licet_close(_ authority: OpaquePointer!) {
  guard let authority else { return }
  Authority.release(AuthorityRef(authority))
}

@c @implementation
public func licet_mode(_ authority: OpaquePointer!) -> Int32 {
  guard let authority else { return LICET_E_INVALID }
  return AuthorityRef(authority).pointee.mode
}

@c @implementation
public func licet_generation(_ authority: OpaquePointer!) -> UInt64 {
  guard let authority else { return 0 }
  return AuthorityRef(authority).pointee.generation
}
