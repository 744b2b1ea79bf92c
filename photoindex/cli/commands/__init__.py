"""One module a command: declare options, call one operation of the library, print its answer."""
