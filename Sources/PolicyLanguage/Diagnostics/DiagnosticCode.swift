// Every code that a diagnostic can have. The raw value is what users see and search for; docs/diagnostics.md has an
// example of each.

public enum DiagnosticCode: String, CaseIterable, Sendable {
  // Reading files.
  case folderUnreadable = "folder-unreadable"
  case fileIsDirectory = "file-is-directory"
  case fileIsSpecial = "file-is-special"
  case fileIsLoop = "file-is-loop"
  case fileVanished = "file-vanished"
  case fileUnreadable = "file-unreadable"
  case fileUntrustedOwner = "file-untrusted-owner"
  case fileUntrustedMode = "file-untrusted-mode"
  case fileEmpty = "file-empty"
  case fileTooLarge = "file-too-large"
  case noPlatform = "no-platform"
  case tooManyFiles = "too-many-files"
  case tooManyErrors = "too-many-errors"

  // YAML.
  case yamlSyntax = "yaml-syntax"
  case yamlTab = "yaml-tab"
  case yamlNotUTF8 = "yaml-not-utf8"
  case yamlCharacter = "yaml-character"
  case yamlTooDeep = "yaml-too-deep"
  case yamlTooLarge = "yaml-too-large"
  case yamlAlias = "yaml-alias"
  case yamlAliasBomb = "yaml-alias-bomb"
  case yamlTag = "yaml-tag"
  case yamlDocuments = "yaml-documents"
  case yamlDuplicateKey = "yaml-duplicate-key"
  case yamlKey = "yaml-key"

  // The shape of a file.
  case unknownKey = "unknown-key"
  case reservedKey = "reserved-key"
  case keyOfOtherLayer = "key-of-other-layer"
  case missingKey = "missing-key"
  case wrongType = "wrong-type"
  case unknownValue = "unknown-value"
  case outOfRange = "out-of-range"
  case badName = "bad-name"
  case badVersion = "bad-version"
  case wrongLayer = "wrong-layer"
  case nameNotOfFile = "name-not-of-file"
  case conflict = "conflict"
  case dialAboveHalf = "dial-above-half"

  // Attributes and bindings.
  case badAttribute = "bad-attribute"
  case builtInAttribute = "built-in-attribute"
  case badType = "bad-type"
  case unknownAttribute = "unknown-attribute"
  case exampleType = "example-type"
  case unitWithoutUser = "unit-without-user"
  case badBinding = "bad-binding"

  // Behaviours.
  case ceilingWithoutDefault = "ceiling-without-default"
  case ceilingBelowDefault = "ceiling-below-default"
  case hardcodedContradiction = "hardcoded-contradiction"
  case hardcodedOnStakes = "hardcoded-on-stakes"
  case oppositeAbsolutes = "opposite-absolutes"
  case builtInAbsolute = "built-in-absolute"

  // Populations and audiences.
  case populationAndDefault = "population-and-default"
  case populationCount = "population-count"
  case populationGroup = "population-group"
  case populationPayoff = "population-payoff"
  case populationResponse = "population-response"
  case populationSize = "population-size"
  case audienceWithoutPopulation = "audience-without-population"

  // Periods.
  case badKey = "bad-key"
  case badDate = "bad-date"
  case badQuorum = "bad-quorum"
  case noEvidence = "no-evidence"
  case repeatedKey = "repeated-key"
  case unknownAuthority = "unknown-authority"
  case unknownPeriod = "unknown-period"
  case periodNotLooser = "period-not-looser"
  case periodTightens = "period-tightens"
  case tooManyPeriods = "too-many-periods"

  // Counters.
  case badCounter = "bad-counter"
  case unknownCounter = "unknown-counter"
  case counterOutsideLimit = "counter-outside-limit"

  // Suspicion.
  case badDuration = "bad-duration"
  case suspicionIncomplete = "suspicion-incomplete"
  case suspicionOrder = "suspicion-order"

  // Statements.
  case ruleKind = "rule-kind"
  case ruleTo = "rule-to"
  case aboveCeiling = "above-ceiling"
  case underAbsolute = "under-absolute"
  case undeclaredBehavior = "undeclared-behavior"
  case argumentOutsideLimit = "argument-outside-limit"
  case dialOutsideLimit = "dial-outside-limit"
  case dialLoosens = "dial-loosens"
  case conditionOutdated = "condition-outdated"

  // Conditions (the raw values are those of `CELError.Code`).
  case celSyntax = "cel-syntax"
  case celTooDeep = "cel-too-deep"
  case celTooLong = "cel-too-long"
  case celUndeclared = "cel-undeclared"
  case celNoOverload = "cel-no-overload"
  case celTypeMismatch = "cel-type-mismatch"
  case celNotBool = "cel-not-bool"
  case celEnumValue = "cel-enum-value"
  case celPattern = "cel-pattern"
  case celPatternNotLiteral = "cel-pattern-not-literal"
  case celZone = "cel-zone"
  case celMessage = "cel-message"
  case celTooComplex = "cel-too-complex"
  case celCounter = "cel-counter"

  // Compiling.
  case tooManyObligations = "too-many-obligations"
  case tooManyRules = "too-many-rules"
  case tooManyAttributes = "too-many-attributes"
  case exampleMismatch = "example-mismatch"

  // Warnings of `lint`.
  case lintClamped = "lint-clamped"
  case lintShadowed = "lint-shadowed"
  case lintDuplicate = "lint-duplicate"
  case lintEmptyArgument = "lint-empty-argument"
  case lintReadsBehavior = "lint-reads-behavior"
  case lintNeverHolds = "lint-never-holds"
  case lintUnderAbsolute = "lint-under-absolute"
  case lintUnstatedStakes = "lint-unstated-stakes"
  case lintUnusedPeriod = "lint-unused-period"
  case lintUnusedCounter = "lint-unused-counter"
}
