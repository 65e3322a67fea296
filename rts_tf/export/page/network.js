// Runs the steps of a network on tiles.
"use strict";

const TENSOR_BYTES = 2 ** 24;  // of the largest tensor of a tile: a phone has some of these
const TILES = [1024, 512, 256, 128];  // pixels a side; each is a multiple of every packing
// What every device offers: layers that a draw fills, and 16 KiB for weights, less for biases. A
// longer shader also takes some drivers seconds to compile.
const MOST_LAYERS = 4;
const MOST_MATRICES = 240;
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** A message for the reader of the page. */
class Problem extends Error {}

/**
 * A network on a tile. A subclass computes the steps, with these methods:
 *
 * texture(size, layers), uploaded(part of the image), remove(texture); weights(values): a buffer;
 * border(), move() and convolve(), which fill a tensor; samples(tile, output, shared): the RGBA of
 * the tile, or a promise of it.
 */
class Network {
  /** description: of the page's data; weights: a Float32Array that its steps point into. */
  constructor(description, weights) {
    const { steps, radius, multiple } = description;
    Object.assign(this, { description, values: weights, parts: new Map(), free: new Map() });
    this.tile = this.largestTile();
    this.reach = Math.max(0, ...steps.map(step => step.taps ? step.reach : 0));
    this.around = radius + multiple;  // pixels of the image that a tile depends on, on each side
  }

  largestTile() {
    const bytes = Math.max(...this.description.steps.map(
      step => 16 * Math.ceil(step.channels / 4) * step.scale ** 2));
    return TILES.find(side => side ** 2 * bytes <= TENSOR_BYTES) || TILES.at(-1);
  }

  /** Divide a convolution so that the weights of each draw fit into one block. */
  partsOf(step) {
    if (this.parts.has(step)) return this.parts.get(step);
    const taps = step.height * step.width;
    const [inputs, outputs] = [step.inputs[0], step.channels].map(n => Math.ceil(n / 4));
    const most = Math.max(1, Math.min(outputs, MOST_LAYERS, Math.floor(MOST_MATRICES / taps)));
    const groups = Math.max(1, Math.min(inputs, Math.floor(MOST_MATRICES / (taps * most))));
    const parts = [];
    for (let first = 0; first < inputs; first += groups) {
      const part = {
        first, groups: Math.min(groups, inputs - first),
        follows: first > 0, last: first + groups >= inputs, draws: [],
      };
      for (let layer = 0; layer < outputs; layer += most) {
        const count = Math.min(most, outputs - layer);
        const values = blockOfWeights(step, this.values, part, layer, count);
        part.draws.push({ layer, count, buffer: this.weights(values) });
      }
      parts.push(part);
    }
    this.parts.set(step, parts);
    return parts;
  }

  /** A tensor, one that is not in use any more if there is one of that size. */
  tensor(size, channels) {
    const layers = Math.ceil(channels / 4);
    const key = [...size, layers].join();
    const free = (this.free.get(key) || []).pop();
    return free || { key, size, layers, texture: this.texture(size, layers) };
  }

  release(tensor) {
    if (!this.free.has(tensor.key)) this.free.set(tensor.key, []);
    this.free.get(tensor.key).push(tensor);
  }

  /** Give the memory of all tensors back. */
  forget() {
    for (const tensors of this.free.values()) {
      for (const { texture } of tensors) this.remove(texture);
    }
    this.free.clear();
  }

  /**
   * Compute one tile.
   *
   * tile: {x, y, width, height} in the image. part: a bitmap of the image from the place `start` on.
   * Returns RGBA of the tile, or a promise of it.
   */
  run(tile, image, { part, start }, strength) {
    const window = grown(tile, this.reach, image);
    const pixels = this.uploaded(part);
    const shared = {
      pixels, start, origin: [window.x, window.y], image, tile: [tile.x, tile.y], strength,
    };
    const made = new Map();
    const { steps } = this.description;
    steps.forEach((step, index) => {
      made.set(step.name, this.step(step, window, step.sources.map(name => made.get(name)), shared));
      for (const name of new Set(step.sources)) {
        const needed = steps.slice(index + 1).some(later => later.sources.includes(name));
        if (!needed && made.has(name)) this.release(made.get(name));
      }
    });
    const output = made.get(steps.at(-1).name);
    const result = this.samples(tile, output, shared);
    this.release(output);
    this.remove(pixels);
    return result;
  }

  step(step, window, inputs, shared) {
    const { multiple } = this.description;
    if (step.kind === "convolution") return this.convolution(step, inputs[0], shared);
    const [width, height] = inputs[0]?.size || [];
    const sizes = {
      border: [window.width, window.height].map(
        side => Math.ceil((side + 2 * step.pixels) / multiple) * multiple),
      pack: [width / step.block, height / step.block],
      unpack: [width * step.block, height * step.block],
      cut: [window.width, window.height],
    };
    const tensor = this.tensor(sizes[step.kind] || inputs[0].size, step.channels);
    if (step.kind === "border") this.border(step, tensor, shared);
    else this.move(step, inputs, tensor, shared);
    return tensor;
  }

  convolution(step, source, shared) {
    let earlier = null;
    for (const part of this.partsOf(step)) {
      const tensor = this.tensor(source.size, step.channels);
      for (const draw of part.draws) {
        this.convolve(step, part, draw, { source, earlier, tensor }, shared);
      }
      if (earlier) this.release(earlier);
      earlier = tensor;
    }
    return earlier;
  }
}

/** A rectangle with more pixels on each side, as far as the image goes. */
function grown({ x, y, width, height }, pixels, [right, bottom]) {
  const [left, top] = [Math.max(0, x - pixels), Math.max(0, y - pixels)];
  return {
    x: left, y: top,
    width: Math.min(right, x + width + pixels) - left,
    height: Math.min(bottom, y + height + pixels) - top,
  };
}

/** The weights of a draw as its block has them: matrices, column by column, then biases. */
function blockOfWeights(step, weights, { first, groups, follows }, layer, count) {
  const [inputs, outputs] = [step.inputs[0], step.channels];
  const taps = step.height * step.width;
  const values = new Float32Array(16 * taps * groups * count + 4 * count);
  let next = 0;
  for (let tap = 0; tap < taps; tap++) {
    for (let group = first; group < first + groups; group++) {
      for (let n = layer; n < layer + count; n++) {
        for (let input = 4 * group; input < 4 * group + 4; input++) {
          for (let output = 4 * n; output < 4 * n + 4; output++, next++) {
            if (input >= inputs || output >= outputs) continue;
            values[next] = weights[step.kernel + (tap * inputs + input) * outputs + output];
          }
        }
      }
    }
  }
  for (let output = 4 * layer; output < 4 * (layer + count); output++, next++) {
    if (!follows && output < outputs) values[next] = weights[step.bias + output];
  }
  return values;
}
