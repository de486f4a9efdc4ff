// swift-tools-version: 6.2
import PackageDescription

// The ladder, lowest first; nothing imports upwards (see CONTRIBUTING.md):
//   CYaml    CSystem    CDBus    PolicyImage
//            System -> CSystem                  PolicyTree -> System
//            Decision -> PolicyImage            CEL -> PolicyImage
//            Consultation -> Decision           CompilerProtocol -> PolicyTree
//            Determinations -> PolicyImage System
//            Attach -> Decision                 LicetC -> Attach, Embedded: tools/build-library
//            PolicyLanguage -> CEL PolicyImage PolicyTree CYaml
//            Oracle -> PolicyLanguage CEL       (shares no code with Decision)
//            Offline -> PolicyLanguage Consultation
//            Bus -> CDBus System
//            Authority -> Consultation Attach PolicyTree CompilerProtocol     (no policy language)
//            licetd -> Authority Bus            licet-compiler -> Offline CompilerProtocol
//            PolicyDiff -> Offline CEL          licet -> PolicyDiff Bus
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]
// What most of the tests' time goes into, in debug builds too.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
  name: "licet",
  products: [
    .executable(name: "licet", targets: ["licet"]),
    .executable(name: "licetd", targets: ["licetd"]),
    .executable(name: "licet-compiler", targets: ["licet-compiler"]),
    // For Tests/Fuzz, which is a package of its own.
    .library(name: "TestKit", targets: ["TestKit"]),
    // For Benchmarks/, which is a package of its own.
    .library(
      name: "LicetCore",
      targets: ["Offline", "PolicyLanguage", "Consultation", "Counting", "Decision", "CEL", "PolicyImage"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Ed25519 (docs/periods.md says what it costs licetd).
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: [
    .systemLibrary(
      name: "CYaml", path: "Sources/CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(
      name: "CDBus", path: "Sources/CDBus", pkgConfig: "dbus-1", providers: [.apt(["libdbus-1-dev"])]),
    .target(
      name: "CSystem", linkerSettings: [.linkedLibrary("seccomp"), .linkedLibrary("systemd"), .linkedLibrary("gcrypt")]),
    .target(name: "System", dependencies: ["CSystem"], swiftSettings: settings),
    .target(name: "PolicyTree", dependencies: ["System"], swiftSettings: settings),
    .target(name: "CompilerProtocol", dependencies: ["PolicyTree", "System"], swiftSettings: settings),
    .target(name: "Bus", dependencies: ["CDBus", "System"], swiftSettings: settings),
    .target(name: "Counting", swiftSettings: settings),
    .target(
      name: "Determinations",
      dependencies: ["PolicyImage", "System", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: settings),
    .target(name: "Attach", dependencies: ["Decision", "PolicyImage"], swiftSettings: settings),
    .target(name: "Consultation", dependencies: ["Decision", "PolicyImage"], swiftSettings: settings),
    .target(
      name: "Authority",
      dependencies: [
        "Attach", "Consultation", "Counting", "Decision", "Determinations", "PolicyImage", "PolicyTree",
        "CompilerProtocol", "System",
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "licetd",
      dependencies: [
        "Attach", "Authority", "Bus", "Consultation", "Counting", "Decision", "Determinations", "PolicyImage",
        "PolicyTree", "CompilerProtocol", "System",
      ], swiftSettings: settings),
    .executableTarget(
      name: "licet-compiler",
      dependencies: [
        "Offline", "PolicyLanguage", "PolicyTree", "Consultation", "Decision", "PolicyImage", "CompilerProtocol",
        "System",
      ], swiftSettings: settings),
    .target(name: "PolicyImage", swiftSettings: settings),
    .target(name: "CEL", dependencies: ["PolicyImage"], swiftSettings: settings),
    .target(name: "Decision", dependencies: ["PolicyImage"], swiftSettings: settings),
    .target(
      name: "PolicyLanguage", dependencies: ["CEL", "PolicyImage", "PolicyTree", "CYaml"], swiftSettings: settings),
    .target(
      name: "Oracle", dependencies: ["PolicyLanguage", "CEL", "PolicyImage"], swiftSettings: settings + optimized),
    .target(
      name: "Offline", dependencies: ["PolicyLanguage", "Consultation", "Decision", "PolicyImage"],
      swiftSettings: settings),
    .target(
      name: "PolicyDiff",
      dependencies: ["Offline", "PolicyLanguage", "Consultation", "Decision", "CEL", "PolicyImage"],
      swiftSettings: settings),
    .executableTarget(
      name: "licet",
      dependencies: [
        "PolicyDiff", "Offline", "PolicyLanguage", "Consultation", "Decision", "Determinations", "CEL", "PolicyImage",
        "Bus", "System",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
      ], swiftSettings: settings),
    .target(
      name: "TestKit",
      dependencies: [
        "Attach", "Determinations", "Offline", "Consultation", "PolicyLanguage", "Decision", "Oracle", "CEL",
        "PolicyImage",
        "Bus", "CDBus", "System", "CompilerProtocol",
      ],
      path: "Tests/TestKit", swiftSettings: settings),
    .target(name: "CHeap", path: "Tests/CHeap"),
    // The tests load the library that tools/build-library made.
    .systemLibrary(name: "LicetHeader", path: "Tests/LicetHeader"),
    .testTarget(
      name: "LicetCTests",
      dependencies: [
        "LicetHeader", "licetd", "licet-compiler", "licet", "Bus", "Consultation", "Decision", "Oracle", "PolicyImage",
        "PolicyLanguage", "TestKit",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CELTests", dependencies: ["CEL", "Decision", "Oracle", "PolicyImage", "TestKit"],
      swiftSettings: settings),
    .testTarget(
      name: "PolicyImageTests",
      dependencies: ["Offline", "Consultation", "PolicyImage", "PolicyLanguage", "Decision", "TestKit"],
      exclude: ["Golden"], swiftSettings: settings),
    .testTarget(
      name: "DecisionTests",
      dependencies: ["Offline", "Consultation", "Decision", "PolicyLanguage", "PolicyImage", "TestKit", "CHeap"],
      swiftSettings: settings),
    .testTarget(
      name: "PolicyLanguageTests",
      dependencies: ["Offline", "Consultation", "PolicyLanguage", "PolicyTree", "CEL", "PolicyImage", "TestKit"],
      exclude: ["Golden"], swiftSettings: settings),
    .testTarget(
      name: "OracleTests",
      dependencies: [
        "Oracle", "Offline", "Consultation", "Decision", "PolicyLanguage", "CEL", "PolicyImage", "TestKit",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "PolicyDiffTests",
      dependencies: [
        "PolicyDiff", "Oracle", "Offline", "Consultation", "Decision", "PolicyLanguage", "PolicyImage", "TestKit",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "SystemTests", dependencies: ["System", "CompilerProtocol", "PolicyTree", "TestKit"],
      swiftSettings: settings),
    .testTarget(name: "BusTests", dependencies: ["Bus", "CDBus", "System", "TestKit"], swiftSettings: settings),
    .testTarget(
      name: "CompilerTests",
      dependencies: [
        "licet-compiler", "CompilerProtocol", "PolicyTree", "Offline", "Consultation", "PolicyLanguage", "PolicyImage",
        "System",
        "TestKit",
      ], swiftSettings: settings),
    .testTarget(name: "CountingTests", dependencies: ["Counting", "TestKit"], swiftSettings: settings),
    .testTarget(
      name: "AuthorityTests",
      dependencies: [
        "Counting",
        "Authority", "licet-compiler", "Consultation", "CompilerProtocol", "Determinations", "PolicyTree",
        "PolicyImage",
        "Offline", "PolicyLanguage", "Decision", "System", "TestKit", .product(name: "Crypto", package: "swift-crypto"),
      ], swiftSettings: settings),
    .testTarget(
      name: "LicetdTests",
      dependencies: ["licetd", "licet-compiler", "licet", "Bus", "CDBus", "Consultation", "Oracle", "TestKit"],
      swiftSettings: settings),
    .testTarget(
      name: "LicetTests",
      dependencies: [
        "licet", "Bus", "Decision", "Offline", "Consultation", "PolicyLanguage", "PolicyImage", "TestKit",
      ],
      exclude: ["Golden"], swiftSettings: settings),
  ]
)
