"""Other gray values of the same anatomy: the reference stays."""

import io

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageFilter

from lungcli.data.perturbations.sample import Sample


def gamma(sample: Sample, exponent: float, rng: Generator) -> Sample:
    """Raise gray values in [0, 1] to a power: below 1 brightens, above 1 darkens."""
    del rng
    table = np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return sample._replace(image=table[sample.image])


def invert(sample: Sample, inverted: float, rng: Generator) -> Sample:
    """Show bone black and air white, as a MONOCHROME1 file read without its tag."""
    del rng
    return sample._replace(image=255 - sample.image) if inverted else sample


def add_noise(sample: Sample, percent: float, rng: Generator) -> Sample:
    """Add white Gaussian noise and clip.

    Args:
        sample: What is changed.
        percent: Standard deviation in percent of the range of gray values.
        rng: Draws the pattern: the same one whatever the strength.
    """
    pattern = rng.standard_normal(sample.image.shape, np.float32)
    noisy = sample.image + np.float32(percent / 100 * 255) * pattern
    return sample._replace(image=np.rint(np.clip(noisy, 0, 255)).astype(np.uint8))


def blur(sample: Sample, percent: float, rng: Generator) -> Sample:
    """Blur by a Gaussian.

    Args:
        sample: What is changed.
        percent: Standard deviation in percent of the longer side.
        rng: Not used.
    """
    del rng
    sigma = percent / 100 * max(sample.image.shape)
    blurred = Image.fromarray(sample.image).filter(ImageFilter.GaussianBlur(sigma))
    return sample._replace(image=np.asarray(blurred))


def compress(sample: Sample, quality: float, rng: Generator) -> Sample:
    """Encode as baseline JPEG of this quality (1 to 100) and decode again."""
    del rng
    file = io.BytesIO()
    Image.fromarray(sample.image).save(file, format="JPEG", quality=round(quality))
    with Image.open(file) as decoded:
        return sample._replace(image=np.asarray(decoded))


def lower_resolution(sample: Sample, factor: float, rng: Generator) -> Sample:
    """Average to a picture so many times smaller, and enlarge it again, smoothly."""
    del rng
    picture = Image.fromarray(sample.image)
    width, height = (max(1, round(length / factor)) for length in picture.size)
    small = picture.resize((width, height), Image.Resampling.BOX)
    enlarged = small.resize(picture.size, Image.Resampling.BILINEAR)
    return sample._replace(image=np.asarray(enlarged))
