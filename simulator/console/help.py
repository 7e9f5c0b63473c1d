"""What the console's keys do."""

HELP = """\
KEYS                                      PANELS
0-9     show or hide a panel              1 figures, now and over days
M       maximise a panel, and back        2 damage: where the campaign lands
p       pause the view                    3 feedback flow: what becomes of votes
P       pause the run                     4 guards: whom each check stopped
[ ]     slower, faster                    5 sources: who votes (Tab, Enter: evidence)
r       draw more or less often           6 responses: what is done about sources
← →     an hour back, forth (shift: day)  7 pipeline, on Kafka
Home    to the first hour                 8 model: who taught it
End     to the last, and follow           9 event log
t       to the next turn of the story
f       only sources and events with …    Blue is people, or well; orange is bots, or
c       clear the log                     badly. With g off you see what a guard sees.
s       sort sources by another column
g       truth: tell bots from people      A run that goes on waits, slows down or gets
i       last 24 hours, or all so far      bots for P, [ ] and w; nothing else touches it.
w W     a bot, ten bots join the attack
l       what was learned in the last day,
        word by word, and who taught it
e       save picture and figures
q       {leave:<34}Esc closes
"""
LEAVES, ENDS = "leave; the run goes on", "end the run, saved to be resumed"
