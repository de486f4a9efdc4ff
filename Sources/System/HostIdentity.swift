// Which host this is, for what is signed for one host alone.

internal import Glibc

/// 32 hexadecimal digits that are this installation's and say nothing of machine-id itself, as machine-id(5) asks for;
/// nil: the host has no identity. Source: machine-id(5).
public func hostIdentity(path: String = "/etc/machine-id") -> String? {
  guard let file = fopen(path, "re") else { return nil }
  defer { fclose(file) }
  var buffer = [CChar](repeating: 0, count: 64)
  guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
  let digits = buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
  let isHexadecimal = digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  guard digits.count == 32, isHexadecimal else { return nil }
  return String(sha256(Array("licet host\n".utf8) + digits).hex.prefix(32))
}
