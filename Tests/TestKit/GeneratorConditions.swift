// Conditions for generated rules, out of a grammar: attribute tests, comparisons, macros, and plenty that fail for
// some requests (a missing attribute or key, an overflow, a conversion).

struct ConditionGenerator {
  /// Names that conditions may compare `request.behavior` with.
  let names: [String]
  let mayReadArgument: Bool
  /// Names of counters that conditions may read.
  let counters: [String]

  func condition(_ random: inout SeededRandom, depth: Int = 0) -> String {
    if mayReadArgument, depth == 0, random.chance(15) { return dial(&random) }
    if !counters.isEmpty, random.chance(depth == 0 ? 25 : 10) { return counter(&random) }
    if mayReadArgument, depth == 0, random.chance(40) { return combine(Self.arguments, &random) }
    if depth < 2, random.chance(35) {
      let left = condition(&random, depth: depth + 1)
      let right = condition(&random, depth: depth + 1)
      switch random.below(4) {
      case 0: return "(\(left)) && (\(right))"
      case 1: return "(\(left)) || (\(right))"
      case 2: return "!(\(left))"
      default: return "(\(left)) ? (\(right)) : (\(condition(&random, depth: depth + 1)))"
      }
    }
    if random.chance(8) { return behavior(&random) }
    return random.pick(random.chance(55) ? Self.plain : random.chance(50) ? Self.texts : Self.lists)
  }

  private func combine(_ pool: [String], _ random: inout SeededRandom) -> String {
    let first = random.pick(pool)
    switch random.below(4) {
    case 0: return "\(first) && (\(condition(&random, depth: 1)))"
    case 1: return "\(first) || \(random.pick(pool))"
    default: return first
    }
  }

  /// As the loader accepts it: what lowering the dial can only make true.
  private func dial(_ random: inout SeededRandom) -> String {
    let read = random.pick(Self.dials)
    switch random.below(5) {
    case 0: return "\(read) && (\(condition(&random, depth: 1)))"
    case 1: return "(\(condition(&random, depth: 1))) || \(read)"
    case 2: return "(\(condition(&random, depth: 1))) ? \(read) : (\(condition(&random, depth: 1)))"
    default: return read
    }
  }

  private func counter(_ random: inout SeededRandom) -> String {
    let read = "counter('\(random.pick(counters))')"
    switch random.below(8) {
    case 0: return "\(read) < 5"
    case 1: return "\(read) > request.recipients"
    case 2: return "\(read) + counter('\(random.pick(counters))') >= 8"
    case 3: return "\(read) > 100 || user.age_verified"
    case 4: return "3 < \(read)"
    case 5: return "\(read) * 9223372036854775807 > 0"
    default: return "\(read) > \(random.pick([0, 1, 3, 20]))"
    }
  }

  private func behavior(_ random: inout SeededRandom) -> String {
    let name = random.pick(names)
    switch random.below(4) {
    case 0: return "request.behavior == '\(name)'"
    case 1: return "request.behavior != '\(name)'"
    case 2: return "request.behavior in ['\(name)', '\(random.pick(names))']"
    default: return "request.behavior.startsWith('\(name).')"
    }
  }

  static let dials = [
    "session.dial < 0.3", "session.dial <= 0.2", "0.25 > session.dial", "!(session.dial >= 0.35)",
    "request.amount >= session.dial", "!(session.dial > request.amount && user.age_verified)",
    "!(0.1 <= session.dial || session.dial > 0.4)",
  ]

