"""What the console's keys do."""

HELP = """\
KEYS                                      PANELS
0-9     show or hide a panel              1 figures, now and over days
M       maximise one; then a digit        2 damage: where campaign mail goes
p P     pause the view, the run           3 flow: what becomes of votes
[ ] r   slower, faster; redraw rate       4 guards: whom each check stopped
← →     an hour back, forth (shift: day)  5 sources; Tab, Enter: evidence
Home    to the first hour                 6 responses: what is done to them
End     to the last, and follow           7 pipeline, on Kafka
t       to the next turn of the story     8 model: who taught it
f       filter sources and events         9 event log
c       clear the log
s       sort sources by another column    Blue: people. Orange: bots, and
g       truth: tell bots from people      what went badly. With g off you
i       last 24 hours, or all so far      see what a guard sees. A run that
w W     a bot, ten bots join the attack   goes on hears P, [ ] and w, and
l       words that were taught, by whom   nothing else.
e       save picture and figures
q       {leave:<34}Esc closes
"""
LEAVES, ENDS = "leave; the run goes on", "end the run, saved to be resumed"
