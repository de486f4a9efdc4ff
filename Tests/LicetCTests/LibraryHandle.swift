// The real liblicet.so.1, loaded as a plugin loads it, with the types of include/licet.h. Never its sources: what is tested
// is what programs get.

import Foundation
import LicetHeader
import Testing

/// The library of LICET_LIBRARY, or .build/library, where `tools/build-library` puts it. Loaded once; any thread.
final class LibraryHandle: @unchecked Sendable {
  static let shared = Result { try LibraryHandle() }

  typealias Open =
    @convention(c) (
      UnsafePointer<licet_options>?, UnsafeMutablePointer<OpaquePointer?>?, UnsafeMutablePointer<licet_error>?
    ) -> Int32
  typealias Make =
    @convention(c) (OpaquePointer?, UnsafeMutablePointer<OpaquePointer?>?, UnsafeMutablePointer<licet_error>?) -> Int32
  typealias Handle = @convention(c) (OpaquePointer?) -> Void
  typealias Number = @convention(c) (OpaquePointer?) -> Int32
  typealias Count = @convention(c) (OpaquePointer?) -> Int
  typealias Intern = @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int) -> UInt32
  typealias Texts = @convention(c) (OpaquePointer?, UnsafeMutablePointer<licet_text>?, Int) -> Int
  typealias Decision = UnsafeMutablePointer<licet_decision>
  typealias Names = UnsafePointer<licet_text>

  let open: Open
  let close: Handle
  let mode: Number
  let generation: @convention(c) (OpaquePointer?) -> UInt64
  let internBehavior: Intern
  let internAttribute: Intern
  let requestNew: Make
  let requestFree: Handle
  let requestReset: Handle
  let set: @convention(c) (OpaquePointer?, UInt32, licet_value) -> Int32
  let setNamed: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int, licet_value) -> Int32
  let setResource: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int) -> Int32
  let setArgument: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int) -> Int32
  let setSource: @convention(c) (OpaquePointer?, Int32) -> Int32
  let setPreference: @convention(c) (OpaquePointer?, Int32) -> Int32
  let setNow: @convention(c) (OpaquePointer?, Int64, Int32) -> Int32
  let check: @convention(c) (OpaquePointer?, UInt32, Decision?) -> Int32
  let checkNamed: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int, Decision?) -> Int32
  let checkAction: @convention(c) (OpaquePointer?, Names?, Int, Decision?) -> Int32
  let requestError: @convention(c) (OpaquePointer?) -> UnsafePointer<licet_error>?
  let obligations: Texts
  let statement: @convention(c) (OpaquePointer?, UnsafeMutablePointer<licet_statement>?) -> Int32
  let explain: @convention(c) (OpaquePointer?, Names?, Int, UnsafeMutablePointer<OpaquePointer?>?) -> Int32
  let explanationFree: Handle
  let explanationDecision: @convention(c) (OpaquePointer?, Decision?) -> Int32
  let explanationStatement: @convention(c) (OpaquePointer?, UnsafeMutablePointer<licet_statement>?) -> Int32
  let explanationObligations: Texts
  let steps: Count
  let step: @convention(c) (OpaquePointer?, Int, UnsafeMutablePointer<licet_step>?) -> Int32
  let way: Number
  let changes: Count
  let change: @convention(c) (OpaquePointer?, Int, UnsafeMutablePointer<licet_change>?) -> Int32
  let dial: @convention(c) (OpaquePointer?, Int, UnsafeMutablePointer<licet_dial>?) -> Int32
  let period: @convention(c) (OpaquePointer?, Int, UnsafeMutablePointer<licet_period>?) -> Int32
  let changeDial:
    @convention(c) (OpaquePointer?, Int, UnsafeMutablePointer<Double>?, UnsafeMutablePointer<Double>?) -> Int32

  typealias OpenSession =
    @convention(c) (
      OpaquePointer?, UnsafePointer<licet_terms>?, UnsafeMutablePointer<OpaquePointer?>?,
      UnsafeMutablePointer<licet_error>?
    ) -> Int32
  let sessionOpen: OpenSession
  let sessionDelegate: OpenSession
  let sessionJoin:
    @convention(c) (
      OpaquePointer?, UnsafePointer<CChar>?, Int, UnsafeMutablePointer<OpaquePointer?>?,
      UnsafeMutablePointer<licet_error>?
    ) -> Int32
  let sessionID: @convention(c) (OpaquePointer?) -> UnsafePointer<CChar>?
  let sessionClose: @convention(c) (OpaquePointer?, UnsafeMutablePointer<licet_error>?) -> Int32
  let sessionFree: Handle
  let setSession: @convention(c) (OpaquePointer?, OpaquePointer?) -> Int32
  let hold: @convention(c) (OpaquePointer?, Int, UnsafeMutablePointer<licet_text>?) -> Int32
  let changeSession: @convention(c) (OpaquePointer?, Int, UnsafeMutablePointer<licet_text>?) -> Int32

  struct Missing: Error, CustomStringConvertible { let description: String }

  private init() throws {
    let folder = ProcessInfo.processInfo.environment["LICET_LIBRARY"] ?? packageRoot.path + "/.build/library"
    let path = "\(folder)/liblicet.so.1"
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      let why = dlerror().map { String(cString: $0) } ?? ""
      throw Missing(description: "\(why)\n`tools/build-library` makes it; LICET_LIBRARY names another folder")
    }
    func find<Function>(_ name: String) throws -> Function {
      guard let symbol = dlsym(handle, name) else { throw Missing(description: "\(path): no \(name)") }
      // SAFETY: the header's types; tools/check-abi holds the library to the header.
      return unsafeBitCast(symbol, to: Function.self)
    }
    open = try find("licet_open")
    close = try find("licet_close")
    mode = try find("licet_mode")
    generation = try find("licet_generation")
    internBehavior = try find("licet_intern_behavior")
    internAttribute = try find("licet_intern_attribute")
    requestNew = try find("licet_request_new")
    requestFree = try find("licet_request_free")
    requestReset = try find("licet_request_reset")
    set = try find("licet_request_set")
    setNamed = try find("licet_request_set_named")
    setResource = try find("licet_request_set_resource")
    setArgument = try find("licet_request_set_argument")
    setSource = try find("licet_request_set_source")
    setPreference = try find("licet_request_set_preference")
    setNow = try find("licet_request_set_now")
    check = try find("licet_check")
    checkNamed = try find("licet_check_named")
    checkAction = try find("licet_check_action")
    requestError = try find("licet_request_error")
    obligations = try find("licet_request_obligations")
    statement = try find("licet_request_statement")
    explain = try find("licet_explain")
    explanationFree = try find("licet_explanation_free")
    explanationDecision = try find("licet_explanation_decision")
    explanationStatement = try find("licet_explanation_statement")
    explanationObligations = try find("licet_explanation_obligations")
    steps = try find("licet_explanation_steps")
    step = try find("licet_explanation_step")
    way = try find("licet_explanation_way")
    changes = try find("licet_explanation_changes")
    change = try find("licet_explanation_change")
    dial = try find("licet_explanation_dial")
    period = try find("licet_explanation_period")
    changeDial = try find("licet_explanation_change_dial")
    sessionOpen = try find("licet_session_open")
    sessionDelegate = try find("licet_session_delegate")
    sessionJoin = try find("licet_session_join")
    sessionID = try find("licet_session_id")
    sessionClose = try find("licet_session_close")
    sessionFree = try find("licet_session_free")
    setSession = try find("licet_request_set_session")
    hold = try find("licet_explanation_hold")
    changeSession = try find("licet_explanation_change_session")
  }
}

