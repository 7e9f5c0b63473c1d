"""The report of a run as a page: one file of HTML that stands alone, for browsers and paper.

`count` counts the events, once; `course` follows the frames; each file that is named after a part
of the page says that part, as records of `part`; `charts` draws, `whole` puts it together.
"""
