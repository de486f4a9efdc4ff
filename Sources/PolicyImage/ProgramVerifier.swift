// Programs in `code`: the condition compiler's instruction set comes with its own verifier.

func verifyProgram(_ word: UInt32, in image: Image, slots: Int) -> Bool { false }
