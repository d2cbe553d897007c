"""Runs students' notebooks in throw-away accounts, isolated from the course.

nbgrader runs a notebook as the account that grades, so a student's code could read whatever
that account can. Here the notebook and the files next to it go over a Unix socket to an
executor, which runs them as an account that owns nothing, without a network, and answers with
outputs only.

``protocol`` is what both sides speak. ``server`` accepts requests and runs each in an account
of its own (``accounts``, ``sandbox``); in a container systemd does that
(``images/ananke-nbgrader/assets/systemd``). ``runner`` is the program in that account.

``protocol`` and ``runner`` run in courses' servers and next to students' code: they import
nothing but ``kore.shared``. ``server``, ``accounts`` and ``sandbox`` run as root and use
``kore.host`` for accounts and mounts.
"""
