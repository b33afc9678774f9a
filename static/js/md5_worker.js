// Reads a blob a piece at a time and answers its MD5: only for parts of which the store tells nothing else.

import '../vendor/spark-md5/spark-md5.min.js';

const PIECE = 2 * 1024 * 1024;

async function sum(blob) {
  const md5 = new self.SparkMD5.ArrayBuffer();
  for (let at = 0; at < blob.size; at += PIECE) md5.append(await blob.slice(at, at + PIECE).arrayBuffer());
  return md5.end();
}

addEventListener('message', async ({ data: { id, blob } }) => {
  try {
    postMessage({ id, text: await sum(blob) });
  } catch (error) {
    postMessage({ id, failure: error.message });
  }
});
