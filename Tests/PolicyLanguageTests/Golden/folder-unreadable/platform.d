licet: 1
