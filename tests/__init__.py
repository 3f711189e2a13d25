"""Tests: one folder per package of `scheduler`, and one suite per port in `contract/`.

A test's docstring is the sentence of behaviour it proves; its body is about five lines, with
builders. Fakes keep the port's contract and can fail. Time is virtual: nothing here sleeps to wait.
"""
