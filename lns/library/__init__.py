"""The template library: device templates with codecs and examples, ours and those of folders that people have."""
