"""Make pictures small: 255 colours each, chosen so that no pixel is far off. pack.py FROM.png TO.png …; needs Pillow."""
import sys

from PIL import Image

for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    picture = Image.open(source).convert("RGB")
    picture.quantize(255, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(target, optimize=True)
