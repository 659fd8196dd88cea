r"""Label maps as NIfTI-1, for 3D Slicer, ITK-SNAP, FSLeyes and the tools of research.

A CXR has no place in the patient's space, and NIfTI demands one. The converters that
people use (ITK and SimpleITK, and with them 3D Slicer, MONAI and nnU-Net) put such an
image flat into the axial plane with the identity of DICOM's axes: columns run towards
the patient's left, rows to the back. The label map does the same, so that it lies
exactly upon an image that they have converted. It also shows upright and unmirrored in
viewers that keep to the radiological convention, and left and right are true; only
what is called posterior is really below. NIfTI counts to the right and to the front
instead, hence the two minus signs in the affine.
"""

import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import SpacingMm
from lungcli.outputs.labelled import LabelledXray
from lungcli.system.files import whole_file

_GZIP: Final = 16 + zlib.MAX_WBITS  # zlib's own gzip header holds no name and no time
_NO_EXTENSION: Final = bytes(4)
_SCANNER: Final = 1  # 0 would let readers ignore the affine, and mirror the image


def write_nifti(xray: LabelledXray, path: Path) -> Path:
    """Write the labels of a CXR as gzipped NIfTI-1, and return `path`.

    The array is `(width, height, 1)` uint8: column, row, slice. Pixels are in mm where
    their size is known; elsewhere they are 1 in an unknown unit. Equal labels and
    spacing give equal bytes.

    Args:
        xray: The CXR with its labels.
        path: The `.nii.gz` file; parent folders are made. Whole or not at all.

    Raises:
        OutputError: If the file cannot be written.

    References:
        Cox et al. (2004), NIfTI-1 data format, https://nifti.nimh.nih.gov/nifti-1
    """
    header = _header(xray.labels.shape, xray.spacing_mm)
    # the brightest value that a viewer needs to tell
    header["cal_max"] = max(each.label for each in xray.structures)
    packer = zlib.compressobj(wbits=_GZIP, memLevel=9, strategy=zlib.Z_RLE)
    # NIfTI has the first axis fastest, so that rows follow each other as they are
    pixels = np.ascontiguousarray(xray.labels)
    with whole_file(path) as part:
        packed = packer.compress(header.binaryblock + _NO_EXTENSION)
        part.write_bytes(packed + packer.compress(pixels.data) + packer.flush())
    return path


def affine(spacing_mm: SpacingMm | None) -> NDArray[np.float64]:
    """Return the matrix from (column, row, slice) to NIfTI's space, shape `(4, 4)`.

    Args:
        spacing_mm: Pixel size (row, column); None counts pixels.

    Examples:
        >>> affine((0.2, 0.1)).diagonal().tolist()
        [-0.1, -0.2, 1.0, 1.0]
    """
    row, column = spacing_mm or (1.0, 1.0)
    return np.diag([-column, -row, 1.0, 1.0])


def _header(shape: tuple[int, ...], spacing_mm: SpacingMm | None) -> Any:
    from nibabel.nifti1 import Nifti1Header  # noqa: PLC0415 - half a second

    height, width = shape
    header = Nifti1Header(endianness="<")
    header.set_data_dtype(np.uint8)
    header.set_data_shape((width, height, 1))
    header.set_qform(affine(spacing_mm), code=_SCANNER)
    header.set_sform(affine(spacing_mm), code=_SCANNER)
    header.set_xyzt_units("unknown" if spacing_mm is None else "mm")
    header.set_intent("label")
    header.set_slope_inter(1, 0)
    header.set_data_offset(header.single_vox_offset)
    header["magic"] = header.single_magic
    return header
