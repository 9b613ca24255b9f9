"""Make texts that others have written safe to look at: pure."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["clean"]

# Control sequences (CSI), and strings that a terminal takes as commands (OSC, DCS, APC, PM, SOS).
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]P_^X]|[\x9d\x90\x9f\x9e\x98])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
)
# Besides the controls: what reverses or hides the text around it.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def clean(text: str) -> str:
    r"""Return a text without terminal control sequences, control characters and invisible ones.

    Args:
        text: what somebody named something.

    Example:
        >>> clean("\x1b[31mred\x1b[0m\n")
        'red'
    """
    plain = _SEQUENCES.sub("", text)
    return "".join(char for char in plain if unicodedata.category(char) not in _UNSEEN)
