// swift-tools-version: 6.2
import PackageDescription

// What `make bench` measures (docs/performance.md). A package of its own: nothing of it is in the product.
let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "licet", path: "..")],
  targets: [
    // A hand-written C loop over the same question, an empty call, and a count of allocations.
    .target(name: "CFloor", cSettings: [.unsafeFlags(["-O2"])]),
    .executableTarget(
      name: "licet-bench",
      dependencies: [
        "CFloor", .product(name: "LicetCore", package: "licet"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
      ]),
  ]
)
