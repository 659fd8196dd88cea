"""Files that are odd, damaged or hostile, made from one phantom: nothing is real."""
