"""What the log of a worker leaves out of errors that nobody caught."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[3] / "server/python"))

from scoring_worker.addresses import without_keys  # noqa: E402


class WithoutKeys(unittest.TestCase):
    """Addresses keep their origin, keys nothing."""

    def test_addresses_keep_their_origin(self) -> None:
        for text, shown in (
            ("at https://a.example:8080/path?sig=abc.", "at https://a.example:8080."),
            ("(postgres://user:p%40ss@db/name)", "(postgres://db)"),
            ("'https://[::1]/x', then", "'https://[::1]', then"),
            ("https:///only/a/path here", "the address here"),
            ("file:///srv/score.py", "file:///srv/score.py"),
            ('File "/srv/score.py", line 3', 'File "/srv/score.py", line 3'),
        ):
            with self.subTest(text):
                self.assertEqual(without_keys(text), shown)

    def test_keys_of_connection_strings_are_left_out(self) -> None:
        text = "AccountName=a;AccountKey=secret==;Endpoint=b"
        self.assertEqual(without_keys(text), "AccountName=a;AccountKey=[redacted];Endpoint=b")


if __name__ == "__main__":
    unittest.main()
