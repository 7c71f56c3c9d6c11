"""Make the pictures of the README and the documentation from the sample data.

Run with ``python docs/make_images.py``. Pictures are the demo's, with fewer colours to keep them small.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from craterkit.demo import run_demo

IMAGES = Path(__file__).parent / "images"
COLOURS = 256


def main():
    IMAGES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        picture = Image.open(run_demo(folder)["histograms"]).convert("RGB")
    path = IMAGES / "rim_histograms.png"
    small = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
