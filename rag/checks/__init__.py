"""What a claim and its sources are compared by: numbers, names, words, denials and degrees."""
