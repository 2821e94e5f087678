"""Tests of lns/library: reading folders of other projects, whatever is in them."""
