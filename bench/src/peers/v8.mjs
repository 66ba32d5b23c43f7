// V8 in Node: told on standard input what to do, and how often.
//
// The first line out is V8's version. The first line in says what to do, what the guest
// imports, and has the module. When all is warm, an empty line goes out. Then each line
// in is a count, and the line out what that many operations took, in seconds, and their
// outcome.

import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

// Around every step, and not in a function of ours, this has V8 compute in registers
// instead of BigInts.
const { asUintN } = BigInt;

const decoder = new TextDecoder('utf-8', { fatal: true });
const scratch = new Float64Array(1);
const [LOW, HIGH] = [0, 1];
const halves = new Uint32Array(scratch.buffer);

// The state of host functions, and the memory that they see.
class Host {
  total = 0;
  // What samples add up to: 64 bits in two halves, which is faster than a BigInt.
  low = 0;
  high = 0;
  #memory;
  #bytes = Buffer.alloc(0);
  #data;
  #doubles;

  attach(memory) {
    this.#memory = memory;
  }

  reset() {
    this.total = this.low = this.high = 0;
  }

  // All of the state in 64 bits.
  digest() {
    return asUintN(64, BigInt(this.total) + (BigInt(this.high) << 32n) + BigInt(this.low));
  }

  // Views are kept, and made again after the memory has grown, which empties them.
  get bytes() {
    if (this.#bytes.length === 0) this.#look();
    return this.#bytes;
  }

  get data() {
    if (this.#bytes.length === 0) this.#look();
    return this.#data;
  }

  get doubles() {
    if (this.#bytes.length === 0) this.#look();
    return this.#doubles;
  }

  #look() {
    const { buffer } = this.#memory;
    this.#bytes = Buffer.from(buffer);
    this.#data = new DataView(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  // UTF-8, or an error. A short text in ASCII comes faster out of a `Buffer` than out
  // of a `TextDecoder`.
  string(pointer, length) {
    const { bytes } = this;
    const end = pointer + length;
    if (end > bytes.length) throw new RangeError('out of bounds of the memory');
    for (let at = pointer; at < end; at++) {
      if (bytes[at] >= 0x80) return decoder.decode(bytes.subarray(pointer, end));
    }
    return bytes.toString('latin1', pointer, end);
  }

  log(pointer, length) {
    this.total += this.string(pointer, length).length;
  }

  double(pointer, count) {
    const { doubles } = this;
    const start = pointer / 8;
    const end = start + count;
    // A fraction, if the pointer is not aligned.
    if (!Number.isInteger(start) || end > doubles.length) throw new RangeError('no such numbers');
    for (let at = start; at < end; at++) doubles[at] *= 2;
  }

  copy32(to, from) {
    const { bytes } = this;
    if (Math.max(to, from) + 32 > bytes.length) throw new RangeError('out of bounds of the memory');
    bytes.copyWithin(to, from, from + 32);
  }

  sample(channel, value) {
    scratch[0] = value;
    const low = this.low + ((halves[LOW] ^ channel) >>> 0);
    this.low = low >>> 0;
    this.high = (this.high + halves[HIGH] + (low > 0xffffffff ? 1 : 0)) >>> 0;
  }
}

// An i32 comes signed, and a pointer is not.
const log = (host) => (pointer, length) => host.log(pointer >>> 0, length >>> 0);

// What a guest imports from `env`, by the suite.
const functions = {
  call: (host) => ({
    add: (a, b) => {
      host.total += 1;
      return (a + b) | 0;
    },
    log: log(host),
    flat: (x, y) => (x + y) | 0,
    pointer: (at) => {
      const { data } = host;
      return (data.getInt32(at >>> 0, true) + data.getInt32((at >>> 0) + 4, true)) | 0;
    },
    double: (pointer, count) => host.double(pointer >>> 0, count >>> 0),
  }),
  inline: (host) => ({
    add: (a, b) => (a + b) | 0,
    clamp: (x, low, high) => (x < low ? low : x > high ? high : x),
    mix64: (x) => {
      let z = asUintN(64, x + 0x9e3779b97f4a7c15n);
      z = asUintN(64, asUintN(64, z ^ asUintN(64, z >> 30n)) * 0xbf58476d1ce4e5b9n);
      z = asUintN(64, asUintN(64, z ^ asUintN(64, z >> 27n)) * 0x94d049bb133111ebn);
      return asUintN(64, z ^ asUintN(64, z >> 31n));
    },
    copy32: (to, from) => host.copy32(to >>> 0, from >>> 0),
    hit: () => {
      host.total += 1;
    },
  }),
  deferred: (host) => ({
    log: log(host),
    sample: (channel, value) => host.sample(channel, value),
  }),
};

// Each takes the module and what it imports, and gives a function that does so many
// operations.
const works = {
  run: (wasm, imports) => {
    const host = new Host();
    const { run, memory } = instantiate(new WebAssembly.Module(wasm), imports, host).exports;
    host.attach(memory);
    return (count) => {
      host.reset();
      const [seconds, result] = timed(() => run(BigInt(count)));
      return [seconds, asUintN(64, result), host.digest()];
    };
  },

  sum: (wasm) => {
    const { add } = instantiate(new WebAssembly.Module(wasm)).exports;
    const loop = (count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum = add(sum, i | 0);
      return sum;
    };
    return (count) => {
      const [seconds, sum] = timed(() => loop(count));
      return [seconds, sum >>> 0, 0];
    };
  },

  map: (wasm) => {
    const { add } = instantiate(new WebAssembly.Module(wasm)).exports;
    const elements = 65536;
    const inputs = new Int32Array(2 * elements);
    for (let i = 0; i < elements; i++) inputs.set([i, Math.imul(i, 7)], 2 * i);
    const outputs = new Int32Array(elements);
    const loop = (count) => {
      for (let i = 0; i < count; i++) outputs[i] = add(inputs[2 * i], inputs[2 * i + 1]);
    };
    return (count) => {
      const [seconds] = timed(() => {
        for (let left = count; left > 0; left -= elements) loop(Math.min(left, elements));
      });
      return [seconds, rotated(outputs.subarray(0, Math.min(count, elements))), 0];
    };
  },

  instantiate: (wasm, imports) => {
    const module = new WebAssembly.Module(wasm);
    return repeated(() => instantiate(module, imports, new Host()));
  },

  compile: (wasm) => {
    // V8 remembers bytes that it has compiled. A number at their end makes them new:
    // a custom section named `n`.
    const bytes = Buffer.concat([wasm, Buffer.from([0, 6, 1, 0x6e, 0, 0, 0, 0])]);
    let number = 0;
    return repeated(() => {
      bytes.writeUInt32LE((number += 1), bytes.length - 4);
      return new WebAssembly.Module(bytes);
    });
  },
};

function instantiate(module, imports, host) {
  return new WebAssembly.Instance(module, { env: imports?.(host) });
}

function repeated(work) {
  return (count) => {
    const [seconds] = timed(() => {
      for (let i = 0; i < count; i++) work();
    });
    return [seconds, count, 0];
  };
}

function timed(work) {
  const start = process.hrtime.bigint();
  const result = work();
  return [Number(process.hrtime.bigint() - start) / 1e9, result];
}

// What the other subjects make of the results of `map`.
function rotated(outputs) {
  const add = (sum, output) => asUintN(64, ((sum << 1n) | (sum >> 63n)) + BigInt(output >>> 0));
  return outputs.reduce(add, 0n);
}

// Code is optimised in the background after it has run for a while.
async function warm(round) {
  let count = 1;
  for (const start = performance.now(); performance.now() - start < 500; await sleep(1)) {
    const [seconds] = round(count);
    if (seconds < 0.005) count *= 2;
  }
}

const put = (line) => process.stdout.write(`${line}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
put(process.versions.v8);
const { value, done } = await lines.next();
if (!done) {
  const request = JSON.parse(value);
  const round = works[request.work](Uint8Array.from(request.wasm), functions[request.functions]);
  await warm(round);
  put('');
  for await (const line of lines) put(round(Number(line)).join(' '));
}
