// The program that tests/weave/bin stands in for.
