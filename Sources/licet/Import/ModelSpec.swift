// The published Model Spec (Markdown) -> its sections that state a level of authority -> a platform file
// (DESIGN §10). Pure: text in, text out, the same every time.

/// A section of the document with a level of authority.
struct ModelSpecSection: Equatable, Sendable {
  enum Authority: String, CaseIterable, Sendable { case root, system, developer, user, guideline }

  /// The heading's anchor, `x` in `{#x …}`.
  var anchor: String
  var title: String
  var authority: Authority
  /// `tags=a,b`, in the order written.
  var tags: [String]
  var line: Int
}

/// Why a document can't be imported; `line` counts from 1.
struct ModelSpecError: Error, Equatable {
  enum Code: String {
    case noSections = "no-sections"
    case badAttributes = "bad-attributes"
    case unknownAuthority = "unknown-authority"
    case badAnchor = "bad-anchor"
    case duplicateAnchor = "duplicate-anchor"
  }
  var code: Code
  var line: Int
  var message: String
}

enum ModelSpec {
  /// Every heading `## Title {#anchor authority=LEVEL …}` outside of fenced code, in the document's order. Headings
  /// without a level are chapters, not rules, and are passed over.
  static func sections(in text: String) throws(ModelSpecError) -> [ModelSpecSection] {
    var sections: [ModelSpecSection] = []
    var lines: [String: Int] = [:]
    var fence: Fence?
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      if let open = fence {
        if open.isClosed(by: line) { fence = nil }
        continue
      }
      if let opened = Fence(opening: line) {
        fence = opened
        continue
      }
      guard let section = try section(line, number: index + 1) else { continue }
      if let earlier = lines.updateValue(section.line, forKey: section.anchor) {
        throw ModelSpecError(
          code: .duplicateAnchor, line: section.line,
          message: "the anchor `\(section.anchor)` stands on line \(earlier) already")
      }
      sections.append(section)
    }
    guard !sections.isEmpty else {
      throw ModelSpecError(
        code: .noSections, line: 1, message: "no heading states a level, as `## Title {#anchor authority=user}` does")
    }
    return sections
  }

  private static func section(_ line: Substring, number: Int) throws(ModelSpecError) -> ModelSpecSection? {
    let level = line.prefix { $0 == "#" }.count
    guard (1...6).contains(level), line.dropFirst(level).first == " " else { return nil }
    let heading = trim(line.dropFirst(level))
    guard heading.hasSuffix("}"), let open = heading.range(ofLast: "{#") else { return nil }
    let words = heading[open...].dropFirst(2).dropLast().split(separator: " ")
    guard let anchor = words.first else { return nil }
    let attributes = try attributes(words.dropFirst(), line: number)
    guard let stated = attributes["authority"] else { return nil }
    guard let authority = ModelSpecSection.Authority(rawValue: stated) else {
      let known = ModelSpecSection.Authority.allCases.map(\.rawValue).joined(separator: ", ")
      throw ModelSpecError(
        code: .unknownAuthority, line: number, message: "`\(stated)` is no level of authority; they are \(known)")
    }
    guard isSegment(anchor) else {
      throw ModelSpecError(
        code: .badAnchor, line: number,
        message: "the anchor `\(anchor)` can't be part of a behaviour's name: a-z, 0-9, _ and - only")
    }
    let tags = attributes["tags"]?.split(separator: ",").map(String.init) ?? []
    return ModelSpecSection(
      anchor: String(anchor), title: plain(trim(heading[..<open])), authority: authority, tags: tags, line: number)
  }

  private static func attributes(
    _ words: ArraySlice<Substring>, line: Int
  ) throws(ModelSpecError) -> [String: String] {
    var attributes: [String: String] = [:]
    for word in words where !word.hasPrefix(".") {
      let parts = word.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else {
        throw ModelSpecError(code: .badAttributes, line: line, message: "`\(word)` is not of the form key=value")
      }
      let value = parts[1].hasPrefix("\"") ? parts[1].dropFirst() : parts[1]
      attributes[String(parts[0])] = String(value.hasSuffix("\"") ? value.dropLast() : value)
    }
    return attributes
  }

  /// One segment of a behaviour's name (DESIGN §1).
  private static func isSegment(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, first != UInt8(ascii: "_"), first != UInt8(ascii: "-") else { return false }
    return text.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
    }
  }

  /// A heading's text without its Markdown: footnote marks, the targets of links, and emphasis around words.
  static func plain(_ text: Substring) -> String {
    let marks = /\[\^[^\]]*\]/
    let links = /\[([^\]]*)\]\([^)]*\)/
    let code = /`([^`]*)`/
    let strong = /\*\*([^*]+)\*\*/
    let emphasis = /\*([^*]+)\*/
    let bare = text.replacing(marks, with: "").replacing(links) { $0.output.1 }.replacing(code) { $0.output.1 }
      .replacing(strong) { $0.output.1 }.replacing(emphasis) { $0.output.1 }
    return String(trim(bare))
  }

  private static func trim(_ text: Substring) -> Substring {
    let front = text.drop(while: \.isWhitespace)
    guard let last = front.lastIndex(where: { !$0.isWhitespace }) else { return front.prefix(0) }
    return front[...last]
  }
}

/// A fenced code block (CommonMark 4.5): closed by at least as many of the same mark, alone on the line.
private struct Fence {
  var mark: Character
  var length: Int

  init?(opening line: Substring) {
    let text = line.drop { $0 == " " }
    guard line.count - text.count < 4, let mark = text.first, mark == "`" || mark == "~" else { return nil }
    length = text.prefix { $0 == mark }.count
    guard length >= 3, mark == "~" || !text.dropFirst(length).contains("`") else { return nil }
    self.mark = mark
  }

  func isClosed(by line: Substring) -> Bool {
    let text = line.drop { $0 == " " }
    let count = text.prefix { $0 == mark }.count
    return line.count - text.count < 4 && count >= length && text.dropFirst(count).allSatisfy(\.isWhitespace)
  }
}

extension Substring {
  fileprivate func range(ofLast needle: String) -> Index? {
    ranges(of: needle).last?.lowerBound
  }
}
