struct PatternError: Error { var span: Span; var message: String; var hint: String? }
func parsePattern(_ text: String) throws(PatternError) -> Pattern { .empty }
