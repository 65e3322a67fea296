// Computes the steps of a network with WebGPU, as webgl2.js does.
"use strict";

const SCOPES = ["validation", "out-of-memory", "internal"];  // of errors
const PREFERRED = ({ software }) => !software;  // WebGL2 is as fast on the processor

/** Open WebGPU, as openedWebGL2(): null where it is missing or gains nothing. */
async function openedWebGPU() {
  try {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) return null;
    const { info } = adapter;
    const name = [info?.vendor, info?.architecture, info?.device, info?.description].join(" ");
    const fallback = info?.isFallbackAdapter || adapter.isFallbackAdapter;
    const software = Boolean(fallback) || SOFTWARE.test(name);
    if (!PREFERRED({ software })) return null;
    const device = await adapter.requestDevice();
    return {
      name: "WebGPU", software,
      network: (...described) => new WebGPUNetwork(device, ...described),
      close: () => device.destroy(),
    };
  } catch {
    return null;
  }
}

class WebGPUNetwork extends Network {
  constructor(device, ...described) {
    super(...described);
    Object.assign(this, { device, pipelines: new Map(), encoder: null, pass: null });
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.tileBuffer = device.createBuffer({ size: 48, usage });
  }

  /** As Network.run(). It throws an error if WebGPU reports one. */
  async run(tile, ...others) {
    const { device } = this;
    for (const scope of SCOPES) device.pushErrorScope(scope);
    let result;
    const errors = [];
    try {
      this.encoder = device.createCommandEncoder();
      this.pass = this.encoder.beginComputePass();
      result = super.run(tile, ...others);
      result.catch(() => {});  // it is awaited after the errors, which say more
    } finally {
      for (const _ of SCOPES) errors.push(device.popErrorScope());
    }
    for (const error of await Promise.all(errors)) if (error) throw new Error(error.message);
    return result;
  }

  pipeline({ code }) {
    const { device, pipelines } = this;
    if (!pipelines.has(code)) {
      const module = device.createShaderModule({ code });
      pipelines.set(code, device.createComputePipeline({ layout: "auto", compute: { module } }));
    }
    return pipelines.get(code);
  }

  /** Compute `size` pixels of some layers. */
  dispatch(shader, [width, height], values, layers = 1) {
    const { device, pass } = this;
    const pipeline = this.pipeline(shader);
    const entries = shader.names.map((name, binding) => {
      const value = values[name];
      const isTexture = value instanceof GPUTexture;
      const dimension = name === "pixels" ? "2d" : "2d-array";
      return { binding, resource: isTexture ? value.createView({ dimension }) : { buffer: value } };
    });
    pass.setPipeline(pipeline);
    const layout = pipeline.getBindGroupLayout(0);
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(Math.ceil(width / SIDE), Math.ceil(height / SIDE), layers);
  }

  texture(size, layers) {
    const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.STORAGE_BINDING;
    return this.device.createTexture({ size: [...size, layers], format: "rgba32float", usage });
  }

  uploaded(part) {
    const { device } = this;
    const size = [part.width, part.height];
    const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST
      | GPUTextureUsage.RENDER_ATTACHMENT;
    const texture = device.createTexture({ size, format: "rgba8unorm", usage });
    device.queue.copyExternalImageToTexture({ source: part }, { texture }, size);
    return texture;
  }

  remove(texture) {
    texture.destroy();
  }

  weights(values) {
    const { device } = this;
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ size: values.byteLength + 16, usage });  // see convolve()
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  border(step, tensor, { pixels }) {
    const values = { pixels, tile: this.tileBuffer, made: tensor.texture };
    this.dispatch(borderWgsl(step), tensor.size, values);
  }

  move(step, inputs, tensor) {
    const sources = Object.fromEntries(inputs.map(({ texture }, n) => [`source${n}`, texture]));
    const values = { ...sources, made: tensor.texture };
    this.dispatch(movingWgsl(step), tensor.size, values, tensor.layers);
  }

  convolve(step, part, draw, { source, earlier, tensor }) {
    const { layer, count, buffer } = draw;
    const place = new Int32Array([part.first, layer]);
    this.device.queue.writeBuffer(buffer, buffer.size - 16, place);
    draw.shader ||= convolutionWgsl(step, { ...part, outputs: count });
    this.dispatch(draw.shader, tensor.size, {
      source: source.texture, earlier: earlier?.texture, made: tensor.texture,
      weights: buffer, tile: this.tileBuffer,
    });
  }

  samples(tile, output, { pixels, start, origin, image, strength }) {
    const { device, encoder } = this;
    const size = 4 * tile.width * tile.height;
    const settings = new ArrayBuffer(48);
    const places = [start, origin, image, [tile.x, tile.y], [tile.width, tile.height]];
    new Int32Array(settings).set(places.flat());
    new Float32Array(settings)[10] = strength;
    device.queue.writeBuffer(this.tileBuffer, 0, settings);
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const samples = device.createBuffer({ size, usage: STORAGE | COPY_SRC });
    const copy = device.createBuffer({ size, usage: COPY_DST | MAP_READ });
    const values = { pixels, source: output.texture, tile: this.tileBuffer, samples };
    const shader = resultWgsl(this.description.channels);
    this.dispatch(shader, [tile.width, tile.height], values);
    this.pass.end();
    encoder.copyBufferToBuffer(samples, 0, copy, 0, size);
    device.queue.submit([encoder.finish()]);
    samples.destroy();
    return copy.mapAsync(GPUMapMode.READ).then(() => {
      const result = new Uint8ClampedArray(copy.getMappedRange().slice(0));
      copy.destroy();
      return result;
    });
  }
}
