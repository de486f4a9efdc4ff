import ArgumentParser

Licet.main()
