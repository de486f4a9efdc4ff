// Ed25519 signatures (RFC 8032), verified by swift-crypto.

internal import Crypto

extension SignedDetermination {
  /// Whether it was signed with the private key of `key` (32 bytes). Thread-safe.
  public func isSigned(by key: [UInt8]) -> Bool {
    ed25519Verify(key: key, determination.message, signature: signature)
  }
}

func ed25519Verify(key: [UInt8], _ bytes: [UInt8], signature: [UInt8]) -> Bool {
  guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key) else { return false }
  return key.isValidSignature(signature, for: bytes)
}
