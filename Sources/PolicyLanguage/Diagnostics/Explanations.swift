// What each code means and what to do about it; docs/diagnostics.md is made of these and the golden examples.

extension DiagnosticCode {
  /// Two or three sentences for whoever meets this code for the first time.
  public var explanation: String {
    switch self {
    case .folderUnreadable:
      "A policy folder, or one of the folders in it, can't be listed. What may be in it can't be told, so whoever's files it holds is not in force: the platform, every operator, or the one operator whose drop-ins they are."
    case .fileIsDirectory: "A folder has the name of a policy file. Rename it or move it elsewhere."
    case .fileIsSpecial:
      "A policy file is a regular file or a link to one; a pipe, socket or device is not opened for reading. A link to `/dev/null` masks the file of that name in a lower folder."
    case .fileIsLoop: "A link leads to itself, perhaps over others. Let it lead to a file, or remove it."
    case .fileVanished:
      "A file was listed and could not be found a moment later: it was removed meanwhile, or it is a link that leads nowhere. Its owner is not in force without it, since what it forbade is unknown."
    case .fileUnreadable: "The system refused to open or read the file, for the reason that the message gives."
    case .fileUntrustedOwner:
      "The daemon reads policy only of root and of its own user: whoever owns a file can change what is permitted. Change the owner of the file or folder."
    case .fileUntrustedMode:
      "A group or everybody may write the file, or a folder on its way, so it can't be told who wrote it. A mount that everybody could write counts if it is read only."
    case .fileEmpty:
      "The file has no content but comments. A file that was cut off while it was written looks like that too, so it doesn't count as a policy that says nothing. To mask a file of a lower folder, link it to `/dev/null`."
    case .fileTooLarge: "A policy file has at most 8 MiB. Split it into drop-ins."
    case .noPlatform:
      "No file of the platform was found. Without a platform nothing is declared and everything is denied. Write `platform.yaml`."
    case .tooManyFiles: "A policy folder holds at most 100,000 files. Merge some."
    case .tooManyErrors: "One file has more errors than are listed. Mend those that are, then check again."
    case .yamlSyntax:
      "The file is not YAML. The message is the parser's; the place is where it gave up, which may be after the mistake."
    case .yamlTab: "YAML is indented with spaces. Let your editor convert the tabs."
    case .yamlNotUTF8: "Policy files are UTF-8. Save the file in that encoding."
    case .yamlCharacter:
      "Control characters, line separators and characters that change the direction of text would make a policy look other than it is. Delete the character."
    case .yamlTooDeep: "Lists and mappings can stand in each other 64 levels deep; a policy needs about eight."
    case .yamlTooLarge:
      "The file holds more values, or more directives, than a policy file may. Split it into drop-ins."
    case .yamlAlias: "An alias (`*name`) stands for what an anchor (`&name`) before it marks, and can't contain itself."
    case .yamlAliasBomb:
      "Aliases of aliases multiply: written out, this file would be enormous. Write out what is meant."
    case .yamlTag: "Tags (`!name`) change what a value is; policy files have none. Quote text that begins with `!`."
    case .yamlDocuments: "One file holds one document, of one layer. Move what follows `---` into a file of its own."
    case .yamlDuplicateKey: "A key stands twice in one mapping, and only one can be meant. Keep one."
    case .yamlKey: "A key is a word; here it is a list or a mapping."
    case .unknownKey: "The policy language has no such key here. Most often it is misspelt; the hint says what is near."
    case .reservedKey:
      "The key is part of the language, but this version can't enforce it. Leaving it aside could allow what the file means to forbid, so the file is refused."
    case .keyOfOtherLayer:
      "What the key states is not for this layer to say: settings and grants are the operators', behaviours, duties and tiers the platform's."
    case .missingKey: "A key that can't be left out is missing."
    case .wrongType:
      "The value is of the wrong kind: text, number, list or mapping. Text that looks like a number needs quotes."
    case .unknownValue: "Only certain words can stand here; the hint lists them, or the nearest."
    case .outOfRange: "The number lies outside of what it can be."
    case .badName:
      "Names of operators, obligations and behaviours are made of certain characters only; the hint says which."
    case .badVersion: "The file is written for another version of the policy language."
    case .wrongLayer: "The file's `layer` isn't that of the folder in which it lies. Correct it, or move the file."
    case .nameNotOfFile:
      "An operator's files are `operators.d/NAME.yaml` and `operators.d/NAME.d/*.yaml`, and each states the same `name`. So it can be told whose a file is that is too broken to say so: that operator alone is not in force."
    case .conflict:
      "Two files of one folder state different values for the same thing, and neither has precedence. A file in a higher folder (`/etc` above `/usr/lib`) may override."
    case .dialAboveHalf:
      "A dial above 0.5 gives an agent more than half of the way to full autonomy. It is for when a period has ended (`after`), which somebody has to determine."
    case .badAttribute: "Conditions could not name the attribute: it has to be an identifier that CEL doesn't reserve."
    case .builtInAttribute: "The authority itself gives this attribute; a policy can't declare it anew."
    case .badType: "The attribute's type is not one of the language's."
    case .unknownAttribute: "An example gives an attribute that the platform doesn't declare."
    case .exampleType: "An example gives an attribute a value of another type than the platform declares."
    case .unitWithoutUser:
      "Anyone may be able to start a unit of some name; only together with the user that it runs as it identifies a caller."
    case .badBinding: "A binding names one identity. Several identities are several items of the list."
    case .ceilingWithoutDefault:
      "A behaviour that states a default starts afresh; one that states none inherits default and ceilings from above. A ceiling alone would be neither: state the default too."
    case .ceilingBelowDefault:
      "A ceiling says how far others may loosen. One that is stricter than the default could only tighten: lower the default."
    case .hardcodedContradiction:
      "Nothing moves an absolute, so a default or ceiling that says otherwise is void. Delete it."
    case .hardcodedOnStakes: "What is always allowed has to be harmless, and the file has to say so: `stakes: 0`."
    case .oppositeAbsolutes:
      "An absolute covers all names below it, so one of these two would break the other. Narrow one."
    case .builtInAbsolute:
      "A few absolutes are compiled into the program. A platform may add to them, and can't remove or weaken one."
    case .populationAndDefault:
      "A population chooses the behaviour's default, so a default beside it would say the same thing twice, or something else. A file in a higher folder may replace one by the other."
    case .populationCount:
      "A population counts people: whole numbers, each at least 1. How many there are in all is up to the author; only proportions matter."
    case .populationGroup:
      "Payoffs, bounds and audiences speak of the groups that the population's `who` names. A misspelt one would silently count for nothing."
    case .populationPayoff:
      "Payoffs are decimal numbers and are added up exactly, so they have few digits, no exponent and no quotes."
    case .populationResponse:
      "A response is an effect, or an effect `with` obligations; each stands once."
    case .populationSize: "A population has at most 64 groups and 64 responses."
    case .audienceWithoutPopulation:
      "An audience makes the choice of the platform's population again for those who ask this operator. Where the platform states a plain default there is nothing to choose; a setting says what the operator wants."
    case .badKey: "An authority is known by its Ed25519 public key: `ed25519:` and the key's 32 bytes in base64."
    case .badDate: "A day is written as `2027-01-31`, and has to be one that the calendar has."
    case .badQuorum:
      "More authorities would have to agree than there are, so the period could never end. A period has to say how it ends."
    case .noEvidence:
      "A period ends on evidence, each item of which every determination has to hold. Without any it would end on somebody's wish."
    case .repeatedKey: "Two authorities with one key are one voice, which would count twice towards a quorum."
    case .unknownAuthority: "Who decides about a period has to be among the `authorities`, with a key."
    case .unknownPeriod:
      "The platform's files declare no such period. Under a platform that has lost it, an operator's last good file counts it as running."
    case .periodNotLooser:
      "What holds after a period replaces what holds while it runs, and the end of a period only loosens."
    case .periodTightens:
      "The end of a period only loosens, so that nobody is surprised by it and its return is safe at any time. A limit can be there while a period runs, a duty or a grant once it has ended; and what several periods replace, they replace by the same."
    case .tooManyPeriods:
      "A platform may have 64 periods: decisions take those that have ended as the bits of one word."
    case .badCounter:
      "A counter says what it counts (`counts`: requests or distinct users), of which behaviours (`of`), for whom (`per`) and how far it looks back (`window`). Users are told apart by the attribute `user.id`."
    case .unknownCounter: "The platform's files declare no such counter."
    case .counterOutsideLimit:
      "A counter says how often something was asked. That can be a reason to do less of it, never more, so only limits may read one."
    case .badDuration: "A duration is a whole number with its unit: `30s`, `90m`, `12h`, `7d`."
    case .suspicionIncomplete:
      "Suspicion has to decay, or one slip would count for ever, and it has to do something: from `ask-at` on a human decides, from `deny-at` on nobody does."
    case .suspicionOrder: "Suspicion first asks and then denies. The other way round the question would never come up."
    case .ruleKind: "A rule says exactly one thing: `allow`, `ask`, `deny`, `limit` or `duty`."
    case .ruleTo: "`allow`, `ask` and `deny` say what the behaviour shall be; only a `limit` and a `duty` have `to`."
    case .aboveCeiling:
      "The operator claims more than the platform lets operators have for this behaviour; the related place is where that was set."
    case .underAbsolute:
      "The behaviour is hard-coded, itself or by a name above it; no setting, grant or duty can move it."
    case .undeclaredBehavior:
      "The rule names nothing that is declared, nor anything above or below such a name. Most often it is misspelt."
    case .argumentOutsideLimit:
      "`argument` is free text that tries to justify a request. No argument loosens anything, so only limits may look at it."
    case .dialOutsideLimit:
      "`session.dial` is how far the agent may go on its own. Only what can tighten may look at it: a limit."
    case .dialLoosens:
      "Lowering the dial never loosens anything, so a limit may ask whether the dial is low, and not whether it is high: that limit would be lifted by lowering the dial."
    case .conditionOutdated:
      "An operator's last good file is kept under a platform that has changed since, and a condition reads attributes that are gone or have another type. Nothing is refused for that, and nothing is loosened: the condition counts as failed."
    case .celSyntax:
      "The condition isn't CEL. A condition that begins with `!`, `[`, `{` or a quote has to be quoted as a whole."
    case .celTooDeep: "The condition is nested too deeply."
    case .celTooLong: "The condition is too long. Split it into several rules."
    case .celUndeclared: "The condition reads something that is not declared, or calls a function that doesn't exist."
    case .celNoOverload:
      "The function or operator doesn't take values of these types. CEL converts nothing by itself: `1 + 1.0` is an error."
    case .celTypeMismatch: "The types in the condition don't fit together."
    case .celNotBool: "A condition has to be true or false. Compare the value with something."
    case .celEnumValue:
      "The attribute is an enumeration, and this is none of its values: the comparison could never be true."
    case .celPattern: "The regular expression is not one that RE2 reads, or is too large."
    case .celPatternNotLiteral: "Regular expressions are compiled when the file loads, so they have to be literals."
    case .celZone: "The time zone isn't one that can be used in a condition."
    case .celMessage: "CEL's messages are not part of the policy language. Use a map."
    case .celTooComplex: "The condition is too large once its macros are written out. Split it into several rules."
    case .celCounter:
      "A condition reads a counter as `counter(\"NAME\")`. The name is a text that stands there, so that a misspelt one is found when the file loads."
    case .tooManyObligations: "A layer may use 64 different obligations: decisions carry them as the bits of one word."
    case .tooManyRules: "One behaviour may have 65,535 rules in a layer, and a compiled layer 1 GiB."
    case .tooManyAttributes: "A platform may declare 4,089 attributes."
    case .exampleMismatch:
      "A rule's own example doesn't come out as it says. Either the condition or the example is not what was meant, so the file is not put in force."
    case .lintClamped:
      "The statement names a behaviour below which others have a stricter ceiling; there it is clamped. That may be just what is meant."
    case .lintShadowed: "Another statement always holds and goes at least as far, so this one never changes a decision."
    case .lintDuplicate: "Two statements say the same."
    case .lintEmptyArgument:
      "The condition holds for an empty argument. A limit that reads `argument` applies unless its condition is false with the argument and with an empty one, so this one applies to every request."
    case .lintReadsBehavior:
      "A rule governs the behaviour that it names and all below it; asking for the name in the condition is slower and easier to get wrong."
    case .lintNeverHolds: "The condition is false whatever is asked, so the statement never takes part."
    case .lintUnderAbsolute: "The behaviour is hard-coded, so this states what never matters."
    case .lintUnstatedStakes:
      "Nobody states the behaviour's stakes, so they are 1, above any dial: an agent never does this on its own, whatever is allowed. Say how much harm it can do and how hard that is to undo; write `stakes: 1` if it is meant."
    case .lintUnusedCounter: "No limit reads the counter, so counting changes nothing."
    case .lintUnusedPeriod: "No rule, grant, default or ceiling depends on the period, so its end would change nothing."
    }
  }
}
