"""Modules of Azure that scripts import, where no package provides them."""
