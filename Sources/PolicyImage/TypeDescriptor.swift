// The types of attributes inside an image: words of UInt32. The low byte is the kind; what it takes follows.
//   bool … dyn       one word
//   list             kind, then the element's descriptor
//   map              kind, then the key's and the value's descriptors
//   enumeration      kind | count << 8, then `count` string ids

public enum TypeKind: UInt32, Sendable {
  case bool = 0, int, uint, double, string, bytes, timestamp, duration, dyn, list, map, enumeration
}

extension ImageFormat {
  /// How deep list<map<…>> may nest.
  public static let maximumTypeDepth = 8
}

#if !hasFeature(Embedded)
  // Lists of cases live on the heap, which the library has none of.
  extension TypeKind: CaseIterable {}
#endif
