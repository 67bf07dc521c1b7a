#!/usr/bin/env bash
# Makes the README's figures anew by running the program: demo/pictures.sh [FOLDER], by default docs/.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-docs}
model=weights/cats_and_dogs_small_2.h5
photo=demo/chelsea.png
program=${CONVSCOPE:-target/release/convscope}
[ -x "$program" ] || { echo "$program is missing: make build" >&2; exit 1; }
mkdir -p "$out"

# The book's two channels of the first layer.
for channel in 4 7; do
  "$program" maps "$model" "$photo" --layer conv2d_5 --channel "$channel" -o "$out/channel-$channel.png" --overwrite
done

# The grids of the eight convolutional and pooling layers.
for layer in conv2d_{5..8} max_pooling2d_{5..8}; do
  "$program" maps "$model" "$photo" --layer "$layer" -o "$out/grid-$layer.png" --overwrite
done

# The last convolution of VGG16 on another photo.
"$program" maps weights/vgg16_cats_dogs.safetensors demo/panda.jpg --layer block5_conv3 \
  --style minmax --colormap inferno -o "$out/vgg16-block5_conv3.png" --overwrite

# Heatmaps of the top class.
for photo in panda koala macaw; do
  "$program" cam weights/efficientnet_lite0.safetensors "demo/$photo.jpg" -o "$out/cam-$photo.jpg" --overwrite -q
done
