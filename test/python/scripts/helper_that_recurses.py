"""Never comes to an end."""


def down(depth):
    return down(depth + 1) + 1
