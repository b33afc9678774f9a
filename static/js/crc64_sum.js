// CRC-64/XZ, the checksum that the store tells of every part and object, in plain 32-bit arithmetic.

// The reflected polynomial 0xC96C5795D7870F42 in two halves: BigInt would be a hundred times slower.
const POLYNOMIAL_HIGH = 0xc96c5795;
const POLYNOMIAL_LOW = 0xd7870f42;
// Bytes that are taken at once, each through a table of its own (slicing by 8).
const LANES = 8;

const high = new Int32Array(LANES * 256);
const low = new Int32Array(LANES * 256);

for (let byte = 0; byte < 256; byte += 1) {
  let h = 0;
  let l = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    const isOdd = l & 1;
    l = (l >>> 1) | (h << 31);
    h >>>= 1;
    if (isOdd) {
      h ^= POLYNOMIAL_HIGH;
      l ^= POLYNOMIAL_LOW;
    }
  }
  high[byte] = h;
  low[byte] = l;
}
for (let at = 256; at < LANES * 256; at += 1) {
  const h = high[at - 256];
  const l = low[at - 256];
  const next = l & 0xff;
  high[at] = (h >>> 8) ^ high[next];
  low[at] = ((l >>> 8) | (h << 24)) ^ low[next];
}

export class Crc64 {
  #high = -1;
  #low = -1;

  update(bytes) {
    let h = this.#high;
    let l = this.#low;
    const whole = bytes.length - (bytes.length % LANES);
    let at = 0;
    for (; at < whole; at += LANES) {
      l ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      h ^= bytes[at + 4] | (bytes[at + 5] << 8) | (bytes[at + 6] << 16) | (bytes[at + 7] << 24);
      const a = 1792 + (l & 0xff);
      const b = 1536 + ((l >>> 8) & 0xff);
      const c = 1280 + ((l >>> 16) & 0xff);
      const d = 1024 + (l >>> 24);
      const e = 768 + (h & 0xff);
      const f = 512 + ((h >>> 8) & 0xff);
      const g = 256 + ((h >>> 16) & 0xff);
      const i = h >>> 24;
      l = low[a] ^ low[b] ^ low[c] ^ low[d] ^ low[e] ^ low[f] ^ low[g] ^ low[i];
      h = high[a] ^ high[b] ^ high[c] ^ high[d] ^ high[e] ^ high[f] ^ high[g] ^ high[i];
    }
    for (; at < bytes.length; at += 1) {
      const index = (l ^ bytes[at]) & 0xff;
      l = ((l >>> 8) | (h << 24)) ^ low[index];
      h = (h >>> 8) ^ high[index];
    }
    this.#high = h;
    this.#low = l;
  }

  // Unsigned decimal text, as the store writes it.
  get text() {
    const sum = (BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0);
    return sum.toString();
  }
}
