"""Make a picture small: 255 colours, no dithering. pack.py FROM.png TO.png [FROM TO …]; needs Pillow."""
import sys

from PIL import Image

names = sys.argv[1:]
for source, target in zip(names[::2], names[1::2]):
    picture = Image.open(source).convert("RGB")
    picture.quantize(255, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(target, optimize=True)
