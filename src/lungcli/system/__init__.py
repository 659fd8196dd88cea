"""Files, locks, interrupts, cores: what lungcli asks of the machine."""
