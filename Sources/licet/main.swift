Licet.main()
