// swift-tools-version: 6.2
import PackageDescription

// libFuzzer's driver around the targets of Tests/TestKit; `tools/fuzz` builds it with everything below instrumented.
let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "licet", path: "../..")],
  targets: [
    .executableTarget(
      name: "fuzz", dependencies: [.product(name: "TestKit", package: "licet")],
      swiftSettings: [.swiftLanguageMode(.v6), .unsafeFlags(["-sanitize=fuzzer"])],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])])
  ]
)
