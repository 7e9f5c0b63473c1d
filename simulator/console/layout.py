"""The layout: which panels are on the screen, by the room there is and by what somebody chose."""

ROWS = ((2, 3), (4, 5), (6, 8), (9, 7))
"""Panels side by side, by number; a row of which all are hidden takes no room."""
TITLES = {
    2: "damage",
    3: "feedback flow",
    4: "guards",
    5: "sources",
    6: "responses",
    7: "pipeline",
    8: "model (l: what it learned)",
    9: "event log",
}
COMPACT = 36
"""Lines of a terminal below which only some panels are shown at first."""
AT_FIRST = {True: {0, 1, 2, 3, 4, 9}, False: {0, 1, 2, 3, 4, 5, 6, 8, 9}}


class Layout:
    """Which panels are shown.

    Args:
        kafka: whether the run is on Kafka, whose pipeline is worth a panel from the start.
    """

    def __init__(self, kafka: bool) -> None:
        """Nothing was chosen yet."""
        self._kafka = kafka
        self._chosen: set[int] | None = None
        self._maximised = 0

    def shown(self, height: int) -> set[int]:
        """The panels that are visible on a screen of so many lines."""
        if self._maximised:
            return {0, self._maximised}
        if self._chosen is not None:
            return self._chosen
        return AT_FIRST[height < COMPACT] | ({7} if self._kafka else set())

    def status_shown(self, height: int) -> bool:
        """Whether the status strip is there: until somebody hides it."""
        return 0 in self.shown(height) or not self._chosen

    def press(self, number: int, height: int) -> None:
        """Show or hide a panel; while one is maximised, another one in its place."""
        if self._maximised and number in TITLES:
            self._maximised = number
            return
        self._maximised = 0
        self._chosen = self.shown(height) ^ {number}

    def maximise(self, focused: int | None, height: int) -> None:
        """Give the whole screen to a panel, or give it back.

        Args:
            focused: the panel that has the focus; None: the first one that is shown.
            height: lines of the screen.
        """
        first = min(self.shown(height) - {0, 1}, default=2)
        self._maximised = 0 if self._maximised else focused or first
