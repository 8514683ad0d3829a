"""The figures of the report. Each function takes plain records (dictionaries) and gives a Drawing, or says what is missing."""
