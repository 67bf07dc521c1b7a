"""Makes fixtures/*.runs and fixtures/vgg16_official.safetensors: VGG in the layout of Keras's official weights.

    pip install numpy h5py pillow safetensors keras torch
    KERAS_BACKEND=torch python3 make_official.py

Each file has the official names, shapes and sizes, and weights that are zero but for a few thousand, so that its
bytes are nearly all zero. A .runs file keeps the others: the file's length as u64, then for each run its offset
as u64, its length as u32 and its bytes, all little-endian. Put into place in an empty file, they give it back.

The few weights are spread so that a photo's values get through to the classes: a mistake in the order of a
kernel's axes, in the flattening or in the preprocessing changes the probabilities, which Keras has worked out
from the same file.
"""

import os
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
FIXTURES = HERE / "fixtures"
PHOTO = HERE.parent.parent.parent / "demo" / "chelsea.png"

CONVS = {"vgg16": [2, 2, 3, 3, 3], "vgg19": [2, 2, 4, 4, 4]}
WIDTHS = [64, 128, 256, 512, 512]
DENSE = [("fc1", 7 * 7 * 512, 4096), ("fc2", 4096, 4096), ("predictions", 4096, 1000)]


def layers(net, top):
    """Names in the file's order, each with the shapes of its kernel and bias, or none."""
    found = [("input_1", None)]
    inputs = 3
    for block, (count, width) in enumerate(zip(CONVS[net], WIDTHS), 1):
        for place in range(1, count + 1):
            found.append((f"block{block}_conv{place}", (3, 3, inputs, width)))
            inputs = width
        found.append((f"block{block}_pool", None))
    if top:
        found.append(("flatten", None))
        found += [(name, (inputs, outputs)) for name, inputs, outputs in DENSE]
    return found


def sparse(random, layer, shape, live):
    """A kernel and a bias that are zero but for some units, and which these are; `live` are those in front."""
    kernel = np.zeros(shape, np.float32)
    bias = np.zeros(shape[-1], np.float32)
    units = np.sort(random.choice(shape[-1], 48 if len(shape) == 4 else 64, replace=False))
    taps = {"fc1": 24, "fc2": 12, "predictions": 12}.get(layer, 3)
    for unit in units:
        if len(shape) == 4:
            at = [(*random.integers(0, 3, 2), random.choice(live)) for _ in range(taps)]
        elif layer == "fc1":
            at = [(random.integers(0, 49) * 512 + random.choice(live),) for _ in range(taps)]
        else:
            at = [(random.choice(live),) for _ in range(taps)]
        for place in at:
            kernel[(*place, unit)] = random.normal(0.25, 1) * 1.4 / np.sqrt(taps)
        bias[unit] = random.normal()
    return kernel, bias, units


def write(path, net, top, weighted):
    """Writes the file as Keras 1 did, with zeros or with weights that let a photo's values through."""
    random = np.random.default_rng(16)
    live = np.arange(3)
    with h5py.File(path, "w") as file:
        names = layers(net, top)
        file.attrs["layer_names"] = [name.encode() for name, _ in names]
        for name, shape in names:
            group = file.create_group(name)
            if shape is None:
                group.attrs["weight_names"] = []
                continue
            weights = [f"{name}_W_1:0", f"{name}_b_1:0"]
            group.attrs["weight_names"] = [weight.encode() for weight in weights]
            if weighted:
                kernel, bias, live = sparse(random, name, shape, live)
            else:
                kernel, bias = np.zeros(shape, np.float32), np.zeros(shape[-1:], np.float32)
            if weighted and name == "predictions":
                # To probabilities that are neither all alike nor all in one class.
                kernel *= 0.005
                bias = random.normal(size=bias.shape).astype(np.float32)
            for weight, values in zip(weights, [kernel, bias]):
                data = group.create_dataset(weight, values.shape, dtype=values.dtype)
                data[:] = values


def runs(path, to):
    """Keeps what isn't zero."""
    data = np.fromfile(path, np.uint8)
    at = np.flatnonzero(data)
    ends = np.flatnonzero(np.diff(at) > 16)
    starts = at[np.concatenate([[0], ends + 1])]
    stops = at[np.concatenate([ends, [len(at) - 1]])] + 1
    with open(to, "wb") as out:
        out.write(len(data).to_bytes(8, "little"))
        for start, stop in zip(starts.tolist(), stops.tolist()):
            out.write(start.to_bytes(8, "little") + (stop - start).to_bytes(4, "little"))
            out.write(data[start:stop].tobytes())
    print(f"{to.name}: {to.stat().st_size} bytes for {len(data)}")


def reference(path):
    """What Keras makes of the photo with these weights."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    from safetensors.numpy import save_file

    model = keras.applications.VGG16(weights=str(path))
    photo = keras.utils.img_to_array(keras.utils.load_img(PHOTO, target_size=(224, 224)))
    prepared = keras.applications.vgg16.preprocess_input(photo[None].copy())
    layers = ["block1_conv2", "block3_conv1", "block5_conv3", "block5_pool", "fc1", "fc2", "predictions"]
    several = keras.Model(model.inputs, [model.get_layer(name).output for name in layers])
    found = {}
    for name, values in zip(layers, several.predict(prepared, verbose=0)):
        values = values[0].astype(np.float64)
        print(f"{name}: {np.count_nonzero(values)} of {values.size} are not zero, largest {values.max():.4g}")
        if values.ndim == 3:
            found[f"{name}/mean"] = values.mean((0, 1)).astype(np.float32)
        else:
            found[name] = values.astype(np.float32)
    order = np.argsort(-found["predictions"])[:5]
    print("top:", [(int(index), float(found["predictions"][index])) for index in order])
    to = FIXTURES / "vgg16_official.safetensors"
    save_file(found, to, {"keras": keras.__version__, "photo": PHOTO.name})
    to.chmod(0o644)


def main():
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        for net in CONVS:
            for top in [True, False]:
                path = Path(folder) / f"{net}{'' if top else '_notop'}.h5"
                write(path, net, top, weighted=net == "vgg16" and top)
                name = "official" if top else "official_notop"
                runs(path, FIXTURES / f"{net}_{name}.runs")
                if net == "vgg16" and top:
                    reference(path)
                path.unlink()


main()
