"""Expressions of readiness checks: CEL, evaluated by a child process within limits of time, steps and memory.

`Sandbox` is what others use. It says what is to be done (`rounds`), has it done by a child (`process`, which runs
`child` as a program of its own), and puts what CEL says into words (`messages`). People write these expressions and
services declare what they are evaluated over, so neither is trusted: whatever an expression does, the child dies of it
and not the server (docs/decisions/0015-expressions-in-a-child-process.md).
"""
