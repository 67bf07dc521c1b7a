"""Makes the reference values beside it. Python 3.11, Pillow 13.0.0, NumPy 2.4.6, opencv-python-headless 5.0.0.93,
safetensors 0.8.0: `python make.py`, in this folder."""

import cv2
import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file

FILTERS = {
    "nearest": Image.NEAREST,
    "bilinear": Image.BILINEAR,
    "bicubic": Image.BICUBIC,
    "lanczos": Image.LANCZOS,
    "box": Image.BOX,
}
# (H,W) from a source of 37 x 29: smaller, larger, one side kept, both kept; 8 x 27 loses more than twice as many
# rows as columns, so that Pillow resizes vertically first.
SIZES = [(9, 7), (20, 28), (8, 27), (61, 50), (37, 11), (10, 29), (37, 29), (1, 1), (64, 3)]

random = np.random.default_rng(20)


def resize():
    """Noise over half of the picture, saturated edges (which make lobes overshoot) over the other."""
    source = random.integers(0, 256, (37, 29, 3), dtype=np.uint8)
    source[18:] = (source[18:] > 127) * 255
    values = {"source": source}
    for name, resampling in FILTERS.items():
        for height, width in SIZES:
            resized = Image.fromarray(source).resize((width, height), resampling)
            values[f"{name}/{height}x{width}"] = np.asarray(resized)
    heatmap = random.random((14, 14), dtype=np.float32)
    values["heatmap"] = heatmap
    for height, width in [(14, 14), (30, 45), (57, 14), (5, 9), (3, 40), (1, 1)]:
        values[f"linear/{height}x{width}"] = cv2.resize(
            heatmap, (width, height), interpolation=cv2.INTER_LINEAR
        )
    save_file(values, "resize.safetensors")


def torchvision(image, resize, crop):
    """torchvision's Resize(resize) and CenterCrop(crop), by its source: shorter side, truncation, Python's round."""
    width, height = image.size
    short, long = min(width, height), max(width, height)
    new_long = int(resize * long / short)
    new = (resize, new_long) if width <= height else (new_long, resize)
    image = image.resize(new, Image.BICUBIC)
    left = int(round((new[0] - crop) / 2.0))
    top = int(round((new[1] - crop) / 2.0))
    return image.crop((left, top, left + crop, top + crop))


def crop():
    values = {}
    source = random.integers(0, 256, (47, 71, 3), dtype=np.uint8)
    values["wide"] = source
    values["tall"] = np.ascontiguousarray(source.transpose(1, 0, 2))
    for name in ["wide", "tall"]:
        image = Image.fromarray(values[name])
        # 20 of 23 is 0.875 rounded; 20 of 21 leaves halves to round.
        for side in [23, 21, 20]:
            values[f"{name}/20of{side}"] = np.asarray(torchvision(image, side, 20))
    grey = Image.fromarray(source).convert("L").resize((20, 20), Image.BILINEAR)
    values["wide/grey20"] = np.asarray(grey)
    save_file({key: np.ascontiguousarray(value) for key, value in values.items()}, "crop.safetensors")


def decode():
    """Files that the `image` crate can't write, and what Pillow's convert("RGB") makes of them."""
    values = {}

    def keep(name, expected=None):
        if expected is None:
            expected = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
        values[name] = np.ascontiguousarray(np.asarray(expected))

    y, x = np.mgrid[:16, :24]
    rgb = np.stack([x * 10, y * 15, (x + y) * 6], -1).astype(np.uint8)
    image = Image.fromarray(rgb)

    image.convert("CMYK").save("cmyk.jpg", quality=95)
    keep("cmyk.jpg")
    # Pillow writes no YCCK: the Adobe segment's last byte says which it is.
    data = bytearray(open("cmyk.jpg", "rb").read())
    data[data.find(b"Adobe") + 11] = 2
    open("ycck.jpg", "wb").write(data)
    keep("ycck.jpg")

    exif = Image.Exif()
    for orientation in range(1, 9):
        exif[274] = orientation
        name = f"orientation_{orientation}.jpg"
        image.save(name, quality=95, subsampling=0, exif=exif)
        keep(name)

    palette = image.quantize(16)
    palette.save("palette.png", transparency=3)
    keep("palette.png")
    rgba = Image.fromarray(np.dstack([rgb, (x * 10).astype(np.uint8)]))
    rgba.save("alpha.png")
    keep("alpha.png")
    # Pillow clips 16 bits to 255; here they are scaled.
    grey = (x * 2800 + y * 7).astype(np.uint16)
    Image.fromarray(grey).save("grey16.png")
    keep("grey16.png", np.repeat(np.rint(grey / 257).astype(np.uint8)[..., None], 3, -1))
    second = Image.fromarray(255 - rgb).quantize(16)
    palette.save("animated.gif", save_all=True, append_images=[second])
    keep("animated.gif")
    save_file(values, "decode.safetensors")


resize()
crop()
decode()
