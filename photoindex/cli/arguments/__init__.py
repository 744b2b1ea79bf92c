"""Options, arguments and query words as the command line takes them."""
