"""Other gray values of the same anatomy: the reference stays."""

import numpy as np
from imageio.v3 import imread, imwrite
from numpy.random import Generator
from PIL import Image, ImageFilter
from skimage.exposure import adjust_gamma

from lungcli.arrays import Gray
from lungcli.perturbations.sample import Sample


def gamma(sample: Sample, exponent: float, rng: Generator) -> Sample:
    """Raise gray values in [0, 1] to a power: below 1 brightens, above 1 darkens."""
    del rng
    return sample._replace(image=adjust_gamma(sample.image, exponent))


def lower_contrast(sample: Sample, levels: float, rng: Generator) -> Sample:
    """Squeeze the gray values into few levels, as a careless converter to 8 bits.

    As where 16 bits of which the X-ray uses a part become 8. What fewer levels are
    left of lies within what more of the same draw leave.

    Args:
        sample: What is changed.
        levels: Gray levels from black to white, a whole number from 2 to 256: 256
            changes nothing.
        rng: Draws the place, anywhere from the dark to the bright end.
    """
    darkest = round(rng.random() * (256 - levels))
    squeezed = squeeze(sample.image, darkest, darkest + levels - 1)
    return sample._replace(image=squeezed)


def squeeze(image: Gray, darkest: float, brightest: float) -> Gray:
    """Bring black to one gray value and white to another, the others in proportion.

    Args:
        image: Shape `(height, width)`.
        darkest: What 0 becomes, in [0, 255].
        brightest: What 255 becomes, as well.

    Returns:
        Of the same shape, rounded: gray values that come to lie together stay one.

    Examples:
        >>> squeeze(np.array([[0, 51, 255]], np.uint8), 30, 110)
        array([[ 30,  46, 110]], dtype=uint8)
    """
    table = np.rint(np.linspace(darkest, brightest, 256)).astype(np.uint8)
    return table[image]


def clip_to_window(sample: Sample, percent: float, rng: Generator) -> Sample:
    """Show a part of the gray range only, as a wrong display window.

    What is darker than the window becomes the image's own black, what is brighter its
    own white, and the rest is stretched between them.

    Args:
        sample: What is changed.
        percent: What the window leaves out, in percent of the range from the image's
            smallest to its largest gray value, at both ends together.
        rng: Draws how much of it is lost at the dark end: all, nothing or a part.
    """
    black, white = int(sample.image.min()), int(sample.image.max())
    lost = percent / 100 * (white - black)
    low = black + rng.random() * lost
    window = low, low + white - black - lost
    table = np.rint(np.interp(np.arange(256), window, (black, white)))
    return sample._replace(image=table.astype(np.uint8)[sample.image])


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
    encoded = imwrite("<bytes>", sample.image, extension=".jpg", quality=round(quality))
    return sample._replace(image=imread(encoded, extension=".jpg"))


def lower_resolution(sample: Sample, factor: float, rng: Generator) -> Sample:
    """Average to a picture so many times smaller, and enlarge it again, smoothly."""
    del rng
    picture = Image.fromarray(sample.image)
    width, height = (max(1, round(length / factor)) for length in picture.size)
    small = picture.resize((width, height), Image.Resampling.BOX)
    enlarged = small.resize(picture.size, Image.Resampling.BILINEAR)
    return sample._replace(image=np.asarray(enlarged))
