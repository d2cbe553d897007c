"""Runs students' notebooks in throw-away accounts, apart from the course.

nbgrader runs a notebook with the account of whoever grades, and what a student wrote may then
read whatever that account may. Here the notebook and the files next to it go over a Unix
socket to an executor, which runs them as an account that owns nothing, without a network, and
answers with outputs alone.

``protocol`` is what both sides speak. ``server`` takes requests and gives each an account
(``accounts``, ``sandbox``); in a container systemd does that
(``images/ananke-nbgrader/assets/systemd``). ``runner`` is the program in that account.
"""
