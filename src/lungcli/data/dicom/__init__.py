"""Read a chest X-ray from DICOM: CR, DX, secondary capture.

Everything here imports pydicom, which takes a quarter of a second: import it where a
DICOM file has been met.
"""
