// What the daemon is made of: neither the policy language nor YAML nor Foundation is in it.

import Foundation
import Testing

@Suite struct LinkageTests {
  @Test func theDaemonLinksNoLanguage() throws {
    let libraries = try run(["/usr/bin/ldd", program("licetd")]).output
    #expect(libraries.contains("libdbus-1"))
    for name in ["libFoundation.so", "libFoundationInternationalization", "libyaml", "libicu"] {
      #expect(!libraries.contains(name))
    }
    let symbols = try run(["/usr/bin/nm", "--defined-only", program("licetd")]).output
    // Mangled: a module's name after its length.
    #expect(symbols.contains("$s9Authority"))
    for module in ["14PolicyLanguage", "3CEL", "7Offline", "6Oracle"] { #expect(!symbols.contains("$s\(module)")) }
    #expect(!symbols.contains("yaml_parser_"))
    let compiler = try run(["/usr/bin/nm", "--defined-only", program("licet-compiler")]).output
    #expect(compiler.contains("$s14PolicyLanguage"))
  }
}
