"""One run at a time, on the main thread: the mode of a script that says nothing else."""

from __future__ import annotations

import socket

from .ending import Ending
from .intake import Intake, Redaction
from .pipe_reader import PipeReader
from .redaction import RedactionHook
from .runs import Runner
from .start_mark import StartMark
from .streams import StreamSender

# Requests that may wait in the pipe while runs are quick. Why so few: 16 frames fill a write of
# the host.
AHEAD = 16


def serve_serially(
    pipe: socket.socket,
    intake: Intake,
    runner: Runner,
    mark: StartMark,
    redaction: RedactionHook,
    ending: Ending,
) -> None:
    """Returns when the host has closed its side of the pipe.

    A stream holds the thread until its end, also while it waits for the client: no other run
    comes in between.
    """
    reader = PipeReader(pipe, intake, ending.lost_pipe)

    def wait(sender: StreamSender) -> None:
        reader.wait(lambda: not sender.full)

    while (work := reader.next()) is not None:
        reader.run_begins()
        if isinstance(work, Redaction):
            redaction.redact(work.ident, work.payload)
        else:
            mark.begun(work.order)
            runner.perform(work, wait)
            intake.done(work)
        reader.run_ends()
