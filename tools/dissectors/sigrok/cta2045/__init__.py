"""
CTA-2045 (EcoPort) on the AC form's serial line: 19,200 bit/s, 8N1, half duplex.

Stacks onto the 'uart' decoder; both directions are decoded. One direction is enough where the probe is on the
RS-485 pair. Every frame is shown with its meaning, its check bytes and, for link answers, the time since the
frame that they answer (legal: 40 to 200 ms).
"""

from .pd import Decoder
