// Writes the GLSL of each step. A tensor of C channels is a texture array of RGBA: the channels 4n to
// 4n + 3 are layer n, and channels beyond C are zero.
"use strict";

const VERTEX = `#version 300 es
void main() {  // one triangle that covers everything
  gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0);
}`;

const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler2DArray;
`;

// The shares of red, green and blue in luma (ITU-R BT.601)
const LUMA = "vec3(0.299, 0.587, 0.114)";

const literal = number => {
  const text = String(number);
  return /[.e]/.test(text) ? text : text + ".0";
};

/**
 * The sums of a part of a convolution, in words that GLSL and WGSL share: {taps, matrices}.
 *
 * step.taps, where the weights beyond the image do not count: the sum of the weights of each tap.
 */
function sumsOfTaps(step, { groups, outputs }, vector) {
  const [down, right] = [(step.height - 1) / 2, (step.width - 1) / 2];
  // Without loops, since some drivers are ten times as slow where the index of a matrix is computed.
  const taps = [];
  let matrices = 0;
  for (let tap = 0; tap < step.height * step.width; tap++) {
    const place = `here + ${vector}(${tap % step.width - right}, ${Math.floor(tap / step.width) - down})`;
    const sums = [`at = clamp(${place}, ${vector}(0), size - 1);`];
    for (let group = 0; group < groups; group++) {
      sums.push(`value = read(at, ${group});`);
      for (let n = 0; n < outputs; n++) sums.push(`sum${n} += kernel[${matrices++}] * value;`);
    }
    taps.push(!step.taps ? sums.join("\n") : `if (isInside(${place})) {
      inside += ${literal(step.taps[tap])};
      ${sums.join("\n")}
    }`);
  }
  return { taps: taps.join("\n"), matrices };
}

const each = (count, make) => Array.from({ length: count }, (_, n) => make(n)).join("\n");

/**
 * A part of a convolution: some groups of four input channels, `outputs` groups of four outputs.
 *
 * follows: whether it adds to what an earlier part has made. last: whether no part comes after it.
 */
function convolutionShader(step, { groups, outputs, follows, last }) {
  const relu = step.relu && last;
  const { taps, matrices } = sumsOfTaps(step, { groups, outputs }, "ivec2");
  return HEAD + `
uniform sampler2DArray source;
uniform sampler2DArray earlier;
uniform ivec2 size;  // of the source
uniform ivec2 origin;  // of the window in the image
uniform ivec2 image;  // its size
uniform int first;  // of the groups of inputs
uniform int layer;
layout(std140) uniform Weights { mat4 kernel[${matrices}]; vec4 bias[${outputs}]; };
${each(outputs, n => `layout(location = ${n}) out vec4 out${n};`)}
vec4 read(ivec2 at, int group) { return texelFetch(source, ivec3(at, first + group), 0); }
bool isInside(ivec2 place) {
  place += origin;
  return place == clamp(place, ivec2(0), image - 1);
}
void main() {
  ivec2 here = ivec2(gl_FragCoord.xy);
${each(outputs, n => follows
    ? `  vec4 sum${n} = texelFetch(earlier, ivec3(here, layer + ${n}), 0);`
    : `  vec4 sum${n} = bias[${n}];`)}
  float inside = 0.0;
  vec4 value;
  ivec2 at;
${taps}
${each(outputs, n => {
    const sum = step.taps ? `sum${n} / inside` : `sum${n}`;
    return `  out${n} = ${relu ? `max(${sum}, 0.0)` : sum};`;
  })}
}`;
}

// What channel c of the result is at the place p. at0, at1, ... read the sources.
const VALUES = {
  pack: ({ block, inputs: [channels] }) => `
  int phase = c / ${channels};
  return at0(p * ${block} + ivec2(phase % ${block}, phase / ${block}), c % ${channels});`,
  unpack: ({ block, channels }) => `
  ivec2 phase = p % ${block};
  return at0(p / ${block}, (phase.y * ${block} + phase.x) * ${channels} + c);`,
  cut: ({ pixels }) => `
  return at0(p + ${pixels}, c);`,
  join: ({ inputs }) => inputs.map((channels, n) => `
  if (c < ${channels}) return at${n}(p, c);
  c -= ${channels};`).join("") + `
  return 0.0;`,
  sum: ({ inputs, relu }) => {
    const sum = inputs.map((_, n) => `at${n}(p, c)`).join(" + ");
    return `
  return ${relu ? `max(${sum}, 0.0)` : sum};`;
  },
};

/** A step that moves or adds values, for the four channels of one layer. */
function movingShader(step) {
  const sources = step.inputs.map((_, n) => `
uniform sampler2DArray source${n};
float at${n}(ivec2 p, int c) { return texelFetch(source${n}, ivec3(p, c / 4), 0)[c % 4]; }`);
  return HEAD + sources.join("") + `
uniform int layer;
out vec4 result;
float value(ivec2 p, int c) {${VALUES[step.kind](step)}
}
void main() {
  ivec2 p = ivec2(gl_FragCoord.xy);
  vec4 values = vec4(0.0);
  for (int i = 0; i < 4; i++) {
    int c = 4 * layer + i;
    if (c < ${step.channels}) values[i] = value(p, c);
  }
  result = values;
}`;
}

/** The window of the image with the outermost pixels of the image repeated. */
function borderShader({ pixels, channels }) {
  const value = channels === 1 ? `vec4(dot(pixel, ${LUMA}), 0.0, 0.0, 0.0)` : "vec4(pixel, 0.0)";
  return HEAD + `
uniform sampler2D pixels;
uniform ivec2 start;  // of the texture \`pixels\` in the image
uniform ivec2 origin;
uniform ivec2 image;
out vec4 result;
void main() {
  ivec2 place = clamp(ivec2(gl_FragCoord.xy) + origin - ${pixels}, ivec2(0), image - 1);
  vec3 pixel = texelFetch(pixels, place - start, 0).rgb;
  result = ${value};
}`;
}

/** The pixels of the result. A change of luma is added to red, green and blue alike. */
function resultShader(channels) {
  const change = channels === 1
    ? `vec3(made.r - dot(pixel.rgb, ${LUMA}))`
    : "made.rgb - pixel.rgb";
  return HEAD + `
uniform sampler2D pixels;
uniform sampler2DArray source;
uniform ivec2 start;
uniform ivec2 origin;
uniform ivec2 tile;
uniform float strength;
out vec4 result;
void main() {
  ivec2 place = ivec2(gl_FragCoord.xy) + tile;
  vec4 pixel = texelFetch(pixels, place - start, 0);
  vec4 made = texelFetch(source, ivec3(place - origin, 0), 0);
  vec3 changed = clamp(pixel.rgb + strength * (${change}), 0.0, 1.0);
  result = vec4(floor(changed * 255.0 + 0.5) / 255.0, pixel.a);
}`;
}
