"""The console's keys: what each is bound to, and what the help says of it."""

from textual.binding import Binding, BindingType

BINDINGS: tuple[BindingType, ...] = (
    *(Binding(str(n), f"panel({n})", show=False, priority=True) for n in range(10)),
    Binding("M", "maximise", show=False),
    Binding("enter", "sources", show=False),
    Binding("p", "pause_view", show=False),
    Binding("P", "pause_run", show=False),
    Binding("left_square_bracket", "speed(-1)", show=False),
    Binding("right_square_bracket", "speed(1)", show=False),
    Binding("r", "rate", show=False),
    Binding("left", "step(-1)", show=False, priority=True),
    Binding("right", "step(1)", show=False, priority=True),
    Binding("shift+left", "step(-24)", show=False, priority=True),
    Binding("shift+right", "step(24)", show=False, priority=True),
    Binding("home", "first", show=False, priority=True),
    Binding("end", "last", show=False, priority=True),
    Binding("t", "turn", show=False),
    Binding("f", "filter", show=False),
    Binding("c", "clear", show=False),
    Binding("s", "sort", show=False),
    Binding("g", "truth", show=False),
    Binding("i", "interval", show=False),
    Binding("e", "export", show=False),
    Binding("l", "lessons", show=False),
    Binding("w", "bots(1)", show=False),
    Binding("W", "bots(10)", show=False),
    Binding("question_mark", "help", show=False),
    Binding("q", "quit", show=False),
    Binding("ctrl+c", "quit", show=False, priority=True),
    Binding("escape", "unfocus", show=False),
)

HELP = """\
KEYS                                      PANELS
0-9     show or hide a panel              1 figures; █=10%: the highest bar
M       maximise one; then a digit        2 damage: where campaign mail goes
p P     pause the view, the run             gate: ‖ held, × rolled back
[ ] r   slower, faster; redraw rate       3 flow: what becomes of votes
← →     an hour back, forth (shift: day)  4 guards: whom each check stopped
Home    to the first hour                 5 sources; Enter twice: evidence
End     to the last, and follow           6 responses: what is done to them
t       to the next turn of the story     7 pipeline, on Kafka
f       filter sources and events         8 model: who taught it
c       clear the log, or show it all     9 event log
s       sort sources by another column
g       truth: tell bots from people      Blue: people; the judged arm.
i       last 24 hours, or all so far      Orange: bots; the arm without a
w W     a bot, ten bots join the attack   guard; what went badly. With g off
l       words that were taught, by whom   you see what a guard sees. A run
e       save picture and figures          hears P, [ ] and w, nothing else.
q       {leave:<34}Esc closes
"""
LEAVES, ENDS = "leave; the run goes on", "end the run, saved to be resumed"
