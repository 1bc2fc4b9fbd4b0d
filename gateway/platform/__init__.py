"""What everything else stands on: database, encryption, audit trail, identity, languages, the clock."""
