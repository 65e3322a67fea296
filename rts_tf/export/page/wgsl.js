// Writes the WGSL of each step, for tensors as in the GLSL: {code, names}. The bindings of a shader
// are `names`, in this order.
"use strict";

const SIDE = 8;  // of a workgroup, in pixels

const DECLARED = {
  pixels: "var pixels: texture_2d<f32>",
  tile: "var<uniform> tile: Tile",
  weights: "var<uniform> weights: Weights",
  made: "var made: texture_storage_2d_array<rgba32float, write>",
  samples: "var<storage, read_write> samples: array<u32>",
};

function wgsl(names, code) {
  const bindings = names.map((name, n) =>
    `@group(0) @binding(${n}) ${DECLARED[name] || `var ${name}: texture_2d_array<f32>`};`);
  return {
    names, code: `
struct Tile {
  start: vec2i,  // of the texture \`pixels\` in the image
  origin: vec2i,  // of the window in the image
  image: vec2i,  // its size
  place: vec2i,  // of the tile in the image
  size: vec2i,  // of the tile
  strength: f32,
}
${bindings.join("\n")}
${code}`,
  };
}

const MAIN = `@compute @workgroup_size(${SIDE}, ${SIDE}) fn main(@builtin(global_invocation_id) id: vec3u)`;
const WITHIN = `
  let here = vec2i(id.xy);
  let bounds = vec2i(textureDimensions(made));
  if (any(here >= bounds)) { return; }`;

/** As convolutionShader(). */
function convolutionWgsl(step, { groups, outputs, follows, last }) {
  const relu = step.relu && last;
  const { taps, matrices } = sumsOfTaps(step, { groups, outputs }, "vec2i");
  const names = ["source", "weights", "made"];
  if (follows) names.push("earlier");
  if (step.taps) names.push("tile");
  const inside = `fn isInside(offset: vec2i) -> bool {
  let place = offset + tile.origin;
  return all(place == clamp(place, vec2i(0), tile.image - 1));
}`;
  return wgsl(names, `
struct Weights {
  kernel: array<mat4x4f, ${matrices}>,
  bias: array<vec4f, ${outputs}>,
  first: i32,  // of the groups of inputs
  layer: i32,
}
fn read(at: vec2i, group: i32) -> vec4f {
  return textureLoad(source, at, weights.first + group, 0);
}
${step.taps ? inside : ""}
${MAIN} {${WITHIN}
  let size = vec2i(textureDimensions(source));
  let layer = weights.layer;
${each(outputs, n => `  var sum${n} = ` + (follows
    ? `textureLoad(earlier, here, layer + ${n}, 0);` : `weights.bias[${n}];`))}
  var inside = 0.0;
  var value: vec4f;
  var at: vec2i;
${taps.replaceAll(" kernel[", " weights.kernel[")}
${each(outputs, n => {
    const sum = step.taps ? `sum${n} / inside` : `sum${n}`;
    return `  textureStore(made, here, layer + ${n}, ${relu ? `max(${sum}, vec4f())` : sum});`;
  })}
}`);
}

// As VALUES: what channel c of the result is at the place p.
const WGSL_VALUES = {
  pack: ({ block, inputs: [channels] }) => `
  let phase = c / ${channels};
  return at0(p * ${block} + vec2i(phase % ${block}, phase / ${block}), c % ${channels});`,
  unpack: ({ block, channels }) => `
  let phase = p % ${block};
  return at0(p / ${block}, (phase.y * ${block} + phase.x) * ${channels} + c);`,
  cut: ({ pixels }) => `
  return at0(p + ${pixels}, c);`,
  join: ({ inputs }) => {
    let before = 0;
    return inputs.map((channels, n) => `
  if (c < ${before + channels}) { return at${n}(p, c - ${before}); }${(before += channels, "")}`)
      .join("") + `
  return 0.0;`;
  },
  sum: ({ inputs, relu }) => {
    const sum = inputs.map((_, n) => `at${n}(p, c)`).join(" + ");
    return `
  return ${relu ? `max(${sum}, 0.0)` : sum};`;
  },
};

/** As movingShader(), for all layers. */
function movingWgsl(step) {
  const sources = step.inputs.map((_, n) => `source${n}`);
  const readers = sources.map((name, n) => `
fn at${n}(p: vec2i, c: i32) -> f32 { return textureLoad(${name}, p, c / 4, 0)[c % 4]; }`);
  return wgsl([...sources, "made"], `${readers.join("")}
fn value(p: vec2i, c: i32) -> f32 {${WGSL_VALUES[step.kind](step)}
}
${MAIN} {${WITHIN}
  var values = vec4f();
  for (var i = 0; i < 4; i++) {
    let c = 4 * i32(id.z) + i;
    if (c < ${step.channels}) { values[i] = value(here, c); }
  }
  textureStore(made, here, id.z, values);
}`);
}

/** As borderShader(). */
function borderWgsl({ pixels, channels }) {
  const value = channels === 1 ? `vec4f(dot(pixel, ${LUMA}), 0, 0, 0)` : "vec4f(pixel, 0)";
  return wgsl(["pixels", "tile", "made"], `
${MAIN} {${WITHIN}
  let place = clamp(here + tile.origin - ${pixels}, vec2i(0), tile.image - 1);
  let pixel = textureLoad(pixels, place - tile.start, 0).rgb;
  textureStore(made, here, 0, ${value});
}`.replaceAll("vec3(", "vec3f("));
}

/** As resultShader(). */
function resultWgsl(channels) {
  const change = channels === 1
    ? `vec3(made.r - dot(pixel.rgb, ${LUMA}))`
    : "made.rgb - pixel.rgb";
  return wgsl(["pixels", "source", "tile", "samples"], `
${MAIN} {
  let here = vec2i(id.xy);
  if (any(here >= tile.size)) { return; }
  let place = here + tile.place;
  let pixel = textureLoad(pixels, place - tile.start, 0);
  let made = textureLoad(source, place - tile.origin, 0, 0);
  let changed = clamp(pixel.rgb + tile.strength * (${change}), vec3f(), vec3f(1));
  samples[here.y * tile.size.x + here.x] = pack4x8unorm(vec4f(changed, pixel.a));
}`.replaceAll("vec3(", "vec3f("));
}
