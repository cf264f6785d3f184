"""What becomes of one raw line, by rules in plain Python: no Spark, one place a rule.

`reading` makes a JSON object of a line, `kinds` tells whether fields are of the right type, a module an
entity says what its fields mean and which rules a row must keep, `privacy` what may be stored of a row that
isn't taken, and `judge` goes through all of them for one line.
"""
