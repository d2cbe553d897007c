"""A course's folder gets other content: all of it, or nothing."""

from __future__ import annotations

from kore.service.coursedir import swap
from kore.service.coursedir.tree import SafeTree


def test_a_move_that_was_interrupted_goes_on(tmp_path):
    """Killed between any two moves, the next attempt ends with exactly what was to come."""

    class Killed(BaseException):
        pass

    for fatal in range(12):
        root = tmp_path / str(fatal)
        for path in ("a/old", "b", "c/old", "stays"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("old")
        moves = 0
        with SafeTree(root) as tree:
            for path in ("a/new", "b", "d"):
                tree.write(f"{swap.staging('j')}/{path}", [b"new"])
            real = tree.rename

            def rename(old, new, real=real, fatal=fatal):
                nonlocal moves
                if moves == fatal:
                    raise Killed
                moves += 1
                real(old, new)

            tree.rename = rename
            try:
                swap.put_in_place(tree, "j", gone=["c", "x"])
            except Killed:
                del tree.rename
                # A program that still ran has made one of them anew.
                (root / "b").exists() or (root / "b").write_text("meanwhile")
                swap.put_in_place(tree, "j", gone=["c", "x"])
            tree.__dict__.pop("rename", None)
            swap.clear(tree, "j")
        found = {
            str(path.relative_to(root)): path.read_text()
            for path in root.rglob("*")
            if path.is_file()
        }
        assert found == {"a/new": "new", "b": "new", "d": "new", "stays": "old"}, fatal