  static let plain = [
    "user.age_verified", "!user.age_verified", "user.role == 'member'", "user.role != 'guest'",
    "user.role in ['guest', 'clinician']", "has(user.role)", "!has(user.age_verified)",
    "has(request.amount) && request.amount > 100.0", "request.amount > 100.0", "request.amount <= -1.5",
    "request.recipients >= 50", "request.recipients == 3", "request.recipients + 9223372036854775800 > 5",
    "10 / request.recipients > 1", "7 % request.recipients == 1", "-request.recipients < 0",
    "request.recipients * 4611686018427387904 > 0", "request.size > 2u", "request.size - 3u < 10u",
    "user.visits > 3 || request.recipients > 50", "user.visits < 10 && user.age_verified", "true", "false",
    "request.source == 'agent'", "request.source in ['user', 'operator']", "operator.name == 'op'",
    "operator.name.size() == 3", "now > timestamp('2026-06-01T00:00:00Z')", "now.getHours() < 12",
    "now.getHours('America/New_York') < 9", "request.due.getMinutes('Asia/Kathmandu') == 45",
    "(now + duration('120000h')).getDayOfWeek('Australia/Sydney') > 2",
    "(now + duration('123456h')).getHours('Europe/Dublin') in [1, 2, 23]",
    "now.getDayOfWeek('+05:30') in [0, 6]", "now - request.due > duration('24h')", "request.wait < duration('90s')",
    "request.wait.getMinutes() == 1", "request.due.getFullYear() == 2026",
    "double(request.recipients) > request.amount",
    "math.greatest(request.recipients, user.visits) > 40", "math.abs(request.amount) < 2.0",
    "math.bitAnd(request.recipients, 1) == 1", "request.amount == request.amount", "request.meta == {'k': 1}",
    "type(request.args) == map", "request.blob == b'ab'", "size(request.blob) > 1",
  ]

  static let texts = [
    "request.resource.startsWith('mailto:')", "request.resource.matches('^[a-z]+:')", "request.resource == ''",
    "request.resource.endsWith('.org')", "request.resource.contains('é')", "request.label.lowerAscii() == 'urgent'",
    "request.label.size() > 3", "int(request.label) > 3", "request.label.matches('(?i)^ur.?gent$')",
    "request.label.matches('\\\\bx\\\\d+|[^a-z]{2,}')", "request.label.substring(1) == 'rgent'",
    "request.label.charAt(2) == 'g'", "request.label.indexOf('g') == 2",
    "request.label.replace('u', 'U') != request.label",
    "request.label.split(',').size() == 2", "request.label.trim() == request.label", "request.label < 'm'",
    "request.label + '!' == 'x1!'", "request.label.reverse() == request.label", "bool(request.label)",
    "timestamp(request.label) < now", "duration(request.label) > duration('1s')", "string(request.recipients) == '3'",
    "string(request.blob) == 'ab'", "bytes(request.label) == b'x1'", "base64.encode(request.blob) == 'YWI='",
    "'%s-%d'.format([request.label, request.recipients]) == 'x1-3'", "double(request.label) > 0.5",
  ]

  static let lists = [
    "request.tags.exists(t, t == 'x')", "request.tags.all(t, t.startsWith('a'))", "request.tags.size() > 1",
    "request.tags[1] == 'b'", "'b' in request.tags", "request.tags.filter(t, t != 'a').size() == 1",
    "request.tags.map(t, t + '!').exists(t, t == 'x!')", "request.tags.exists_one(t, t.size() == 1)",
    "request.tags.all(t, int(t) > 0)", "request.tags.exists(t, int(t) > 1)", "request.tags == ['a', 'b']",
    "request.tags.join('-') == 'a-b'", "request.tags[?0].orValue('x') == 'x'", "request.tags[?7].hasValue()",
    "request.tags.exists(i, t, i > 0 && t == 'b')", "request.tags.transformList(i, t, i).size() == 2",
    "request.meta['k'] == 1", "request.meta.k > 0", "'k' in request.meta", "has(request.meta.k)",
    "request.meta.exists(k, request.meta[k] > 5)", "request.meta.all(k, v, v > 0 && k != '')",
    "request.meta[?'k'].orValue(0) > 0", "request.meta.transformMap(k, v, v + 1) == {'k': 2}",
    "size(request.meta) == 2",
    "request.args.path.startsWith('/etc')", "request.args.n > 3", "has(request.args.path)",
    "request.args.flags[0] == '-f'",
    "request.args.deep.x.y == true", "request.args.n == 4.0", "request.args.?deep.x.hasValue()",
    "request.args.list.exists(e, e > 1)",
    "cel.bind(n, request.recipients, n > 1 && n < 9)", "{'a': 1, request.label: 2}.size() == 2",
    "[request.recipients, user.visits].exists(n, n == 3)", "request.args == {'n': 4}",
  ]

  static let arguments = [
    "argument.contains('please')", "argument != ''", "argument == ''", "size(argument) > 10", "!argument.contains('x')",
    "argument.matches('(?i)urgent|dringend|緊急')", "int(argument) > 5", "argument.lowerAscii().startsWith('i ')",
    "argument.split(' ').size() > 3", "argument.charAt(3) == 'e'",
  ]
}
