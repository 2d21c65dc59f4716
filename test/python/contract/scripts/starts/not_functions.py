init = 1
run = 2
