VALUE = "in the folder"
