"""From the bytes of a file to gray pixels and a network's input, for training and serving alike."""
