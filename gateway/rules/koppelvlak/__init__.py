"""The rules of the koppelvlak beyond its XSD: one module per family, each ends in its table.

A new rule: write the test of it above the table of its family, add a line with the next free
id, and make the documentation again (`gateway docs docs`).
"""
