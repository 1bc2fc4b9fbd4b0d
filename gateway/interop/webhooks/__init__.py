"""Events as messages to the addresses that asked for them."""
