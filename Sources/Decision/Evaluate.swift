// Programs: the evaluator of byte code.

internal import PolicyImage

func evaluateProgram(_ word: UInt32, _ image: borrowing Image, _ frame: inout Frame) -> Outcome {
  Outcome(.failed, failure: .unknownName)
}
