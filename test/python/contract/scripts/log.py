"""What a script writes: the body is the text."""

import logging
import sys
import warnings

logger = logging.getLogger("mine")
print("printed at import")


def init():
    print("printed in init()")
    logging.info("info in init()")


def run(text):
    print("printed", text)
    print("printed", "to", "stderr", text, file=sys.stderr)
    print("without an end", text, end="")
    sys.stdout.write("written " + text + "\n")
    logging.info("root info %s", text)
    logging.warning("root warning %s", text)
    logger.debug("debug %s", text)
    logger.info("info %s", text)
    logger.warning("warning %s", text)
    logger.error("error %s", text)
    warnings.warn("warned " + text)
    try:
        raise ValueError("caught " + text)
    except ValueError:
        logger.exception("exception %s", text)
    if text == "fail":
        raise KeyError("the reason")
    if text == "not json":
        return {1, 2}
    return text