/// One `licet` and one `licet_request` of it. One thread at a time.
final class OpenedAuthority {
  let library: LibraryHandle
  let handle: OpaquePointer
  let request: OpaquePointer
  private var attributes: [String: UInt32] = [:]
  private var behaviors: [String: UInt32] = [:]

  init(_ library: LibraryHandle, mode: Int32, path: String, operator name: String = "op") throws {
    self.library = library
    var made: OpaquePointer?
    var asking: OpaquePointer?
    var error = licet_error()
    error.size = UInt32(MemoryLayout<licet_error>.size)
    let code = path.withCString { path in
      name.withCString { name in
        var options = licet_options()
        options.size = UInt32(MemoryLayout<licet_options>.size)
        options.mode = UInt32(mode)
        options.path = path
        options.operator_name = licet_text(bytes: name, length: strlen(name))
        options.timeout_ms = 10_000
        return library.open(&options, &made, &error)
      }
    }
    handle = try #require(made, "licet_open: \(code): \(OpenedAuthority.message(&error))")
    try #require(library.requestNew(handle, &asking, &error) == 0, "\(OpenedAuthority.message(&error))")
    request = try #require(asking)
  }

  deinit {
    library.requestFree(request)
    library.close(handle)
  }

  static func message(_ error: UnsafePointer<licet_error>) -> String {
    withUnsafePointer(to: error.pointee.message) {
      $0.withMemoryRebound(to: CChar.self, capacity: 240) { String(cString: $0) }
    }
  }

  var mode: Int32 { library.mode(handle) }

  /// The error of the last call, in words.
  var complaint: String { library.requestError(request).map { OpenedAuthority.message($0) } ?? "" }

  func attribute(_ name: String) -> UInt32 {
    if let known = attributes[name] { return known }
    let number = library.internAttribute(handle, name, name.utf8.count)
    attributes[name] = number
    return number
  }

  func behavior(_ name: String) -> UInt32 {
    if let known = behaviors[name] { return known }
    let number = library.internBehavior(handle, name, name.utf8.count)
    behaviors[name] = number
    return number
  }
}

extension String {
  init(_ text: licet_text) {
    let bytes = UnsafeRawBufferPointer(start: text.bytes, count: text.length)
    self.init(decoding: bytes, as: UTF8.self)
  }
}
