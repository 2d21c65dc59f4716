"""Configures logging as the environment says, and logs."""

import logging
import logging.config
import os
import sys


def init():
    how = os.environ["HOW"]
    if how == "level":
        logging.basicConfig(level=logging.DEBUG, format="<%(name)s> %(message)s")
    elif how == "stdout":
        logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="out: %(message)s")
    elif how == "handler":
        logging.getLogger().addHandler(logging.StreamHandler())
    elif how == "dict":
        logging.config.dictConfig(
            {
                "version": 1,
                "handlers": {"h": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}},
                "root": {"handlers": ["h"], "level": "INFO"},
            }
        )


def run(raw_data):
    logging.getLogger("mine").info("hello")
    logging.getLogger("mine").debug("detail")
    return "ok"
