// swift-tools-version: 6.2
import PackageDescription

// The ladder, lowest first; nothing imports upwards (see CONTRIBUTING.md):
//   CYaml    PolicyImage
//            Decision -> PolicyImage            CEL -> PolicyImage
//            PolicyLanguage -> CEL PolicyImage CYaml
//            Oracle -> PolicyLanguage CEL       (shares no code with Decision)
//            Offline -> PolicyLanguage Decision
//            licet -> Offline and what is above it
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "licet",
  products: [
    .executable(name: "licet", targets: ["licet"]),
    // For Tests/Fuzz, which is a package of its own.
    .library(name: "TestKit", targets: ["TestKit"]),
    // For Benchmarks/, which is a package of its own.
    .library(name: "LicetCore", targets: ["Offline", "PolicyLanguage", "Decision", "CEL", "PolicyImage"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .systemLibrary(
      name: "CYaml", path: "Sources/CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(name: "PolicyImage", swiftSettings: settings),
    .target(name: "CEL", dependencies: ["PolicyImage"], swiftSettings: settings),
    .target(name: "Decision", dependencies: ["PolicyImage"], swiftSettings: settings),
    .target(
      name: "PolicyLanguage", dependencies: ["CEL", "PolicyImage", "CYaml"], swiftSettings: settings),
    .target(
      name: "Oracle", dependencies: ["PolicyLanguage", "CEL", "PolicyImage"], swiftSettings: settings),
    .target(
      name: "Offline", dependencies: ["PolicyLanguage", "Decision", "PolicyImage"], swiftSettings: settings),
    .executableTarget(
      name: "licet",
      dependencies: [
        "Offline", "PolicyLanguage", "Decision", "CEL", "PolicyImage",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: settings),
    .target(
      name: "TestKit", dependencies: ["Offline", "PolicyLanguage", "Decision", "Oracle", "CEL", "PolicyImage"],
      path: "Tests/TestKit", swiftSettings: settings),
    .testTarget(
      name: "CELTests", dependencies: ["CEL", "Decision", "Oracle", "PolicyImage", "TestKit"],
      swiftSettings: settings),
    .testTarget(
      name: "PolicyImageTests", dependencies: ["Offline", "PolicyImage", "PolicyLanguage", "Decision", "TestKit"],
      exclude: ["Golden"], swiftSettings: settings),
    .testTarget(
      name: "DecisionTests", dependencies: ["Offline", "Decision", "PolicyLanguage", "PolicyImage", "TestKit"],
      swiftSettings: settings),
    .testTarget(
      name: "PolicyLanguageTests", dependencies: ["Offline", "PolicyLanguage", "CEL", "PolicyImage", "TestKit"],
      exclude: ["Golden"], swiftSettings: settings),
    .testTarget(
      name: "OracleTests",
      dependencies: [
        "Oracle", "Offline", "Decision", "PolicyLanguage", "CEL", "PolicyImage", "TestKit",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "LicetTests", dependencies: ["licet", "Offline", "PolicyLanguage", "PolicyImage", "TestKit"],
      exclude: ["Golden"], swiftSettings: settings),
  ]
)
