"""Prints, for each line "A<tab>OP<tab>B" of standard input, the sign of A against B and whether "OP B" holds A, by `packaging`."""

import sys

from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.version import Version

for line in sys.stdin:
    one, op, two = line.rstrip("\n").split("\t")
    a, b = Version(one), Version(two)
    try:
        holds = str(Specifier(op + two).contains(one, prereleases=True)).lower()
    except InvalidSpecifier:
        holds = "refused"
    print((a > b) - (a < b), holds)
