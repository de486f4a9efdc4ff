// A JSONL file of requests, a line each (DESIGN §10).

import Consultation
import Offline

struct BatchFile {
  struct Line {
    let file: String
    /// From 1.
    let number: Int
    let bytes: ArraySlice<UInt8>

    func form() throws(CommandError) -> RequestForm {
      try RequestForm(try JSON(file: file, line: number, Array(bytes)))
    }
  }

  /// Those that hold something.
  let lines: [Line]

  /// `-` is standard input.
  init(_ path: String) throws(CommandError) {
    let all = try Files.read(path).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    lines = all.enumerated().compactMap { index, line in
      let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }
      return isBlank ? nil : Line(file: path, number: index + 1, bytes: line)
    }
  }
}
