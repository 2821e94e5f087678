"""Tests of the templates and codecs that come with Inflight."""
