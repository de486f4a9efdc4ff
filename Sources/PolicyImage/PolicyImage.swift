// PolicyImage
