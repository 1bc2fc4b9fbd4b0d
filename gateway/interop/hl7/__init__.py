"""HL7 v2: orders and merged patients come in, results go out, over MLLP."""
