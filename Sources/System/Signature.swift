// Ed25519 signatures (RFC 8032), verified by libgcrypt, which licetd links for digests as well.

internal import CSystem

/// Whether `signature` (64 bytes) over `bytes` was made with the private key of `key` (32 bytes). Thread-safe.
public func ed25519Verify(key: [UInt8], _ bytes: [UInt8], signature: [UInt8]) -> Bool {
  guard key.count == 32, signature.count == 64, bytes.count <= Int32.max else { return false }
  return licet_ed25519_verify(key, bytes, bytes.count, signature) != 0
}
