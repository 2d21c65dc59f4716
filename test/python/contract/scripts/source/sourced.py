VALUE = "in the source directory"
