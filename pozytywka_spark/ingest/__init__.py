"""From raw JSONL to silver tables: contracts, normalising, repair, quarantine, quality."""
